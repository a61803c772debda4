"""One frame's way over one link, seen at its ends."""

from __future__ import annotations

from lab.analysis.packets.packet import Packet
from lab.frozen import frozen
from lab.model.event import EventId, frame_id


@frozen
class Crossing:
    """One frame's way over one link.

    Where a single point saw it and the direction is unknown (a foreign capture), both
    times are that point's. `sent_ns` is None where no point saw it leave, `received_ns`
    None where none saw it arrive: with two live points it was lost.
    """

    number: int
    """From 1, in order of time."""
    packet: Packet
    sender: str
    """The host it left; "" where unknown."""
    receiver: str
    """The host at the link's other end; "" where unknown."""
    sent_ns: int | None
    received_ns: int | None

    @property
    def id(self) -> EventId:
        """What evidence and reports name it by."""
        return frame_id(self.number)

    @property
    def time_ns(self) -> int:
        """When it was first seen."""
        time_ns = self.sent_ns if self.sent_ns is not None else self.received_ns
        assert time_ns is not None, "a crossing is made from at least one frame"
        return time_ns

    @property
    def lost(self) -> bool:
        """Whether it was seen leaving and not arriving."""
        return self.received_ns is None
