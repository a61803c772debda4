"""What calls did at one end of a datagram's way; the other checks are tested in test_ad_hoc.py."""

from __future__ import annotations

from dataclasses import replace

import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.correlate.correlation import Channel
from lab.analysis.timeline import Timeline
from lab.checks.ad_hoc_calls import moves_each_byte_of_datagrams
from lab.model.claim import Outcome


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
    assert moves_each_byte_of_datagrams(by_one).outcome is Outcome.BROKEN
