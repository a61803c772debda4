"""unix.pcapng: what traced calls sent and read through unix sockets, for Wireshark to dissect."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.correlate.correlation import Channel, ReadPart, SentPart
from lab.analysis.correlate.stream_channel import stream_channel
from lab.analysis.sockets.endpoint import Endpoint
from lab.analysis.timeline import Timeline
from lab.frozen import frozen
from lab.model.counted import counted
from lab.pcap.pcapng_writing import HostName, write_pcapng
from lab.pcap.upper_pdu import Message
from lab.records import MEMORY_LIMIT_BYTES

_DISSECTORS = {
    # A request line may be cut off, or be written by several calls.
    "http": re.compile(
        rb"[A-Z]{3,16} [^ \r\n]+ HTTP/1\.[01]\r\n|HTTP/1\.[01] \d{3}"
        rb"|(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH) /[^ \r\n]*\Z"
    ),
    "http2": re.compile(rb"PRI \* HTTP/2\.0\r\n"),
    "tls": re.compile(rb"\x16\x03[\x00-\x04]..[\x01\x02]", re.DOTALL),
}
_STREAM = "SOCK_STREAM"
_PORT = 1
"""Addresses tell the sockets apart."""


@frozen
class _Place:
    """A socket, and the address that stands for it."""

    endpoint: Endpoint | None
    """None unless it is known to be a traced program's."""
    name: str
    """What it is bound to; "unnamed" where no name is known."""
    address: IPv4Address

    @property
    def host(self) -> str:
        """Its name for the column of addresses: "server/s3"."""
        return f"{self.endpoint.program}/{self.endpoint.id}" if self.endpoint else "unknown"


def unix_capture(timelines: Sequence[Timeline], dissector: str = "") -> bytes | None:
    """A pcapng file of a packet for each call that sent something through a unix socket.

    Of a stream whose other end is unknown, the calls that read have packets too. Each
    step is an interface. Unix sockets have no addresses: each gets one of 127.0.0.0/8, in the
    order of the steps' endpoints. `dissector` is Wireshark's name of one for all packets; "" takes
    it from what a stream or a message begins with. None where there is no packet.
    """
    hosts: list[HostName] = []
    messages: list[Message] = []
    for timeline in timelines:
        first = len(hosts) + 1  # 127.0.0.0 itself stands for none
        places = _places(timeline, first)
        hosts += [HostName(each.address, each.host) for each in places.values()]
        messages += _messages(timeline, places, dissector)
    messages.sort(key=lambda each: each.time_ns)
    if not messages:
        return None
    used = {address for each in messages for address in (each.source, each.destination)}
    hosts = [each for each in hosts if each.address in used]
    file = io.BytesIO()
    write_pcapng(file, (), (), {}, "wirelab", messages, hosts, remark=_missing(messages))
    return file.getvalue()


def _missing(messages: Sequence[Message]) -> str:
    """What the file lacks, and how what is cut is found; "" where it is whole."""
    cut = [each for each in messages if len(each.data) < each.length]
    if not cut:
        return ""
    lacks = sum(each.length - len(each.data) for each in cut)
    return (
        f"{counted(lacks, 'byte')} are missing in {counted(len(cut), 'packet')} of "
        f"{len(messages)}: of a call at most {MEMORY_LIMIT_BYTES} bytes were recorded; "
        "frame.cap_len < frame.len finds these packets, whose comments say how many are known"
    )


def _places(timeline: Timeline, first: int) -> dict[str, _Place]:
    """By endpoint's id; a stream's unknown other end is under "~" and its id."""
    found: dict[str, _Place] = {}
    for endpoint in timeline.endpoints:
        if endpoint.protocol != "unix":
            continue
        address = IPv4Address("127.0.0.0") + first + len(found)
        found[endpoint.id] = _Place(endpoint, str(endpoint.local or "unnamed"), address)
        if _is_half_known(endpoint):
            name = str(endpoint.remote or "unnamed")
            found[f"~{endpoint.id}"] = _Place(None, name, address + 1)
    return found


def _is_half_known(endpoint: Endpoint) -> bool:
    return endpoint.type == _STREAM and not endpoint.peer and not endpoint.listening


