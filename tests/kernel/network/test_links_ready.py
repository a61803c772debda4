from __future__ import annotations

import inside
import pytest

from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.shapes import chain, star
from lab.model.topology import Topology, two_hosts

pytestmark = pytest.mark.kernel


def test_what_a_host_reports_of_itself_is_flooded_to_no_other(sandbox: Sandbox) -> None:
    received = sandbox.call(inside.received_before_a_run, star(5))
    assert received == {f"h{number}": 0 for number in range(1, 6)}


@pytest.mark.parametrize("topology", [two_hosts(), chain(3)] * 3)
def test_links_are_quiet(sandbox: Sandbox, topology: Topology) -> None:
    """More than once: what the kernel's work queues still do comes in some runs only."""
    seen = sandbox.call(inside.watch, topology, 0.3)
    ours = [frame for frame in seen if b"our own" in frame.data]
    assert len(ours) == 4 * len(topology.links)  # from both ends, at both ends
    assert [frame for frame in seen if frame not in ours] == []
