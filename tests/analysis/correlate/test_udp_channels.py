from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import step_edits as s
from event_ids import event
from shown import address, flow_id
from system_calls import decoded

from lab.analysis.assembly import build_timelines
from lab.analysis.calls.system_call import SystemCall
from lab.analysis.correlate.correlation import Channel
from lab.analysis.correlate.udp_channels import udp_channels
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import Flow
from lab.analysis.sockets.endpoint import Endpoint
from lab.analysis.sockets.socket_calls import SocketCalls


@cache
def flow() -> Flow:
    """The flow of the recorded conversation: the client begins, the server answers."""
    (found,) = build_timelines(s.recording_of("udp4"))[0].flows
    return found


def endpoint(id: str, host: str, local: str, remote: str = "") -> Endpoint:
    return Endpoint(
        id=id, program=host, host=host, domain="AF_INET", type="SOCK_DGRAM", protocol="udp",
        local=address(local), remote=address(remote), listening=False, made_by=event(f"{host}#1")
    )  # fmt: skip


def from_client() -> list[Crossing]:
    return [each for each in flow().crossings if each.sender == "client"]


def send(number: int, crossing: Crossing, **more: Any) -> SystemCall:
    left = crossing.sent_ns or 0
    data = crossing.packet.payload
    return decoded(
        number, "sendto", (left - 9, left + 9), moved=len(data), data=data, **more
    )  # fmt: skip


def read(number: int, crossing: Crossing, socket: str = "s2", room: int = 2048) -> SystemCall:
    came = crossing.received_ns or 0
    data = crossing.packet.payload[:room]
    return decoded(
        number, "recvfrom", (came - 9, came + 9), socket=socket, program="server",
        moved=len(data), data=data, arguments={"len": str(room)},
    )  # fmt: skip


def channels(*calls: SystemCall, local: str = "", remote: str = "") -> list[Channel]:
    ends = [
        endpoint("s1", "client", local or str(flow().a), remote or str(flow().b)),
        endpoint("s2", "server", f"0.0.0.0:{flow().b.port}"),
    ]
    return list(udp_channels([flow()], ends, SocketCalls(calls)))


def test_each_datagram_is_joined_with_its_send_and_its_read() -> None:
    sent = from_client()
    calls = [send(at, crossing) for at, crossing in enumerate(sent, 1)]
    calls += [read(at, crossing) for at, crossing in enumerate(sent, 1)]
    (channel,) = channels(*calls)
    assert (channel.sender, channel.receiver, channel.flow) == ("s1", "s2", flow_id("udp 0"))
    assert [(part.call, part.segments, part.reads) for part in channel.parts] == [
        (event(f"client#{at}"), (crossing.id,), (event(f"server#{at}"),))
        for at, crossing in enumerate(sent, 1)
    ]
    assert channel.sent == channel.carried == channel.read
    assert channel.counts == f"{len(sent)} sends → {len(sent)} datagrams → {len(sent)} reads"


def test_a_send_of_which_nothing_left_is_joined_with_no_datagram() -> None:
    (first, *_) = from_client()
    never = decoded(2, "sendto", (1, 2), moved=5, data=b"never")
    found = channels(send(1, first), never)
    assert sorted(part.segments for each in found for part in each.parts) == [
        (), (first.id,)
    ]  # fmt: skip


def test_a_read_with_too_little_room_returned_the_beginning() -> None:
    (first, *_) = from_client()
    (channel,) = channels(send(1, first), read(1, first, room=3))
    assert channel.parts[0].reads == (event("server#1"),)
    assert channel.read_parts[0].end == 3


def test_where_a_send_went_decides() -> None:
    (first, *_) = from_client()
    elsewhere = send(1, first, arguments={"dest_addr": "198.51.100.9:1"})
    (channel,) = channels(elsewhere)
    assert channel.parts[0].segments == ()
    there = send(1, first, arguments={"dest_addr": str(flow().b)})
    assert channels(there, remote="198.51.100.9:1")[0].parts[0].segments == (first.id,)


