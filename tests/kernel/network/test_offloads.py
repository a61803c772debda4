from __future__ import annotations

import inside
import pytest

from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.topology import chain

pytestmark = pytest.mark.kernel


def test_offloads_are_off(sandbox: Sandbox) -> None:
    ours, untouched = sandbox.call(inside.offloads, chain(3))
    assert ours == {"h0/right": [], "h1/left": [], "h1/right": [], "h2/left": []}
    assert {"rx-checksumming", "tx-checksumming", "tcp-segmentation-offload"} <= set(untouched)
