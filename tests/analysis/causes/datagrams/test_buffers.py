"""Datagrams that found their socket's receive buffer full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import step_edits as s
import trace_edits as t
from causes_found import causes_in

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.cause import Cause
from lab.records import CountersSeen, DropNotice, Recording

RUN = s.recording_of("traced-udp4")
STEP = "conversation"
(TALK,) = (each for each in build_timelines(RUN) if each.step == STEP)
UNREAD = t.unseen("server", "recvfrom")


def counting(name: str, change: int, host: str = "server") -> Recording:
    """The server read nothing, and its kernel counted so."""
    run = UNREAD(RUN)
    return replace(
        run,
        counters=(CountersSeen(host, {name: change} if change else {}, STEP),),
        counter_names=(name,),
    )


def found(run: Recording) -> Mapping[str, Cause]:
    return causes_in(run, STEP)


def test_what_the_kernel_counts_is_named_with_the_socket() -> None:
    cause = found(counting("UdpRcvbufErrors", 3))["receive-buffer-full"]
    assert "server's socket on" in cause.text
    assert "was full when 3 of 4 datagrams came: the kernel of server dropped them" in cause.text
    assert "server reads too late" in cause.text
    assert list(map(str, cause.counters)) == ["UdpRcvbufErrors +3 on server"]


@pytest.mark.parametrize(
    "run",
    [
        counting("UdpRcvbufErrors", 0),
        counting("UdpRcvbufErrors", 3, "client"),
        counting("UdpInErrors", 3),
        replace(RUN, counters=(CountersSeen("server", {"UdpRcvbufErrors": 3}, STEP),)),
    ],
    ids=["none", "another host", "another counter", "all read"],
)
def test_where_nothing_was_dropped_there_nothing_is_said(run: Recording) -> None:
    assert "receive-buffer-full" not in found(run)


def test_notices_of_the_kernel_name_the_datagrams() -> None:
    frame = next(each for each in TALK.crossings if each.packet.udp is not None)
    data = frame.arrived.frame.data[14:]
    notice = DropNotice(
        (frame.received_ns or 0) + 10, "SOCKET_RCVBUFF", "eth0", None, len(data), STEP, "server",
        data[:96],
    )  # fmt: skip
    run = UNREAD(RUN)
    run = replace(run, trace=replace(run.trace, drops=(notice,)))
    cause = found(run)["receive-buffer-full"]
    assert f"full when 1 of 4 datagrams came (the first is {frame.id})" in cause.text
    other = replace(notice, reason="NO_SOCKET")
    run = replace(run, trace=replace(run.trace, drops=(other,)))
    assert "receive-buffer-full" not in found(run)


def test_without_calls_the_port_is_named() -> None:
    run = t.untraced(counting("UdpRcvbufErrors", 3))
    text = found(run)["receive-buffer-full"].text
    assert "of the socket on 198.51.100.2:4242 was full when 3 of 4 datagrams came (f" in text
    assert "receive-buffer-full" not in found(t.untraced(counting("UdpRcvbufErrors", 0)))
