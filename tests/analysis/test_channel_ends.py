"""Who had the socket at an end that no call of a traced program's was joined with."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import step_edits as s
import traced_runs as t
from event_ids import event

from lab.analysis.assembly import build_timelines
from lab.analysis.channel_ends import ChannelEnd, EndKind, channel_ends
from lab.analysis.sockets.endpoint import Endpoint
from lab.analysis.timeline import Timeline
from lab.model.address import SocketAddress

SERVER = SocketAddress(ip_address("198.51.100.2"), 4343)
"""Where the datagrams of the step went."""


def refused() -> Timeline:
    """A datagram to a port without a socket, and the ICMP error about it."""
    timelines = build_timelines(s.recording_of("traced-udp4"))
    return next(each for each in timelines if each.step == "nobody")


def receiver(timeline: Timeline, *more: Endpoint) -> ChannelEnd:
    timeline = replace(timeline, endpoints=(*timeline.endpoints, *more))
    return channel_ends(timeline.correlation.channels[0], timeline)[1]


def socket_at(host: str, address: SocketAddress | None, **facts: object) -> Endpoint:
    found = replace(t.endpoint("s9", host), protocol="udp", type="SOCK_DGRAM", local=address)
    return replace(found, **facts)  # type: ignore[arg-type]


def test_a_sender_whose_calls_were_joined_is_its_program() -> None:
    timeline = refused()
    sender, _ = channel_ends(timeline.correlation.channels[0], timeline)
    assert sender == ChannelEnd(EndKind.SOCKET, "asker")


def test_nobody_was_there_where_an_icmp_error_says_so() -> None:
    timeline = refused()
    assert receiver(timeline).kind is EndKind.REFUSED
    flows = tuple(replace(flow, errors=()) for flow in timeline.flows)
    assert receiver(replace(timeline, flows=flows)).kind is EndKind.SILENT


def test_who_answered_was_there() -> None:
    timeline = refused()
    (first, *others) = timeline.flows
    answered = replace(first, a=first.b, b=first.a, errors=())
    (channel, *_) = timeline.correlation.channels
    asker = replace(timeline.endpoints[0], local=first.b)
    timeline = replace(
        timeline, flows=(answered, *others), endpoints=(asker, *timeline.endpoints[1:])
    )
    assert channel_ends(channel, timeline)[1].kind is EndKind.UNTRACED


def test_a_traced_socket_that_takes_it_has_it_unread() -> None:
    anywhere = SocketAddress(ip_address("0.0.0.0"), 4343)
    for address in (SERVER, anywhere):
        found = receiver(refused(), socket_at("server", address))
        assert found == ChannelEnd(EndKind.UNREAD, "server")
    elsewhere = replace(SERVER, port=1)
    for other in (
        socket_at("server", elsewhere),
        socket_at("client", anywhere),
        socket_at("server", None),
        socket_at("server", anywhere, protocol="tcp"),
    ):
        assert receiver(refused(), other).kind is EndKind.REFUSED


def test_a_raw_socket_may_be_an_end_of_anything() -> None:
    raw = socket_at("server", None, type="SOCK_RAW", protocol="17")
    assert receiver(refused(), raw) == ChannelEnd(EndKind.RAW_SOCKET, "server")


def test_what_nobody_accepted_waits_in_its_listeners_queue() -> None:
    timeline = t.talk()
    (flow,) = timeline.flows
    listener = t.endpoint("s1", "server", listening=True)
    client = replace(t.endpoint("s2", "client", flow="tcp 0"), local=flow.a)
    channel = t.channel("s2", "", 7, read=0)
    waiting = replace(timeline, endpoints=(replace(listener, local=flow.b), client))
    assert channel_ends(channel, waiting)[1] == ChannelEnd(EndKind.ACCEPT_QUEUE, "server")
    elsewhere = replace(flow.b, port=1)
    stranger = replace(timeline, endpoints=(replace(listener, local=elsewhere), client))
    assert channel_ends(channel, stranger)[1] == ChannelEnd(EndKind.UNTRACED)


def test_an_end_whose_calls_are_not_counted_may_be_anybodys() -> None:
    timeline = refused()
    (channel, *_) = timeline.correlation.channels
    channel = replace(channel, uncounted=event("asker#1"))
    assert channel_ends(channel, timeline)[1].kind is EndKind.UNKNOWN


def test_nobody_was_there_where_nothing_reached_a_wire() -> None:
    timeline = refused()
    channel = replace(timeline.correlation.channels[0], flow=None, carried=0, receiver="")
    assert channel_ends(channel, timeline)[1].kind is EndKind.NOWHERE
