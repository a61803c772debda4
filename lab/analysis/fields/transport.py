"""The fields of TCP, its options, and UDP."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from lab.analysis.fields.field import Form, HeaderField
from lab.analysis.fields.internet import checksum_meaning
from lab.analysis.fields.layout import Bits, HeaderLayout, fields_at, named, shape_at, whole
from lab.analysis.packets.packet import Tcp, TcpStart, Udp, UdpStart

_SET = named({1: "set"})
_RFC_9293 = "RFC 9293, 3.1"
_PORTS = (
    Bits("source port", "tcp.srcport", 16),
    Bits("destination port", "tcp.dstport", 16),
)
_SEQ = Bits("sequence number", "tcp.seq_raw", 32)
_TCP = HeaderLayout(
    "TCP",
    _RFC_9293,
    (
        *_PORTS,
        _SEQ,
        Bits("acknowledgment number", "tcp.ack_raw", 32),
        Bits("data offset", "tcp.hdr_len", 4, factor=4),
        Bits("reserved", "", 3),
        Bits("AE", "", 1, meaning=_SET),
        Bits("CWR", "tcp.flags.cwr", 1, meaning=_SET),
        Bits("ECE", "tcp.flags.ece", 1, meaning=_SET),
        Bits("URG", "tcp.flags.urg", 1, meaning=_SET),
        Bits("ACK", "tcp.flags.ack", 1, meaning=_SET),
        Bits("PSH", "tcp.flags.push", 1, meaning=_SET),
        Bits("RST", "tcp.flags.reset", 1, meaning=_SET),
        Bits("SYN", "tcp.flags.syn", 1, meaning=_SET),
        Bits("FIN", "tcp.flags.fin", 1, meaning=_SET),
        Bits("window", "tcp.window_size_value", 16),
        Bits("checksum", "tcp.checksum", 16, Form.HEX),
        Bits("urgent pointer", "tcp.urgent_pointer", 16),
    ),
)
_TCP_PORTS = HeaderLayout("TCP, cut", _RFC_9293, _PORTS)
_TCP_START = HeaderLayout("TCP, cut", _RFC_9293, (*_PORTS, _SEQ))
_UDP_PORTS = (
    Bits("source port", "udp.srcport", 16),
    Bits("destination port", "udp.dstport", 16),
)
_UDP = HeaderLayout(
    "UDP",
    "RFC 768",
    (
        *_UDP_PORTS,
        Bits("length", "udp.length", 16),
        Bits("checksum", "udp.checksum", 16, Form.HEX),
    ),
)
_UDP_START = HeaderLayout("UDP, cut", "RFC 768", _UDP_PORTS)

_END, _NOP = 0, 1
_KIND = Bits("kind", "tcp.option_kind", 8)
_LENGTH = Bits("length", "tcp.option_len", 8)
_VALUES: dict[int, tuple[str, str, tuple[Bits, ...]]] = {
    2: ("maximum segment size", "RFC 9293, 3.7.1",
        (Bits("value", "tcp.options.mss_val", 16),)),
    3: ("window scale", "RFC 7323, 2.2",
        (Bits("shift count", "tcp.options.wscale.shift", 8,
              meaning=lambda shift: f"windows × {1 << min(shift, 14)}"),)),
    4: ("SACK permitted", "RFC 2018, 2", ()),
    8: ("timestamps", "RFC 7323, 3.2",
        (Bits("TSval", "tcp.options.timestamp.tsval", 32),
         Bits("TSecr", "tcp.options.timestamp.tsecr", 32))),
}  # fmt: skip
"""By kind: an option's name, where it is defined, and its fields."""

_SACK_BLOCK = (
    Bits("left edge", "tcp.options.sack_le", 32),
    Bits("right edge", "tcp.options.sack_re", 32),
)


def tcp_fields(data: bytes, layer: Tcp) -> Iterator[HeaderField]:
    """The header's fields, and those of its options."""
    meanings = {"tcp.checksum": checksum_meaning(layer.checksum_ok, layer.right_checksum)}
    yield from fields_at(data, layer.offset, _TCP, meanings)
    at, end = layer.offset + 20, layer.offset + layer.header_bytes
    for option in layer.options:
        at = yield from _option_fields(data, at, option.kind, option.name.replace("_", " "))
    yield from whole(data, at, end, "TCP", "padding of options", _RFC_9293)


def _option_fields(data: bytes, at: int, kind: int, name: str) -> Generator[HeaderField, None, int]:
    """One option's fields; what comes behind it is returned."""
    if kind in (_END, _NOP):
        title = "end of option list" if kind == _END else "no-operation"
        shape = shape_at(
            f"TCP option: {title}", "kind", "tcp.option_kind", at * 8, 8, Form.DECIMAL, _RFC_9293
        )
        yield HeaderField(shape, data[at : at + 1])
        return at + 1
    end = at + data[at + 1]
    title, source, parts = _VALUES.get(kind, (name, "IANA, TCP Option Kind Numbers", ()))
    if kind == 5:
        title, source = "SACK", "RFC 2018, 3"
        parts = _SACK_BLOCK * ((end - at - 2) // 8)
    layout = HeaderLayout(f"TCP option: {title}", source, (_KIND, _LENGTH, *parts))
    yield from fields_at(data, at, layout, {})
    used = at + sum(part.bits for part in layout.parts) // 8
    yield from whole(data, used, end, layout.header, "data", source)
    return end


def cut_tcp_fields(data: bytes, layer: TcpStart) -> Iterator[HeaderField]:
    """The fields of a TCP header whose rest is missing."""
    yield from fields_at(data, layer.offset, _TCP_PORTS if layer.seq is None else _TCP_START, {})


def udp_fields(data: bytes, layer: Udp | UdpStart) -> Iterator[HeaderField]:
    """The header's fields."""
    if isinstance(layer, UdpStart):
        yield from fields_at(data, layer.offset, _UDP_START, {})
        return
    meaning = checksum_meaning(layer.checksum_ok, layer.right_checksum)
    if layer.checksum == 0:
        meaning = "none was computed"
    yield from fields_at(data, layer.offset, _UDP, {"udp.checksum": meaning})
