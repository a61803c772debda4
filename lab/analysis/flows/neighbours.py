"""What hosts ask of their neighbours, and which packets wait for the answers.

A packet to a neighbour whose hardware address is unknown makes its host ask for that, and leaves
when the answer has come: it was sent earlier than it was seen. Source: RFC 1122, 2.3.2.2;
RFC 4861, 7.2.2; arp(7), unres_qlen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.packets.packet import Ethernet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.packets.packet import IPAddress, Packet
    from lab.model.event import EventId

_REQUEST, _REPLY = 1, 2
_SOLICITATION, _ADVERTISEMENT = 135, 136

_ASKED_AGAIN_NS = 1_500_000_000
"""A host asks each second (retrans_time, arp(7)); after a longer pause it began anew."""
_FIRST_NS = 10_000_000
"""So soon after the answer the first packet that waited has left, by the kernel's own hand."""
_NEXT_NS = 1_000_000
"""So soon after it those behind it have."""


class NeighbourWait(NamedTuple):
    """A packet's wait for the hardware address of its neighbour."""

    question: EventId
    """The first frame that asked for it."""
    since_ns: int
    """When that frame left. The packet was not sent before."""
    is_first: bool
    """Whether the question was asked for its sake: then it was sent at `since_ns`. Of others that
    left right behind it is unknown when they were sent, and whether they waited at all."""


def neighbour_waits(crossings: Iterable[Crossing]) -> dict[int, NeighbourWait]:
    """The waits by the numbers of the crossings that may have waited, which are in order of time.

    A host that asks one neighbour alone, by its known address, goes on sending meanwhile
    (RFC 4861, 7.3.3): nothing waits for that.
    """
    waits = _Waits({}, {}, {})
    for crossing in crossings:
        waits.forget(crossing.time_ns)
        if not waits.leaving and crossing.is_plain:
            continue  # as nearly all are
        if not crossing.packet.resolves_neighbour:
            waits.note(crossing)
        waits.end(crossing)
        if _is_to_all(crossing.packet):
            waits.ask(crossing)
        waits.answer(crossing)
    return waits.found


class _Question(NamedTuple):
    frame: EventId
    first_ns: int
    until_ns: int
    """Asked again before that, it is the same one."""


class _Leaving(NamedTuple):
    """What is let go to a neighbour that has answered."""

    question: _Question
    from_ns: int
    until_ns: int
    is_untouched: bool
    """Whether none has left yet."""


class _Waits(NamedTuple):
    """What is asked and let go at one time."""

    asked: dict[tuple[str, IPAddress], _Question]
    """By host and target."""
    leaving: dict[tuple[str, str], _Leaving]
    """By host and the neighbour's hardware address."""
    found: dict[int, NeighbourWait]

    def forget(self, now_ns: int) -> None:
        """What has left by now."""
        for key in [key for key, queue in self.leaving.items() if queue.until_ns < now_ns]:
            del self.leaving[key]

    def note(self, crossing: Crossing) -> None:
        """The wait of a packet that leaves, if it may have waited."""
        key, now_ns = (crossing.sender, _destination(crossing.packet)), crossing.time_ns
        queue = self.leaving.get(key)
        if queue is None or now_ns < queue.from_ns:
            return
        asked, is_first = queue.question, queue.is_untouched
        self.found[crossing.number] = NeighbourWait(asked.frame, asked.first_ns, is_first)
        until_ns = now_ns + _NEXT_NS if is_first else queue.until_ns
        self.leaving[key] = _Leaving(asked, now_ns, until_ns, is_untouched=False)

    def end(self, crossing: Crossing) -> None:
        """All that waits is let go at once: what leaves after a frame has come did not wait."""
        came_ns = crossing.received_ns
        for key, queue in self.leaving.items():
            if key[0] == crossing.receiver and came_ns is not None and came_ns < queue.until_ns:
                self.leaving[key] = queue._replace(until_ns=came_ns)

    def ask(self, crossing: Crossing) -> None:
        """A packet to all neighbours asks whose an address is, if it does."""
        target, now_ns = asked_for(crossing.packet), crossing.time_ns
        if target is None:
            return
        key = (crossing.sender, target)
        begun = self.asked.get(key)
        if begun is None or begun.until_ns <= now_ns:
            begun = _Question(crossing.id, now_ns, now_ns)
        self.asked[key] = begun._replace(until_ns=now_ns + _ASKED_AGAIN_NS)

    def answer(self, crossing: Crossing) -> None:
        """A packet answers it, if it does, and has come."""
        target, came_ns = answered_for(crossing.packet), crossing.received_ns
        if target is None or came_ns is None:
            return
        question = self.asked.pop((crossing.receiver, target), None)
        if question is not None:
            key = (crossing.receiver, _source(crossing.packet))
            until_ns = came_ns + _FIRST_NS
            self.leaving[key] = _Leaving(question, came_ns, until_ns, is_untouched=True)


def asked_for(packet: Packet) -> IPAddress | None:
    """Whose hardware address a packet asks for; None if it asks for none.

    A host that probes for its own new address asks nobody.
    """
    arp, icmp = packet.arp, packet.icmp
    if arp is not None and arp.operation == _REQUEST and arp.target != arp.sender:
        return arp.target
    if icmp is None or (icmp.version, icmp.type) != (6, _SOLICITATION) or packet.ip is None:
        return None
    return None if packet.ip.source.is_unspecified else icmp.target


def answered_for(packet: Packet) -> IPAddress | None:
    """Whose hardware address a packet gives; None if it gives none."""
    arp, icmp = packet.arp, packet.icmp
    if arp is not None and arp.operation == _REPLY:
        return arp.sender
    is_answer = icmp is not None and (icmp.version, icmp.type) == (6, _ADVERTISEMENT)
    return icmp.target if is_answer and icmp is not None else None


def _ethernet(packet: Packet) -> Ethernet | None:
    first = packet.layers[0] if packet.layers else None
    return first if isinstance(first, Ethernet) else None


def _destination(packet: Packet) -> str:
    header = _ethernet(packet)
    return "" if header is None else header.destination


def _source(packet: Packet) -> str:
    header = _ethernet(packet)
    return "" if header is None else header.source


def _is_to_all(packet: Packet) -> bool:
    """Whether it is a broadcast or a multicast: the group bit. Source: IEEE 802.3, 3.2.3."""
    return bool(int(_destination(packet)[:2] or "0", 16) & 1)
