"""How a connect(2) failed that could not be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.constants import error_name
from lab.analysis.calls.options import SO_ERROR
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.facts.step_facts import StepFacts
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Segment

_FAILS = frozenset({"EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ECONNREFUSED"})


@frozen
class Failed:
    """The call by which a program learns that its connect(2) failed."""

    call: SystemCall
    error: str

    def __str__(self) -> str:
        how = "returns" if self.call.name == "getsockopt" else "fails with"
        return f"{self.call.id} ({self.call.name}) {how} {self.error}"


def connect_failed(facts: StepFacts, socket: str, after_ns: int) -> Failed | None:
    """The first such call on a socket after a time; of a non-blocking one getsockopt(SO_ERROR)."""
    for call in facts.evidence.calls.on(socket):
        if call.exit_ns is None or call.exit_ns < after_ns:
            continue
        if call.error in _FAILS:
            return Failed(call, call.error)
        if call.name == "getsockopt" and call.option == SO_ERROR and call.option_value:
            return Failed(call, error_name(call.option_value))
    return None


def client_failed(facts: StepFacts, talk: TcpConversation, syn: Segment) -> Failed | None:
    """How the program whose SYN it was learns that its connection will not be."""
    client = facts.side(talk, True)
    return connect_failed(facts, client.id, facts.departure_ns(syn)) if client else None
