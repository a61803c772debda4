"""Frames of TCP conversations, from lines that read like the exchange: every bit as on a wire.

    0.01 > S seq=100 win=64240 opt=mss,sack,ws7
    0.02 < SA seq=900 ack=101 opt=mss,sack,ws7
    0.03 > A seq=101 ack=901 len=100

`>` is from the client, `<` from the server; then come the flags, by their first letters: S, F, R,
P, A, U, E (ECE), C (CWR), N (AE). `opt=` are options, by name, or kind and data in hexadecimal;
`sum=` is another checksum than the right one; `cut=` how many bytes of the frame the capture has.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

import frame_bytes as fb

CLIENT4, SERVER4 = fb.V4_A, fb.V4_B
CLIENT6, SERVER6 = fb.V6_A, fb.V6_B
SERVER_PORT = 80
_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128, "N": 256}
_NAMED = {"mss": "020405b4", "sack": "0402", "nop": "01", "end": "00"}


class Sent(NamedTuple):
    """A frame of a capture, and when it was captured."""

    time_ns: int
    data: bytes
    wire_bytes: int


def talk(
    text: str, port: int, *, version: int = 4, wrap: Callable[[bytes], bytes] | None = None
) -> list[Sent]:
    """The frames of a conversation of the client's `port`; `wrap` makes frames of IP packets."""
    kind = fb.IPV4 if version == 4 else fb.IPV6
    wrap = wrap or (lambda packet: fb.ethernet(packet, kind))
    return [_sent(line, port, version, wrap) for line in text.splitlines() if line.strip()]


def _sent(line: str, port: int, version: int, wrap: Callable[[bytes], bytes]) -> Sent:
    time, arrow, flags, *words = line.split()
    fields = dict(word.split("=", 1) for word in words)
    frame = wrap(packet(arrow, flags, fields, port, version))
    data = frame[: int(fields["cut"])] if "cut" in fields else frame
    return Sent(round(float(time) * 1e9), data, len(frame))


def packet(arrow: str, flags: str, fields: dict[str, str], port: int, version: int = 4) -> bytes:
    """One segment in an IP packet."""
    client: IPv4Address | IPv6Address = CLIENT4 if version == 4 else CLIENT6
    server: IPv4Address | IPv6Address = SERVER4 if version == 4 else SERVER6
    forth = arrow == ">"
    segment = _segment(forth, flags, fields, port, client, server)
    source, destination = (client, server) if forth else (server, client)
    if isinstance(source, IPv4Address) and isinstance(destination, IPv4Address):
        return fb.ipv4(
            segment, source=source, destination=destination, tos=int(fields.get("ecn", 0))
        )
    assert isinstance(source, IPv6Address) and isinstance(destination, IPv6Address)
    return fb.ipv6(segment, source=source, destination=destination)


def _segment(
    forth: bool,
    flags: str,
    fields: dict[str, str],
    port: int,
    client: IPv4Address | IPv6Address,
    server: IPv4Address | IPv6Address,
) -> bytes:
    options = _options(fields.get("opt", ""))
    ports = (port, SERVER_PORT) if forth else (SERVER_PORT, port)
    ends = (client, server) if forth else (server, client)
    bits = sum(_FLAGS[flag] for flag in flags if flag != "-")
    head = struct.pack(
        "!HHIIHHHH",
        *ports,
        int(fields.get("seq", 0)) % 2**32,
        int(fields.get("ack", 0)) % 2**32,
        (20 + len(options)) // 4 << 12 | bits,
        int(fields.get("win", 1000)),
        0,
        int(fields.get("urg", 0)),
    )
    # Bytes that differ from place to place, so that no two segments are alike by chance.
    start = int(fields.get("seq", 0))
    data = bytes((start + n) * 7 % 251 for n in range(int(fields.get("len", 0))))
    segment = head + options + data
    checksum = fields.get("sum")
    right = fb.internet_checksum(fb.pseudo_header(*ends, 6, len(segment)) + segment)
    number = right if checksum is None else int(checksum, 16)
    return segment[:16] + struct.pack("!H", number) + segment[18:]


def _options(words: str) -> bytes:
    """mss, sack, ws7, ts10/20 (value, echo), sb1-5/9-12 (blocks), or hexadecimal."""
    data = b""
    for word in filter(None, words.split(",")):
        if word in _NAMED:
            data += bytes.fromhex(_NAMED[word])
        elif word.startswith("ws"):
            data += b"\3\3" + bytes([int(word[2:])])
        elif word.startswith("ts"):
            data += struct.pack("!BB2I", 8, 10, *map(int, word[2:].split("/")))
        elif word.startswith("sb"):
            edges = [int(edge) % 2**32 for edge in word[2:].replace("/", "-").split("-")]
            data += struct.pack(f"!BB{len(edges)}I", 5, 2 + 4 * len(edges), *edges)
        else:
            data += bytes.fromhex(word)
    return data + b"\1" * (-len(data) % 4)


def pcap(sent: Iterable[Sent], link: int = 1) -> bytes:
    """A classic pcap file of them, in nanoseconds."""
    data = struct.pack("<I2H4I", 0xA1B23C4D, 2, 4, 0, 0, 262144, link)
    for each in sent:
        data += (
            struct.pack("<4I", *divmod(each.time_ns, 10**9), len(each.data), each.wire_bytes)
            + each.data
        )
    return data
