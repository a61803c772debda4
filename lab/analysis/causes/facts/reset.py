"""A RST, and what stood at both ends of its connection."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.step_facts import StepFacts
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import Segment
from lab.frozen import frozen
from lab.model.event import EventId, frame_id

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.tcp.conversation import TcpConversation

FIN, RST = int(TcpFlags.FIN), int(TcpFlags.RST)
FAILS = ("ECONNRESET", "EPIPE", "ECONNREFUSED")


class SideSegments:
    """A connection's segments by their senders and flags, in order of time.

    A connection may have a thousand RSTs, as one that goes on sending to a program that has ended:
    going through all of its segments for each would take longer than all else together.
    """

    def __init__(self, segments: tuple[Segment, ...]) -> None:
        self._of: defaultdict[tuple[bool, int], list[Segment]] = defaultdict(list)
        for each in segments:
            self._of[each.from_client, 0].append(each)
            for flag in (FIN, RST):
                if int(each.flags) & flag:
                    self._of[each.from_client, flag].append(each)

    def before(self, crossing: int, *, from_client: bool, flag: int = 0) -> FirstSegments:
        """What a side sent before that one, or of it what has that flag, FIN or RST."""
        found = self._of[from_client, flag]
        return FirstSegments(found, bisect_left(found, crossing, key=lambda each: each.crossing))


class FirstSegments:
    """The first ones of a list of segments, of which none is copied."""

    def __init__(self, segments: list[Segment], count: int) -> None:
        self._segments = segments
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Segment]:
        return islice(self._segments, self._count)

    @property
    def first(self) -> Segment:
        """The first of them, where there are any."""
        return self._segments[0]

    @property
    def last(self) -> Segment:
        """The last of them, where there are any."""
        return self._segments[self._count - 1]


@frozen
class Reset:
    """A RST and what stood at both ends of its connection."""

    facts: StepFacts
    talk: TcpConversation
    past: SideSegments
    """The connection's."""
    rst: Segment
    host: str
    """Whose kernel sent it."""
    own: Endpoint | None
    """The socket of its sender, where it is a traced program's."""
    peer: Endpoint | None

    @property
    def id(self) -> EventId:
        """The frame's."""
        return frame_id(self.rst.crossing)

    @property
    def left_ns(self) -> int:
        """When it left."""
        return self.facts.departure_ns(self.rst)

    @property
    def own_before(self) -> FirstSegments:
        """What its sender had sent before it."""
        return self.past.before(self.rst.crossing, from_client=self.rst.from_client)

    @property
    def other_before(self) -> FirstSegments:
        """What the other side had."""
        return self.past.before(self.rst.crossing, from_client=not self.rst.from_client)

    def own_with(self, flag: int) -> FirstSegments:
        """What its sender had sent before it with that flag, FIN or RST."""
        return self.past.before(self.rst.crossing, from_client=self.rst.from_client, flag=flag)

    @property
    def failed(self) -> SystemCall | None:
        """The call of the other side that fails for it."""
        return self.facts.failed_by(self.peer, self.facts.arrival_ns(self.rst), *FAILS)

    def and_so(self) -> str:
        """What the other side's program learns: "; client#5 (recvfrom) fails with ECONNRESET"."""
        failed = self.failed
        return "" if failed is None else f"; {self.facts.failing(failed)}"
