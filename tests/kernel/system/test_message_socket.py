from __future__ import annotations

import os

import pytest

from lab.kernel.sandbox.sandbox import Sandbox

pytestmark = pytest.mark.kernel


def test_large_arguments_and_results_pass_whole(sandbox: Sandbox) -> None:
    data = os.urandom(5_000_000)
    assert sandbox.call(bytes, data) == data
