from __future__ import annotations

import inside
import pytest

from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.shapes import chain

pytestmark = pytest.mark.kernel


def test_offloads_are_off(sandbox: Sandbox) -> None:
    ours, untouched = sandbox.call(inside.offloads, chain(3))
    assert ours == {"h1/eth0": [], "h2/eth0": [], "h2/eth1": [], "h3/eth0": []}
    assert {"rx-checksumming", "tx-checksumming", "tcp-segmentation-offload"} <= set(untouched)
