from __future__ import annotations

from dataclasses import replace

from event_ids import event
from shown import flow_id
from system_calls import decoded, unix
from transcript import converse

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.correlate.correlation import Channel
from lab.analysis.correlate.tcp_channels import tcp_channels
from lab.analysis.sockets.endpoint import Endpoint
from lab.analysis.sockets.socket_calls import SocketCalls

CONVERSATION = converse(
    """
    0.1 client > server SYN seq=100
    0.2 server > client SYN,ACK seq=900 ack=101
    0.3 client > server ACK seq=101 ack=901 data=hello
    0.4 server > client ACK seq=901 ack=106 data=hi
    """
)
CLIENT, SERVER = True, False
SENT = decoded(1, "sendto", (0, 1), moved=5)
READ = decoded(2, "recvfrom", (2, 3), socket="s2", moved=5)
ANSWERED = decoded(3, "sendto", (4, 5), socket="s2", moved=2)


def channels(*calls: SystemCall, **ends: Endpoint) -> list[Channel]:
    flow = CONVERSATION.flow.id
    sides = {(flow, name == "client"): endpoint for name, endpoint in ends.items()}
    return list(tcp_channels([CONVERSATION], sides, SocketCalls(calls)))


def test_both_ways_are_joined_of_two_traced_programs() -> None:
    forth, back = channels(SENT, READ, ANSWERED, client=unix("s1"), server=unix("s2"))
    assert (forth.sender, forth.receiver, back.sender, back.receiver) == ("s1", "s2", "s2", "s1")
    assert forth.counts == "1 send → 1 segment → 1 read"
    assert back.counts == "1 send → 1 segment → 0 reads"
    assert [channel.flow for channel in (forth, back)] == [flow_id("tcp 0")] * 2
    assert (forth.carried, back.carried) == (5, 2)
    assert forth.parts[0].segments == (event("f3"),)


def test_of_one_traced_program_the_other_ends_calls_are_unknown() -> None:
    forth, back = channels(SENT, client=unix("s1"))
    assert (forth.sender, forth.receiver, forth.reads) == ("s1", "", 0)
    assert (back.sender, back.receiver, back.sends, back.segments) == ("", "s1", 0, 1)


def test_a_connection_of_no_traced_program_has_no_channel() -> None:
    assert channels(SENT, READ) == []


def test_a_way_on_which_nothing_went_is_left_out() -> None:
    silent = converse("0.1 client > server SYN seq=100\n0.2 server > client SYN,ACK seq=9 ack=101")
    sides = {(silent.flow.id, CLIENT): unix("s1"), (silent.flow.id, SERVER): unix("s2")}
    assert list(tcp_channels([silent], sides, SocketCalls(()))) == []


def test_calls_on_other_sockets_are_not_the_connections() -> None:
    other = replace(SENT, socket="s7")
    (forth, _) = channels(other, client=unix("s1"), server=unix("s2"))
    assert (forth.sends, forth.parts) == (0, ())
