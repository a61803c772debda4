r"""The shape of what went over the wire, in lines: without times, numbers and ports of the moment.

    tcp client > server:4242
      client SYN mss=1460 sack_permitted timestamps window_scale
      server SYN-ACK mss=1460 sack_permitted timestamps window_scale
      client 48 bytes
        'Hello. These are three messages, or so I think.\n'
      client FIN
      server 43 bytes
      ...

Payload that one side sends in a row is one item, however it was cut into segments; what only
acknowledges, and what comes again, is left out. Items are in the order in which the client sent and
received them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from zlib import crc32

from lab.analysis.packets.packet import Tcp, TcpFlags
from lab.analysis.tcp.segment import UNTAKEN, Note, Segment
from lab.expect.tcp import as_the_client_saw, names_of
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.expect.subject import Subject

MOST_LINES = 60
"""Of one item's payload; the rest is counted."""
LINE_BYTES = 200
"""A payload's line is cut where it is longer: there are protocols without lines. What is left out
stands there as its CRC-32."""


def shape_of(subjects: Sequence[Subject]) -> tuple[str, ...]:
    """The lines of all steps, each step under its name where there are several."""
    lines: list[str] = []
    for subject in subjects:
        if len(subjects) > 1:
            lines.append(f"step {subject.step}")
        lines += _lines(subject)
    return tuple(lines)


def _lines(subject: Subject) -> Iterator[str]:
    talk_of = {talk.flow.id: talk for talk in subject.conversations}
    for flow in subject.flows:
        if flow.id in talk_of:
            yield from _connection(talk_of[flow.id])
        else:
            yield from _datagrams(flow)


def _connection(talk: TcpConversation) -> Iterator[str]:
    client, server = (names_of(talk, client=side)[0] for side in (True, False))
    yield f"tcp {client} > {server}:{talk.flow.b.port}"
    crossing_of = {crossing.number: crossing for crossing in talk.flow.crossings}
    pending: dict[bool, bytes] = {}
    for segment in as_the_client_saw(talk):
        if segment.notes & UNTAKEN or Note.RETRANSMISSION in segment.notes:
            continue
        crossing = crossing_of[segment.crossing]
        side = segment.from_client
        if segment.length:
            if (other := pending.pop(not side, None)) is not None:
                yield from _payload(server if side else client, other)
            pending[side] = pending.get(side, b"") + crossing.packet.payload
        if what := _flags(segment, crossing):
            for each in (True, False):
                if (payload := pending.pop(each, None)) is not None:
                    yield from _payload(client if each else server, payload)
            yield f"  {client if side else server} {what}"
    for each, payload in pending.items():
        yield from _payload(client if each else server, payload)


def _flags(segment: Segment, crossing: Crossing) -> str:
    """What a segment is for, unless it carries or acknowledges alone; of a SYN its options."""
    tcp = crossing.packet.tcp
    if segment.flags & TcpFlags.RST:
        return "RST"
    if segment.flags & TcpFlags.SYN and tcp is not None:
        name = "SYN-ACK" if segment.flags & TcpFlags.ACK else "SYN"
        return " ".join((name, *sorted(_options(tcp))))
    return "FIN" if segment.flags & TcpFlags.FIN else ""


def _options(tcp: Tcp) -> Iterator[str]:
    for option in tcp.options:
        if option.name in ("nop", "end"):
            continue
        yield f"mss={option.value!r}" if option.name == "mss" else option.name


def _datagrams(flow: Flow) -> Iterator[str]:
    first = flow.crossings[0] if flow.crossings else None
    sender = first.sender if first and first.sender else str(flow.a.address)
    receiver = first.receiver if first and first.receiver else str(flow.b.address)
    yield f"udp {sender} > {receiver}:{flow.b.port}"
    for crossing in sorted((*flow.crossings, *flow.errors), key=lambda each: each.number):
        name = crossing.sender or str(crossing.packet.ip and crossing.packet.ip.source)
        if icmp := crossing.packet.icmp:
            yield f"  {name} ICMP type={icmp.type} code={icmp.code}"
        else:
            yield from _payload(name, crossing.packet.payload)


def _payload(who: str, payload: bytes) -> Iterator[str]:
    size = counted(len(payload), "byte")
    yield f"  {who} {size}"
    pieces = payload.splitlines(keepends=True)
    for piece in pieces[:MOST_LINES]:
        text = repr(piece[:LINE_BYTES])[1:].replace("*", r"\*")
        rest = _rest(piece[LINE_BYTES:])
        yield f"    {text}{rest}"
    if len(pieces) > MOST_LINES:
        rest = _rest(b"".join(pieces[MOST_LINES:]))
        yield f"    ...{rest}"


def _rest(left_out: bytes) -> str:
    if not left_out:
        return ""
    return f" and {counted(len(left_out), 'byte')} of CRC {crc32(left_out):08x}"
