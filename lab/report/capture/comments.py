"""What recording.pcapng says of its packets, for readers in Wireshark."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lab.analysis.flows.bracket import ETHERNET_HEADER_BYTES
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.late_crossing import LateCrossing, LateHop
from lab.analysis.story import describe_packet, phases, roles
from lab.analysis.timeline import Timeline
from lab.model.event import frame_id
from lab.records import Recording, StoredFrames
from lab.records.stored_frames import lengths_of

_TextOf = dict[tuple[int | None, bytes], str]
"""By a frame's time and bytes."""


def frame_comments(timelines: Sequence[Timeline]) -> Mapping[int, str]:
    """Comments by index into the recording's frames: canaries, and frames with a role.

    Both sightings of a crossing get the same comment.
    """
    recording = timelines[0].recording
    frames = recording.frames
    late = _LateComments(frames) if isinstance(frames, StoredFrames) else None
    # By time too: a frame sent again may have the same bytes and another role.
    text_of: _TextOf = {}
    for timeline in timelines:
        text_of |= _role_texts(timeline, late)
    canaries = _canary_texts(recording)
    if late is not None:
        late.add(canaries, text_of)
        return late
    return {
        index: text
        for index, frame in enumerate(frames)
        if (text := canaries.get(index) or text_of.get((frame.time_ns, frame.data)))
    }


def _canary_texts(recording: Recording) -> dict[int, str]:
    text_of = {
        canary.payload: f"{canary.bracket} canary: proves that the capture is alive"
        for canary in recording.canaries
    }
    lengths = {ETHERNET_HEADER_BYTES + len(payload) for payload in text_of}
    places = [place for place, n in enumerate(lengths_of(recording.frames)) if n in lengths]
    found = {at: text_of.get(recording.frames[at].data[ETHERNET_HEADER_BYTES:]) for at in places}
    return {at: text for at, text in found.items() if text}


class _LateComments(Mapping[int, str]):
    """The comments of frames that are stored, each made when it is asked for."""

    def __init__(self, frames: StoredFrames) -> None:
        self._frames = frames
        self._index_of = frames.places_by_row()
        self._number_of = array("I", bytes(4 * len(frames)))
        """By index the crossing; 0 where it has no role."""
        self._roles: dict[int, str] = {}
        self._others: dict[int, str] = {}

    def note(self, number: int, rows: Iterable[int], role: str) -> None:
        """The role of a crossing whose frames are these, by the rows of their columns."""
        self._roles[number] = role
        for row in rows:
            self._number_of[self._index_of[row]] = number

    def add(self, canaries: Mapping[int, str], text_of: _TextOf) -> None:
        """Those of the frames that have an index, or whose time and bytes are given."""
        times_ns = {time_ns for time_ns, _ in text_of}
        columns = self._frames.columns
        for index in range(len(self._frames)):
            row = self._frames.row(index)
            if columns.times_ns[row] in times_ns:
                text = text_of.get((columns.times_ns[row], columns.data(row)))
                if text is not None:
                    self._others[index] = text
        self._others |= canaries

    def __getitem__(self, index: int) -> str:
        if index in self._others:
            return self._others[index]
        number = self._number_of[index]
        if not number:
            raise KeyError(index)
        return f"{frame_id(number)}: {self._roles[number]}"

    def __iter__(self) -> Iterator[int]:
        every = range(len(self._frames))
        return (index for index in every if self._number_of[index] or index in self._others)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _role_texts(timeline: Timeline, late: _LateComments | None) -> _TextOf:
    """The comments of one step's frames, but of those that are noted as late ones."""
    role_of = roles(timeline.conversations, timeline.crossings)
    phase_of = phases(timeline.crossings, timeline.conversations)
    text_of: _TextOf = {}
    segments = {each.number for talk in timeline.conversations for each in talk.flow.crossings}
    for crossing in timeline.crossings:
        role = role_of.get(crossing.number)
        if role is None and crossing.number not in segments and not _has_tcp(crossing):
            role = f"{phase_of[crossing.number].value}: {describe_packet(crossing.packet)}"
        if role is None:
            continue
        for each in crossing.hops or (crossing,):
            if late is not None and isinstance(each, LateCrossing | LateHop) and each.rows:
                late.note(crossing.number, each.rows, role)
                continue
            for time_ns in (each.sent_ns, each.received_ns):
                text_of[time_ns, each.packet.frame.data] = f"{crossing.id}: {role}"
    return text_of


def _has_tcp(crossing: Crossing) -> bool:
    head = crossing.head
    return crossing.packet.tcp is not None if head is None else head.ends[0] == "tcp"
