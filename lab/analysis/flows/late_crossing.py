"""Crossings whose packets are made when they are asked for, of frames that are stored."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, cast

from lab.analysis.flows.crossing import Crossing
from lab.analysis.packets.dissect import dissect
from lab.analysis.packets.packet import IPv4, Packet, Payload
from lab.analysis.plain.decode import PlainDecoder

if TYPE_CHECKING:
    from lab.records import StoredFrames

_MOST_RECENT = 1 << 12
_CUT = 255
_FIELDS = Crossing.__match_args__
_packet: Any = Crossing.__dict__["packet"]
"""The slot of every crossing, in which a late one has its LatePackets."""


class LatePackets:
    """The packets of crossings, each made of its frame when it is asked for.

    A packet as objects takes 600 bytes and its frame 200 more. Those that were asked for last are
    kept, so that what looks at a conversation again and again makes each once; and those that
    are not plain, which are few and take 30 times as long to make.
    """

    def __init__(self, frames: StoredFrames, first: int, count: int) -> None:
        """Of so many crossings, numbered from `first`."""
        self.frames = frames
        self.left = array("I", bytes(4 * count))
        """The place of each crossing's frame, as it was seen first."""
        self.arrived = array("I", bytes(4 * count))
        """And of that frame as it was seen arriving; the same where it was seen once."""
        self._first = first
        self._decode = PlainDecoder(most=_MOST_RECENT).decode
        self._right = bytearray(count)
        """How many checksums were right of each packet that is known to be plain; else 0, and _CUT
        of those that were cut behind their headers."""
        self._recent: dict[int, Packet] = {}
        self._odd: dict[int, Packet] = {}

    def place(self, number: int) -> int:
        """Where the frame of a crossing is among the frames."""
        return self.left[number - self._first]

    def rows(self, number: int) -> tuple[int, ...]:
        """The rows of the columns that a crossing's frames are in: as it left, as it arrived."""
        at = number - self._first
        return self.frames.row(self.left[at]), self.frames.row(self.arrived[at])

    def right_checksums(self, number: int) -> int:
        """How many a plain packet has; it is made once to know that. 0 of one that is not plain."""
        found = self._right[number - self._first]
        if not found and number not in self._odd:
            self.of(number)
            found = self._right[number - self._first]
        return 0 if found == _CUT else found

    def of(self, number: int) -> Packet:
        """The packet of the crossing with that number. Raises OSError."""
        found = self._recent.get(number) or self._odd.get(number)
        if found is not None:
            return found
        at = number - self._first
        frame = self.frames[self.left[at]]
        made = self._decode(frame, is_right=self._right[at] > 0)
        if made is None:
            made = self._odd[number] = dissect(frame)
            return made
        is_cut = len(frame.data) < frame.wire_bytes
        self._right[at] = _CUT if is_cut else 2 if isinstance(made.layers[1], IPv4) else 1
        if len(self._recent) >= _MOST_RECENT:
            self._recent.clear()
        self._recent[number] = made
        return made


class LateCrossing(Crossing):
    """A crossing whose packet looks plain: of TCP or UDP, no fragment, in no tunnel."""

    __slots__ = ()

    @property
    def packet(self) -> Packet:
        """As its sender sent it; made now, or lately."""
        held = _packet.__get__(self)
        return held.of(self.number) if held.__class__ is LatePackets else cast("Packet", held)

    @packet.setter
    def packet(self, packet: Packet | LatePackets) -> None:
        """To be called by its constructor; `dataclasses.replace` gives that a packet."""
        _packet.__set__(self, packet)

    @property
    def late(self) -> LatePackets | None:
        """What makes its packet; None of one that has it."""
        held = _packet.__get__(self)
        return held if held.__class__ is LatePackets else None

    @property
    def data(self) -> bytes:
        """The bytes of its frame, read now. Raises OSError."""
        late = self.late
        return self.packet.frame.data if late is None else late.frames.data(late.place(self.number))

    @property
    def right_checksums(self) -> int:
        """How many its packet has, where it is plain, as nearly all are that look so; else 0."""
        late = self.late
        return 0 if late is None else late.right_checksums(self.number)

    def kept(self, payload: Payload) -> Payload:
        """Its packet's payload, so that it can be kept without its bytes."""
        return payload if self.late is None else payload.read_from(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Crossing):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _FIELDS)

    __hash__ = Crossing.__hash__
