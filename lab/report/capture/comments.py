"""What recording.pcapng says of its packets, for readers in Wireshark."""

from __future__ import annotations

from collections.abc import Sequence

from lab.analysis.flows.bracket import ETHERNET_HEADER_BYTES
from lab.analysis.story import describe_packet, phases, roles
from lab.analysis.timeline import Timeline


def frame_comments(timelines: Sequence[Timeline]) -> dict[int, str]:
    """Comments by index into the recording's frames: canaries, and frames with a role.

    Both sightings of a crossing get the same comment.
    """
    recording = timelines[0].recording
    # By time too: a frame sent again may have the same bytes and another role.
    text_of: dict[tuple[int | None, bytes], str] = {}
    for timeline in timelines:
        text_of |= _role_texts(timeline)
    canary_text_of = {
        canary.payload: f"{canary.bracket} canary: proves that the capture is alive"
        for canary in recording.canaries
    }
    return {
        index: text
        for index, frame in enumerate(recording.frames)
        if (
            text := canary_text_of.get(frame.data[ETHERNET_HEADER_BYTES:])
            or text_of.get((frame.time_ns, frame.data))
        )
    }


def _role_texts(timeline: Timeline) -> dict[tuple[int | None, bytes], str]:
    """The comments of one step's frames, by time and bytes."""
    role_of = roles(timeline.conversations, timeline.crossings)
    phase_of = phases(timeline.crossings, timeline.conversations)
    text_of: dict[tuple[int | None, bytes], str] = {}
    for crossing in timeline.crossings:
        role = role_of.get(crossing.number)
        if role is None and crossing.packet.tcp is None:
            role = f"{phase_of[crossing.number].value}: {describe_packet(crossing.packet)}"
        if role is not None:
            for each in crossing.hops or (crossing,):
                for time_ns in (each.sent_ns, each.received_ns):
                    text_of[time_ns, each.packet.frame.data] = f"{crossing.id}: {role}"
    return text_of
