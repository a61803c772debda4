"""Streams, addresses, ports and sequence numbers of any capture, as in tshark."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import frame_bytes as fb
import link_bytes as lb
import pytest
from captured import capture_of

from lab.analysis.flows.flow import transport_endpoints
from lab.capture_files import show_capture
from lab.records import LinkType

pytestmark = [
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
    pytest.mark.programs,
]

FIN = 0x01
Row = tuple[str, ...]
"""tcp.stream or udp.stream, the addresses, the ports, the relative sequence number, the length."""


def segment(
    to_server: bool, seq: int, ack: int, flags: int, data: bytes = b"", port: int = 1000
) -> bytes:
    ends = (fb.V4_A, fb.V4_B) if to_server else (fb.V4_B, fb.V4_A)
    ports = (port, 80) if to_server else (80, port)
    tcp = fb.tcp(
        data, sport=ports[0], dport=ports[1], seq=seq, ack=ack, flags=flags,
        source=ends[0], destination=ends[1],
    )  # fmt: skip
    return fb.ipv4(tcp, source=ends[0], destination=ends[1])


def conversation(port: int = 1000) -> list[bytes]:
    return [
        segment(True, 100, 0, fb.SYN, port=port),
        segment(False, 500, 101, fb.SYN | fb.ACK, port=port),
        segment(True, 101, 501, fb.ACK, port=port),
        segment(True, 101, 501, fb.ACK | fb.PSH, b"question", port=port),
        segment(False, 501, 109, fb.ACK | fb.PSH, b"answer", port=port),
        segment(True, 109, 507, fb.ACK | FIN, port=port),
        segment(False, 507, 110, fb.ACK | FIN, port=port),
        segment(True, 110, 508, fb.ACK, port=port),
    ]


def packets(further: int = 0) -> list[bytes]:
    """Two connections at once, a datagram, an echo and a third SYN; from ports `further` up."""
    both = zip(conversation(1000 + further), conversation(1001 + further), strict=True)
    return [packet for pair in both for packet in pair] + [
        fb.ipv4(fb.udp(b"datagram", sport=4000 + further), 17),
        fb.ipv4(fb.icmp(8, 0, bytes(4)), 1),
        segment(True, 9000, 0, fb.SYN, port=1000 + further),
    ]


PACKETS = packets()
STREAMS = 3
"""Of TCP among them; of UDP there is one."""

WRAPPED: dict[LinkType, Callable[[bytes], bytes]] = {
    LinkType.ETHERNET: fb.ethernet,
    LinkType.NULL: lambda packet: struct.pack("<I", 2) + packet,
    LinkType.LOOP: lambda packet: struct.pack(">I", 2) + packet,
    LinkType.RAW: bytes,
    LinkType.IPV4: bytes,
    LinkType.LINUX_SLL: lambda packet: fb.cooked_v1(packet, fb.IPV4),
    LinkType.LINUX_SLL2: lambda packet: fb.cooked_v2(packet, fb.IPV4),
    LinkType.PPP: lambda packet: b"\0\x21" + packet,
    LinkType.PPP_HDLC: lambda packet: b"\xff\x03\0\x21" + packet,
    LinkType.PPP_ETHER: lb.pppoe,
    LinkType.PPP_WITH_DIR: lambda packet: b"\1\0\x21" + packet,
    LinkType.C_HDLC: lambda packet: b"\x0f\0\x08\0" + packet,
    LinkType.FRELAY: lambda packet: b"\x18\x41\x03\xcc" + packet,
    LinkType.IEEE802_5: lb.token_ring,
    LinkType.FDDI: lambda packet: b"\x50" + fb.MAC_B + fb.MAC_A + lb.snap(packet),
    LinkType.ATM_RFC1483: lb.snap,
    LinkType.ATM_CLIP: bytes,
    LinkType.SUNATM: lambda packet: b"\x02\0\0\x64" + lb.snap(packet),
    LinkType.IEEE802_11: lb.wireless,
    LinkType.IEEE802_11_RADIOTAP: lambda packet: lb.radiotap() + lb.wireless(packet),
    LinkType.PPI: lambda packet: b"\0\0\x08\0\x69\0\0\0" + lb.wireless(packet),
    LinkType.NFLOG: lb.nflog,
    LinkType.ENC: lambda packet: struct.pack("<I", 2) + bytes(8) + packet,
    LinkType.IP_OVER_FC: lambda packet: bytes(16) + lb.snap(packet),
    LinkType.APPLE_IP_OVER_IEEE1394: lambda packet: bytes(16) + b"\x08\0" + packet,
}
"""By link type, what makes a frame of a packet."""


def pcap(packets: list[bytes], link: int = 1, times: list[int] | None = None) -> bytes:
    data = struct.pack("<I2H4I", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)
    for number, packet in enumerate(packets):
        seconds = times[number] if times else 1_700_000_000 + number
        data += struct.pack("<4I", seconds, 0, len(packet), len(packet)) + packet
    return data


def by_lab(data: bytes) -> list[Row]:
    shown = show_capture(capture_of(data))
    rows: dict[int, Row] = {crossing.number: ("",) * 7 for crossing in shown.crossings}
    seq = {s.crossing: str(s.seq) for talk in shown.conversations for s in talk.segments}
    for flow in shown.flows:
        for crossing in flow.crossings:
            ends = transport_endpoints(crossing.packet)
            assert ends is not None
            source, destination = ends
            transport = crossing.packet.tcp or crossing.packet.udp
            assert transport is not None
            rows[crossing.number] = (
                str(flow.number), str(source.address), str(destination.address),
                str(source.port), str(destination.port), seq.get(crossing.number, ""),
                str(transport.payload_bytes),
            )  # fmt: skip
    return [rows[number] for number in sorted(rows)]


def by_tshark(data: bytes, folder: Path) -> list[Row]:
    file = folder / "capture"
    file.write_bytes(data)
    names = (
        "tcp.stream", "udp.stream", "ip.src", "ip.dst", "tcp.srcport", "udp.srcport",
        "tcp.dstport", "udp.dstport", "tcp.seq", "tcp.len", "udp.length",
    )  # fmt: skip
    fields = [argument for name in names for argument in ("-e", name)]
    command = ["tshark", "-n", "-r", str(file), "-T", "fields", *fields]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found: list[Row] = []
    for line in done.stdout.splitlines():
        tcp, udp, source, destination, *ports, seq, length, datagram = line.split("\t")
        if not tcp + udp:
            found.append(("",) * 7)
            continue
        length = length or str(int(datagram) - 8)
        found.append(
            (tcp + udp, source, destination, ports[0] + ports[1], ports[2] + ports[3], seq, length)
        )
    return found


def of_every_link_type() -> bytes:
    """A pcapng file of one interface for each of WRAPPED, which the packets came through in turn.

    The packets of an interface differ from those of the one before by their ports alone.
    """
    data = struct.pack("<3I2HqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    for link in WRAPPED:
        data += struct.pack("<2I2H2I", 1, 20, link.value, 0, 0, 20)
    for number, wrap in enumerate(WRAPPED.values()):
        for packet in packets(10 * number):
            frame = wrap(packet)
            padded = frame + bytes(-len(frame) % 4)
            size = 32 + len(padded)
            data += struct.pack("<7I", 6, size, number, 0, 0, len(frame), len(frame))
            data += padded + struct.pack("<I", size)
    return data


@cache
def links_by_tshark() -> dict[LinkType, list[Row]]:
    """By link type what tshark finds in that file: it takes longer to start than to read."""
    with tempfile.TemporaryDirectory() as folder:
        rows = by_tshark(of_every_link_type(), Path(folder))
    size = len(PACKETS)
    assert len(rows) == size * len(WRAPPED)
    found = {}
    for place, link in enumerate(WRAPPED):
        found[link] = [
            # Streams are numbered from 0 in a file of that link type alone.
            (str(int(stream) - place * (STREAMS if seq else 1)), *ends, seq, length) if stream
            else ("",) * 7
            for stream, *ends, seq, length in rows[size * place : size * (place + 1)]
        ]  # fmt: skip
    return found


@pytest.mark.parametrize("link", WRAPPED, ids=lambda link: link.name)
def test_streams_of_every_link_type_agree(link: LinkType) -> None:
    sent = packets(10 * list(WRAPPED).index(link))
    ours = by_lab(pcap([WRAPPED[link](packet) for packet in sent], link.value))
    assert len({row[0] for row in ours if row[5]}) == STREAMS
    assert ours == links_by_tshark()[link]


FRAMES = [fb.ethernet(packet) for packet in PACKETS]


def modified() -> bytes:
    data = struct.pack(">I2H4I", 0xA1B2CD34, 2, 4, 0, 0, 262144, 1)
    for number, frame in enumerate(FRAMES):
        data += struct.pack(">4I", number, 0, len(frame), len(frame))
        data += struct.pack(">IHBB", 2, 0x0800, 0, 0) + frame
    return data


def sections(order: str, count: int) -> bytes:
    """One section of pcapng of the first or the last `count` frames."""
    data = struct.pack(order + "3I2HqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    data += struct.pack(order + "2I2H2I", 1, 20, 1, 0, 0, 20)
    for number, frame in enumerate(FRAMES[:count] if count > 0 else FRAMES[count:]):
        padded = frame + bytes(-len(frame) % 4)
        size = 32 + len(padded)
        data += struct.pack(order + "7I", 6, size, 0, 0, number, len(frame), len(frame))
        data += padded + struct.pack(order + "I", size)
    return data


STEPPED = [1_700_000_000 + number - 60 * (number > 4) for number in range(len(FRAMES))]
KINDS = {
    "a clock that steps back": pcap(FRAMES, times=STEPPED),
    "cut inside the last packet": pcap(FRAMES)[:-1],
    "cut inside a record header": pcap(FRAMES) + bytes(5),
    "modified, of the other byte order": modified(),
    "pcapng": sections("<", len(FRAMES)),
    "sections of either byte order": sections("<", 5) + sections(">", 5 - len(FRAMES)),
    "a second section that is broken": sections("<", 7) + sections("<", 1)[:20],
}


@pytest.mark.parametrize("kind", KINDS)
def test_streams_of_every_kind_of_file_agree(kind: str, tmp_path: Path) -> None:
    ours = by_lab(KINDS[kind])
    assert len(ours) >= 7
    assert ours == by_tshark(KINDS[kind], tmp_path)
