"""Datagrams that were too long to be sent; and what is near to that."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trace_edits as t
from failed_call import LATE_NS, TCP, attempted, found, sockaddr

from lab.records import Memory, Recording

EMSGSIZE = 90
DGRAM = 2


def sending(length: int, domain: int = 2) -> Recording:
    address = "198.51.100.2" if domain == 2 else "2001:db8::2"
    memory = sockaddr(address, 80, argument=4)
    arguments = (90, 1, length, 0, 1, memory.length)
    return attempted("sendto", EMSGSIZE, arguments, memory, kind=(domain, DGRAM, 0))


@pytest.mark.parametrize(
    ("domain", "length", "is_met"),
    [(2, 65_508, True), (2, 65_507, False), (10, 65_528, True), (10, 65_527, False)],
)
def test_a_datagram_has_a_greatest_length(domain: int, length: int, is_met: bool) -> None:
    causes = found(sending(length, domain))
    assert ("datagram-too-long" in causes) is is_met


def with_mtu(run: Recording, mtu_bytes: int | None) -> Recording:
    return replace(
        run, interfaces=tuple(replace(each, mtu_bytes=mtu_bytes) for each in run.interfaces)
    )


def forbidding(run: Recording) -> Recording:
    """It had set IP_MTU_DISCOVER to IP_PMTUDISC_DO."""
    made = t.call_of(run, "client", "sendto", -1)
    option = replace(
        made, name="setsockopt", arguments=(90, 0, 10, 1, 4),
        memory=(Memory(3, "", False, b"\2\0\0\0", 4),), entry_ns=LATE_NS + 1, exit_ns=LATE_NS + 2,
        result=0,
    )  # fmt: skip
    return t.with_calls(run, [*run.trace.syscalls, option])


def test_the_mtu_of_the_interface_is_named_with_what_forbids_to_cut() -> None:
    cause = found(with_mtu(forbidding(sending(1473)), 1500))["packet-too-big"]
    assert "has 1501 bytes, the interface eth0 of client takes 1500, and client#" in cause.text
    assert cause.text.endswith("At most 1472 bytes go so.")


@pytest.mark.parametrize(
    "run",
    [
        with_mtu(sending(1473), 1500),
        with_mtu(forbidding(sending(1472)), 1500),
        with_mtu(forbidding(sending(1473)), None),
        TCP,
    ],
    ids=["not forbidden", "short enough", "not known", "no datagram"],
)
def test_what_is_not_known_is_left_out(run: Recording) -> None:
    assert "packet-too-big" not in found(run)
