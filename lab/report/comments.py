"""What recording.pcapng says of its packets, for readers in Wireshark."""

from __future__ import annotations

from lab.analysis.story import describe_packet, phases, roles
from lab.analysis.timeline import Timeline


def frame_comments(timeline: Timeline) -> dict[int, str]:
    """Comments by index into the recording's frames: canaries, and frames with a role.

    Both sightings of a crossing get the same comment.
    """
    role_of = roles(timeline.conversations)
    phase_of = phases(timeline.crossings, timeline.conversations)
    text_of: dict[bytes, str] = {}
    for crossing in timeline.crossings:
        role = role_of.get(crossing.number)
        if role is None and crossing.packet.tcp is None:
            role = f"{phase_of[crossing.number].value}: {describe_packet(crossing.packet)}"
        if role is not None:
            text_of[crossing.packet.frame.data] = f"f{crossing.number}: {role}"
    for canary in timeline.recording.canaries:
        text_of[canary.payload] = f"{canary.bracket} canary: proves that the capture is alive"
    return {
        index: text
        for index, frame in enumerate(timeline.recording.frames)
        if (text := text_of.get(frame.data) or text_of.get(frame.data[14:]))
    }
