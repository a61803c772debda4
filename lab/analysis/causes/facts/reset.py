"""A RST, and what stood at both ends of its connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.causes.facts.step_facts import StepFacts
from lab.analysis.tcp.segment import Segment
from lab.frozen import frozen
from lab.model.event import EventId, frame_id

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.tcp.conversation import TcpConversation

FAILS = ("ECONNRESET", "EPIPE", "ECONNREFUSED")


@frozen
class Reset:
    """A RST and what stood at both ends of its connection."""

    facts: StepFacts
    talk: TcpConversation
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
    def before(self) -> list[Segment]:
        """The connection's segments before it."""
        return [each for each in self.talk.segments if each.crossing < self.rst.crossing]

    @property
    def failed(self) -> SystemCall | None:
        """The call of the other side that fails for it."""
        return self.facts.failed_by(self.peer, self.facts.arrival_ns(self.rst), *FAILS)

    def and_so(self) -> str:
        """What the other side's program learns: "; client#5 (recvfrom) fails with ECONNRESET"."""
        failed = self.failed
        return "" if failed is None else f"; {self.facts.failing(failed)}"
