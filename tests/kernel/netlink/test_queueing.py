"""What queueing disciplines count, of values and of a real one."""

from __future__ import annotations

from dataclasses import replace

import inside
import pytest

from lab.kernel.netlink.queueing import INGRESS, ROOT, Discipline, QueueCounts, counted
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.topology import two_hosts

TBF = Discipline(2, "tbf", 0x10000, ROOT, drops=3, overlimits=5, requeues=1)


def of(*disciplines: Discipline, interface: str = "eth0") -> list[QueueCounts]:
    return [QueueCounts(interface, disciplines)]


def test_what_changed_is_by_interface() -> None:
    after = replace(TBF, drops=10, overlimits=5)
    assert counted(of(TBF), of(after)) == {
        "eth0:qdisc_drops": 7,
        "eth0:qdisc_overlimits": 0,
        "eth0:qdisc_requeues": 0,
    }
    assert counted(of(TBF), []) == {}


@pytest.mark.parametrize(
    "before",
    [
        [],
        of(replace(TBF, kind="netem")),
        of(replace(TBF, handle=0x20000)),
        of(replace(TBF, drops=9)),  # one of the same kind and handle in its place
        of(replace(TBF, drops=2), interface="eth1"),
    ],
)
def test_a_new_one_counts_from_nothing(before: list[QueueCounts]) -> None:
    assert counted(before, of(TBF))["eth0:qdisc_drops"] == 3


def test_what_comes_is_counted_apart() -> None:
    ingress = Discipline(2, "ingress", 0xFFFF0000, INGRESS, drops=4)
    assert counted([], of(TBF, ingress))["eth0:ingress_drops"] == 4
    assert counted([], of(ingress)) == {"eth0:ingress_drops": 4}


@pytest.mark.kernel
def test_what_a_full_queue_throws_away_is_counted(sandbox: Sandbox) -> None:
    found = sandbox.call(inside.counted_of_a_full_queue, two_hosts())
    if found is None:
        pytest.skip("this kernel has no tbf (CONFIG_NET_SCH_TBF)")
    counts, sent, came = found
    assert counts["client"]["eth0:qdisc_drops"] == sent - came > 0
    assert counts["client"]["eth0:qdisc_overlimits"] > 0
    assert not any("qdisc" in name for name in counts["server"])
