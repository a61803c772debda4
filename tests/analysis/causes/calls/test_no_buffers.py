"""Which room a call that fails with ENOBUFS had not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trace_edits as t
from failed_call import LATE_NS, STEP, TCP, attempted, found, sockaddr

from lab.records import CountersSeen, DropNotice, InstrumentKind, Memory, Recording, SysctlSet

ENOBUFS = 105
DGRAM, AF_PACKET, AF_UNIX, AF_NETLINK = 2, 17, 1, 16
TO = sockaddr("198.51.100.2", 80, argument=4)
SAID = b"not to leave"


def sending(domain: int = 2, *, asked: int | None = 1) -> Recording:
    """A send of a datagram that fails; on a socket that asked for errors, or did not."""
    run = attempted(
        "sendto", ENOBUFS, (90, 1, len(SAID), 0, 1, TO.length), TO, kind=(domain, DGRAM, 0)
    )
    made = t.call_of(run, "client", "sendto", -1)
    calls = [each for each in run.trace.syscalls if each is not made] + [
        replace(made, entry_ns=LATE_NS + 20, exit_ns=LATE_NS + 30)
    ]
    if asked is not None:
        option = replace(
            made, name="setsockopt", arguments=(90, 0, 11, 1, 4),
            memory=(Memory(3, "", False, bytes([asked, 0, 0, 0]), 4),),
            entry_ns=LATE_NS + 10, exit_ns=LATE_NS + 11, result=0,
        )  # fmt: skip
        calls.append(option)
    return t.with_calls(run, calls)


def dropping(
    run: Recording, reason: str = "QDISC_DROP", *, at_ns: int = LATE_NS + 25, host: str = "client",
    packet: bytes = bytes(28) + SAID,
) -> Recording:  # fmt: skip
    notice = DropNotice(at_ns, reason, "", None, len(packet), STEP, host, packet)
    return replace(run, trace=replace(run.trace, drops=(*run.trace.drops, notice)))


def test_the_queue_that_threw_it_away_is_named_with_who_asked_for_errors() -> None:
    cause = found(dropping(sending()))["device-queue-full"]
    assert "had no room, and the kernel threw the packet away (QDISC_DROP)" in cause.text
    assert "asked for errors (IP_RECVERR)" in cause.text
    assert len(cause.evidence) == 2
    assert cause.is_certain


def test_a_packet_socket_needs_not_ask() -> None:
    cause = found(dropping(sending(AF_PACKET, asked=None)))["device-queue-full"]
    assert "IP_RECVERR" not in cause.text


@pytest.mark.parametrize(
    "run",
    [
        sending(),
        dropping(sending(asked=None)),
        dropping(sending(asked=0)),
        dropping(sending(), "NETFILTER_DROP"),
        dropping(sending(), at_ns=LATE_NS),
        dropping(sending(), host="server"),
        dropping(sending(), packet=bytes(28) + b"another's"),
        TCP,
    ],
    ids=[
        *("no drop", "not asked", "asked not to", "another reason", "earlier", "elsewhere"),
        *("another's", "no datagram"),
    ],
)
def test_without_the_kernels_word_no_queue_is_named(run: Recording) -> None:
    assert "device-queue-full" not in found(run)


def test_where_the_kernel_says_nothing_of_drops_it_is_only_likely() -> None:
    run = sending()
    counted = {"UdpSndbufErrors": 1}
    run = replace(
        run,
        counters=(CountersSeen("client", counted, STEP),),
        counter_names=tuple(counted),
    )
    assert "device-queue-full" not in found(run)
    kept = [each for each in run.instruments if each.kind is not InstrumentKind.DROPS]
    run = replace(run, instruments=tuple(kept))
    assert not found(run)["device-queue-full"].is_certain
    # In fragments it may have been the socket's own room.
    send = t.call_of(run, "client", "sendto", -1)
    long = replace(send, arguments=(*send.arguments[:2], 20_000, *send.arguments[3:]))
    calls = [long if each is send else each for each in run.trace.syscalls]
    assert "device-queue-full" not in found(t.with_calls(run, calls))


def with_control(length: int) -> Recording:
    message = Memory(1, "control", False, bytes(16), length)
    return attempted("sendmsg", ENOBUFS, (90, 1, 0), message, kind=(AF_UNIX, DGRAM, 0))


def limited(run: Recording, name: str, value: str) -> Recording:
    return replace(run, sysctls=(*run.sysctls, SysctlSet("client", name, value, None, value)))


def test_more_control_messages_than_a_socket_may_have() -> None:
    cause = found(with_control(131_088))["control-too-long"]
    assert "131088 bytes of control messages, and net.core.optmem_max lets" in cause.text
    assert not cause.is_certain
    cause = found(limited(with_control(4_000), "net.core.optmem_max", "2000"))["control-too-long"]
    assert "net.core.optmem_max of 2000 bytes" in cause.text
    assert cause.is_certain


def test_few_control_messages_are_not_it() -> None:
    assert "control-too-long" not in found(with_control(2_000))
    run = limited(with_control(131_088), "net.core.optmem_max", "200000")
    assert "control-too-long" not in found(run)


def joining(joined: int, left: int = 0) -> Recording:
    """One more group is joined in vain, after some were joined and left."""
    group = Memory(3, "", False, bytes([239, 1, 2, 3, 198, 51, 100, 1]), 8)
    run = attempted(
        "setsockopt", ENOBUFS, (90, 0, 35, 1, 8), group, kind=(2, DGRAM, 0),
        before=("setsockopt",) * joined,
    )  # fmt: skip
    last = t.call_of(run, "client", "setsockopt", -1)
    leaves = [
        replace(last, arguments=(90, 0, 36, 1, 8), entry_ns=last.entry_ns - 1, result=0)
        for _ in range(left)
    ]
    return t.with_calls(run, [*run.trace.syscalls, *leaves])


def test_one_group_more_than_a_socket_may_join() -> None:
    cause = found(joining(20))["too-many-groups"]
    assert "the socket has joined 20 groups" in cause.text
    assert "too-many-groups" in found(limited(joining(3), "net.ipv4.igmp_max_memberships", "3"))


@pytest.mark.parametrize("run", [joining(19), joining(20, left=1), joining(0)])
def test_fewer_groups_are_not_it(run: Recording) -> None:
    assert "too-many-groups" not in found(run)


@pytest.mark.parametrize(("domain", "is_met"), [(AF_NETLINK, True), (2, False)])
def test_what_a_netlink_socket_had_no_room_for_is_lost(domain: int, is_met: bool) -> None:
    run = attempted("recvfrom", ENOBUFS, (90, 1, 100, 0, 0, 0), kind=(domain, DGRAM, 0))
    assert ("netlink-overrun" in found(run)) is is_met