def _messages(timeline: Timeline, places: dict[str, _Place], dissector: str) -> Iterator[Message]:
    ways = [each for each in _channels(timeline) if each.sender in places]
    of_stream = {} if dissector else _stream_dissectors(timeline, ways, places)
    for way in ways:
        sender, receiver = places[way.sender], places[way.receiver]
        stream = frozenset((way.sender, way.receiver))
        for part in _parts(way, sender):
            call = timeline.call_of[part.call]
            data = _data(call, part)
            if call.result is None or (part.start == part.end and _is_stream(sender, receiver)):
                continue
            yield Message(
                # What was read by nobody's traced send is known when the read returns.
                (call.exit_ns if isinstance(part, ReadPart) else None) or call.entry_ns,
                timeline.step,
                dissector or of_stream.get(stream) or dissector_of(data),
                sender.address,
                receiver.address,
                _PORT,
                data,
                part.end - part.start,
                _comment(call, part, sender, receiver, len(data)),
            )


def _channels(timeline: Timeline) -> Iterator[Channel]:
    for channel in timeline.correlation.channels:
        if channel.flow is None:
            yield channel
    calls = timeline.socket_calls
    for endpoint in timeline.endpoints:
        if endpoint.protocol == "unix" and _is_half_known(endpoint):
            other = f"~{endpoint.id}"
            yield from stream_channel(endpoint.id, other, calls.sends(endpoint.id), ())
            yield from stream_channel(other, endpoint.id, (), calls.reads(endpoint.id))


def _parts(way: Channel, sender: _Place) -> tuple[SentPart, ...] | tuple[ReadPart, ...]:
    return way.parts if sender.endpoint else way.read_parts


def _is_stream(*ends: _Place) -> bool:
    return any(end.endpoint is not None and end.endpoint.type == _STREAM for end in ends)


def _stream_dissectors(
    timeline: Timeline, ways: Sequence[Channel], places: dict[str, _Place]
) -> dict[frozenset[str], str]:
    """By the two ends of a stream: what either way of it begins with decides for both."""
    found: dict[frozenset[str], str] = {}
    for way in ways:
        if not _is_stream(places[way.sender], places[way.receiver]):
            continue
        stream = frozenset((way.sender, way.receiver))
        begun = next(
            (part for part in _parts(way, places[way.sender]) if part.end > part.start), None
        )
        name = "data"
        if begun is not None and begun.start == 0 and begun.certain:
            name = dissector_of(_data(timeline.call_of[begun.call], begun))
        if found.get(stream, "data") == "data":
            found[stream] = name
    return found


def dissector_of(data: bytes) -> str:
    """The dissector for bytes that begin so; "data" where that is not sure.

    Source: RFC 9112, 3 and 4 (a request's and a status line); RFC 9113, 3.4 (the preface of
    HTTP/2); RFC 8446, 4 and 5.1 (a record with a ClientHello or ServerHello).
    """
    return next((name for name, begin in _DISSECTORS.items() if begin.match(data)), "data")


def _data(call: SystemCall, part: SentPart | ReadPart) -> bytes:
    """The known ones of its bytes; of calls of several messages none are."""
    return call.data[: part.end - part.start] if call.lengths is None else b""


def _comment(
    call: SystemCall, part: SentPart | ReadPart, sender: _Place, receiver: _Place, known: int
) -> str:
    where = "" if call.descriptor is None else f" on descriptor {call.descriptor}"
    said = [
        f"{call.id}: {call.title}{where} by {call.program}",
        f"{sender.name} → {receiver.name}",
        f"bytes {part.start} to {part.end} of this way",
    ]
    if not part.certain:
        said.append("its place is not certain")
    if known < part.end - part.start:
        said.append(f"{known} of its {part.end - part.start} bytes are known, the others cut off")
    if isinstance(part, SentPart) and part.reads:
        said.append(f"read by {', '.join(map(str, part.reads))}")
    stand = f"{sender.address} stands for {sender.host}, {receiver.address} for {receiver.host}"
    return "; ".join((*said, stand))