def test_another_port_sent_something_else() -> None:
    (first, *_) = from_client()
    (channel,) = channels(send(1, first), local="198.51.100.1:1")
    assert channel.parts[0].segments == ()


def test_what_no_traced_program_had_a_part_in_has_no_channel() -> None:
    assert channels() == []
    assert list(udp_channels([flow()], [], SocketCalls(()))) == []


def several(name: str, socket: str, program: str, time_ns: int = 1) -> SystemCall:
    """sendmmsg(2) or recvmmsg(2), of which no bytes are recorded."""
    return decoded(9, name, (time_ns, time_ns + 1), socket=socket, program=program, result=3)


def test_datagrams_whose_lengths_were_read_are_joined_one_by_one() -> None:
    sent = from_client()
    lengths = tuple(len(each.packet.payload) for each in sent)
    last_ns = max(each.received_ns or 0 for each in sent)
    forth = replace(several("sendmmsg", "s1", "client"), lengths=lengths)
    back = replace(several("recvmmsg", "s2", "server", last_ns + 1), lengths=lengths)
    (channel,) = channels(forth, back)
    assert (channel.sent, channel.carried, channel.read) == (sum(lengths),) * 3
    assert channel.uncounted is None
    assert [part.call for part in channel.parts] == [forth.id] * len(sent)
    assert [part.segments for part in channel.parts] == [(each.id,) for each in sent]
    assert [part.reads for part in channel.parts] == [(back.id,)] * len(sent)


def test_datagrams_that_were_sent_at_once_have_their_sender_and_are_not_counted() -> None:
    sent = from_client()
    reads = [read(at, crossing) for at, crossing in enumerate(sent, 1)]
    (channel,) = channels(several("sendmmsg", "s1", "client"), *reads)
    assert (channel.sender, channel.receiver, channel.flow) == ("s1", "s2", flow_id("udp 0"))
    assert (channel.uncounted, channel.parts, channel.read_parts) == (event("client#9"), (), ())


def test_datagrams_that_were_read_at_once_have_their_reader_and_are_not_counted() -> None:
    sends = [send(at, crossing) for at, crossing in enumerate(from_client(), 1)]
    (channel,) = channels(*sends, several("recvmmsg", "s2", "server"))
    assert (channel.sender, channel.receiver, channel.uncounted) == ("s1", "s2", event("server#9"))


def test_one_call_for_several_datagrams_leaves_none_of_its_sockets_sends_certain() -> None:
    (first, *_) = from_client()
    (channel,) = channels(send(1, first), several("sendmmsg", "s1", "client"))
    assert (channel.uncounted, channel.parts) == (event("client#9"), ())


def test_datagrams_that_left_before_the_call_are_not_its() -> None:
    last_ns = max(each.sent_ns or 0 for each in from_client())
    late = several("sendmmsg", "s1", "client", last_ns + 1)
    (channel,) = channels(late, read(1, from_client()[0]))
    assert (channel.sender, channel.uncounted) == ("", None)


def test_another_ports_call_for_several_datagrams_changes_nothing() -> None:
    (first, *_) = from_client()
    other = several("sendmmsg", "s1", "client")
    assert [c.uncounted for c in channels(other, read(1, first), local="198.51.100.1:1")] == [None]


def test_of_two_sockets_that_may_have_sent_neither_is_named() -> None:
    ends = [endpoint("s1", "client", ""), endpoint("s3", "client", "")]
    ends.append(endpoint("s2", "server", f"0.0.0.0:{flow().b.port}"))
    calls = [several("sendmmsg", id, "client") for id in ("s1", "s3")]
    calls.append(read(1, from_client()[0]))
    (channel,) = udp_channels([flow()], ends, SocketCalls(calls))
    assert (channel.sender, channel.uncounted) == ("", event("client#9"))
