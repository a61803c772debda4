"""What calls did at the ends of a way; the other checks are tested in test_ad_hoc.py."""

from __future__ import annotations

from dataclasses import replace

import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.correlate.correlation import Channel
from lab.analysis.tcp.conversation import Teardown
from lab.analysis.timeline import Timeline
from lab.checks.ad_hoc_calls import moves_each_byte_of_datagrams, moves_each_byte_of_streams
from lab.model.claim import Outcome
from lab.model.event import frame_id


def traced_udp() -> Timeline:
    return next(
        each
        for each in build_timelines(s.recording_of("traced-udp4"))
        if any(flow.protocol == "udp" for flow in each.flows)
    )


def with_first_channel(timeline: Timeline, channel: Channel) -> Timeline:
    channels = (channel, *timeline.correlation.channels[1:])
    return replace(timeline, correlation=replace(timeline.correlation, channels=channels))


def read_twice(timeline: Timeline, *, by_another: bool) -> Timeline:
    """Each datagram of the first channel read twice; the second time by another socket."""
    first = timeline.correlation.channels[0]
    calls = {call.id: call for call in timeline.system_calls}
    copies = {
        part.call: replace(calls[part.call], id=replace(part.call, number=900 + place))
        for place, part in enumerate(first.read_parts)
    }
    again = [replace(part, call=copies[part.call].id) for part in first.read_parts]
    more = [replace(c, socket="s99") if by_another else c for c in copies.values()]
    channel = replace(first, read=2 * first.read, read_parts=(*first.read_parts, *again))
    whole = replace(timeline, system_calls=(*timeline.system_calls, *more))
    return with_first_channel(whole, channel)


def test_each_member_of_a_multicast_group_reads_all_of_it() -> None:
    timeline = traced_udp()
    assert timeline.correlation.channels[0].read_parts
    by_two = read_twice(timeline, by_another=True)
    assert moves_each_byte_of_datagrams(by_two).outcome is Outcome.HOLDS
    by_one = read_twice(timeline, by_another=False)
    # The wire contradicts the tracer, and what the reader printed does as well.
    assert moves_each_byte_of_datagrams(by_one).outcome is Outcome.UNDECIDED


def with_first(**counts: object) -> Timeline:
    """The first channel, whose sender and receiver are known, with other counts."""
    timeline = traced_udp()
    channel = timeline.correlation.channels[0]
    assert channel.sender and channel.receiver and channel.sent == channel.carried
    return with_first_channel(timeline, replace(channel, **counts))  # type: ignore[arg-type]


def test_a_datagram_that_never_reached_the_wire_is_named() -> None:
    channel = traced_udp().correlation.channels[0]
    absent = replace(channel.parts[0], segments=(), reads=())
    timeline = with_first(sent=channel.sent + 1, parts=(*channel.parts, absent))
    verdict = moves_each_byte_of_datagrams(timeline)
    assert verdict.outcome is Outcome.HOLDS
    assert f"{absent.call} never reached the wire" in verdict.why


def test_a_datagram_that_is_missing_makes_up_for_none_that_no_call_sent() -> None:
    timeline = traced_udp()
    channel, frame = timeline.correlation.channels[0], timeline.flows[0].crossings[0].id
    verdict = moves_each_byte_of_datagrams(with_first(sent=channel.sent + 1, unsent=(frame,)))
    assert verdict.outcome is Outcome.UNDECIDED
    assert f"{frame} is none of those that calls sent" in verdict.why
    # UDP_CORK: several sends, one datagram, and not a byte between them.
    whole = moves_each_byte_of_datagrams(with_first(unsent=(frame,)))
    assert whole.outcome is Outcome.HOLDS


def test_a_datagram_that_was_not_read_makes_up_for_none_that_none_brought() -> None:
    channel = traced_udp().correlation.channels[0]
    stray = channel.read_parts[0].call
    verdict = moves_each_byte_of_datagrams(with_first(read=channel.read - 1, unbrought=(stray,)))
    assert verdict.outcome is Outcome.UNDECIDED
    assert f"no datagram brought what {stray} read" in verdict.why


def traced_tcp(*, sent_more: int, closed: bool, reset: bool) -> Timeline:
    """A connection on whose way from the client calls sent more than is on the wire."""
    timeline = next(each for each in build_timelines(s.recording_of("traced-tcp4")) if each.opened)
    (talk,) = timeline.conversations
    stream = talk.client_to_server
    talk = replace(
        talk,
        client_to_server=stream if closed else replace(stream, fin_acked=None),
        teardown=Teardown.RESET if reset else Teardown.HALF_CLOSED,
        resets=(talk.segments[-1].crossing,) if reset else (),
    )
    channels = tuple(
        replace(each, sent=each.sent + sent_more)
        if timeline.endpoint_of[each.sender].program == "client"
        else each
        for each in timeline.correlation.channels
    )
    correlation = replace(timeline.correlation, channels=channels)
    return replace(timeline, conversations=(talk,), correlation=correlation)


def test_bytes_that_are_not_on_the_wire_though_all_was_acknowledged_are_lost() -> None:
    # The programs printed what was traced: two witnesses against the wire.
    verdict = moves_each_byte_of_streams(traced_tcp(sent_more=1, closed=True, reset=False))
    assert verdict.outcome is Outcome.BROKEN


def test_what_became_of_bytes_that_never_left_is_unknown_without_a_reset() -> None:
    verdict = moves_each_byte_of_streams(traced_tcp(sent_more=1, closed=False, reset=False))
    assert verdict.outcome is Outcome.UNDECIDED
    assert "what became of the rest is unknown" in verdict.why
    whole = moves_each_byte_of_streams(traced_tcp(sent_more=0, closed=False, reset=False))
    assert whole.outcome is Outcome.HOLDS


def test_a_reset_throws_away_what_had_not_left() -> None:
    timeline = traced_tcp(sent_more=1, closed=False, reset=True)
    verdict = moves_each_byte_of_streams(timeline)
    assert verdict.outcome is Outcome.HOLDS
    assert "1 byte went with the RST" in verdict.why
    assert frame_id(timeline.conversations[0].resets[0]) in verdict.evidence
