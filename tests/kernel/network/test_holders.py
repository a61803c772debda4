"""Who has a socket open, of real processes."""

from __future__ import annotations

import inside_held
import pytest

from lab.kernel.sandbox.sandbox import Sandbox

pytestmark = pytest.mark.kernel


def test_a_socket_is_open_in_each_process_that_has_not_closed_it(sandbox: Sandbox) -> None:
    two, one, gone = sandbox.call(inside_held.holders_of_a_socket)
    assert (len(two), len(one), gone) == (2, 1, [])
