"""Where one side of a connection stood at a moment: in which call, and which bytes had gone."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import UNTAKEN

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.facts.step_facts import StepFacts
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Segment

READS = frozenset({"recvfrom", "recvmsg", "recvmmsg", "read", "readv", "preadv2"})
SENDS = frozenset({"sendto", "sendmsg", "sendmmsg", "write", "writev", "pwritev2", "sendfile"})
WAITS = frozenset(
    {"poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2"}
)
ACCEPTS = frozenset({"accept", "accept4"})
_FIN, _RST = int(TcpFlags.FIN), int(TcpFlags.RST)
_MSG_WAITALL = 0x100


class Standing:
    """One side of a connection at a moment. What happens from that moment on is not looked at."""

    def __init__(
        self, facts: StepFacts, talk: TcpConversation, is_client: bool, now_ns: int
    ) -> None:
        self.facts = facts
        self.talk = talk
        self.is_client = is_client
        self.now_ns = now_ns
        self.host = facts.host_of(talk, is_client)
        self.socket: Endpoint | None = _made_before(facts, facts.side(talk, is_client), now_ns)

    @property
    def name(self) -> str:
        """Its program's name; its host's where the socket is no traced program's."""
        return self.host if self.socket is None else self.socket.program

    @cached_property
    def calls(self) -> list[SystemCall]:
        """Those on its socket, in order."""
        if self.socket is None:
            return []
        calls = self.facts.evidence.calls.on(self.socket.id)
        return [call for call in calls if call.entry_ns < self.now_ns]

    @cached_property
    def last(self) -> SystemCall | None:
        """The last call on its socket that had returned; if none had, the one that made it."""
        done = [call for call in self.calls if not self.is_open(call)]
        if done or self.socket is None:
            return done[-1] if done else None
        return self.facts.timeline.call_of.get(self.socket.made_by)

    @cached_property
    def call(self) -> SystemCall | None:
        """The call that its program was in: on this socket, or else one that waits.

        None where the program computed, slept, or waited for something that is not traced.
        """
        on_it = [call for call in self.calls if self.is_open(call)]
        if on_it or self.socket is None:
            return on_it[-1] if on_it else None
        last, own = self.last, []
        for call in self.facts.timeline.system_calls:
            if call.program != self.name or not call.entry_ns < self.now_ns:
                continue
            if call.name in WAITS | ACCEPTS and self.is_open(call):
                own.append(call)
        # Of several threads the one that had the socket last.
        own.sort(key=lambda call: last is not None and call.tid == last.tid)
        return own[-1] if own else None

    def is_open(self, call: SystemCall) -> bool:
        """Whether a call had not returned."""
        return call.exit_ns is None or call.exit_ns >= self.now_ns

    @property
    def is_reading(self) -> bool:
        """Whether it waited for what may come: in a read, or for descriptors to be ready."""
        return self.call is not None and self.call.name in READS | WAITS

    @property
    def waits_for_all(self) -> bool:
        """Whether it was in a read that returns only when all is there that it asks for."""
        if self.call is None or self.call.name not in READS:
            return False
        return bool((self.call.number("flags") or 0) & _MSG_WAITALL)

    @property
    def is_sending(self) -> bool:
        """Whether a send had not returned."""
        return self.call is not None and self.call.name in SENDS

    @cached_property
    def segments(self) -> list[Segment]:
        """Those that it had sent."""
        return [
            each
            for each in self.talk.segments
            if each.from_client == self.is_client and self.facts.departure_ns(each) < self.now_ns
        ]

    @property
    def has_ended(self) -> bool:
        """Whether it had sent a FIN or a RST."""
        return any(int(each.flags) & (_FIN | _RST) for each in self.segments)

    @property
    def has_reset(self) -> bool:
        """Whether it had sent a RST."""
        return any(int(each.flags) & _RST for each in self.segments)

    @cached_property
    def data(self) -> list[Segment]:
        """Its segments with bytes that the other side's TCP had."""
        return [each for each in self.segments if each.length and self._has_come(each)]

    def _has_come(self, segment: Segment) -> bool:
        came_ns = self.facts.arrival_ns(segment)
        return came_ns is not None and came_ns < self.now_ns and not segment.notes & UNTAKEN

    @cached_property
    def came(self) -> int:
        """How many of its bytes the other side's TCP had."""
        return max((each.seq + each.length - 1 for each in self.data), default=0)

    @cached_property
    def sent(self) -> int:
        """How many bytes its calls had sent; of a socket that is not traced, how many had left."""
        if self.socket is None:
            sent = (each for each in self.segments if each.length)
            return max((each.seq + each.length - 1 for each in sent), default=0)
        sends = self.facts.evidence.calls.sends(self.socket.id)
        return sum(call.moved for call in sends if not self.is_open(call))

    @cached_property
    def reads(self) -> list[SystemCall]:
        """Its reads that had returned."""
        if self.socket is None:
            return []
        reads = self.facts.evidence.calls.reads(self.socket.id)
        return [call for call in reads if not self.is_open(call)]

    @property
    def read(self) -> int:
        """How many bytes those had returned."""
        return sum(call.moved for call in self.reads)

    @property
    def last_sent_ns(self) -> int:
        """When it had last sent something that had bytes; 0 if never."""
        return max((self.facts.departure_ns(each) for each in self.data), default=0)


def _made_before(facts: StepFacts, socket: Endpoint | None, now_ns: int) -> Endpoint | None:
    """The socket, if there was one: accept(2) may have taken the connection later."""
    made = None if socket is None else facts.timeline.call_of.get(socket.made_by)
    is_later = made is not None and made.exit_ns is not None and made.exit_ns >= now_ns
    return None if is_later else socket


def sides_at(
    facts: StepFacts, talk: TcpConversation, now_ns: int
) -> tuple[Standing, Standing] | None:
    """Client and server at a moment at which the connection was whole; None if it was not."""
    if talk.handshake is None or talk.is_of_one_socket:
        return None
    opened_ns = facts.timeline.crossing_of[talk.handshake.syn_ack].received_ns
    if opened_ns is None or opened_ns >= now_ns:
        return None
    return Standing(facts, talk, True, now_ns), Standing(facts, talk, False, now_ns)
