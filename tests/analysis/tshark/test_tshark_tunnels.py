"""What is inside each kind of tunnel, as tshark has it."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import link_bytes as tb
import pytest
from captured import capture_of

from lab.analysis.flows.flow import transport_endpoints
from lab.analysis.packets.packet import IPv4, IPv6, Tunnel
from lab.capture_files import show_capture

pytestmark = [
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
    pytest.mark.programs,
]

FIELDS = (
    "tcp.stream", "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.len", "ip.src", "ipv6.src",
)  # fmt: skip


def pcap(frames: list[bytes]) -> bytes:
    data = struct.pack("<I2H4I", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    for number, frame in enumerate(frames):
        data += struct.pack("<4I", number, 0, len(frame), len(frame)) + frame
    return data


def by_tshark(file: Path) -> list[tuple[str, ...]]:
    fields = [argument for name in FIELDS for argument in ("-e", name)]
    command = ["tshark", "-n", "-r", str(file), "-T", "fields", *fields]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


def by_lab(data: bytes) -> list[tuple[str, ...]]:
    shown = show_capture(capture_of(data))
    rows: dict[int, tuple[str, ...]] = {}
    for flow in shown.flows:
        for crossing in flow.crossings:
            packet = crossing.packet
            tcp, ends = packet.tcp, transport_endpoints(packet)
            assert tcp is not None
            assert ends is not None
            sources = [
                ",".join(str(ip.source) for ip in packet.layers if isinstance(ip, kind))
                for kind in (IPv4, IPv6)
            ]
            rows[crossing.number] = (
                str(flow.number), str(ends[0].port), str(ends[1].port), str(tcp.seq),
                str(tcp.payload_bytes), *sources,
            )  # fmt: skip
    return [rows.get(number, ("",)) for number in range(1, len(shown.crossings) + 1)]


def test_what_is_inside_every_tunnel_agrees(tmp_path: Path) -> None:
    data = pcap(list(tb.TUNNELS.values()))
    file = tmp_path / "tunnels.pcap"
    file.write_bytes(data)
    ours, theirs = by_lab(data), by_tshark(file)
    assert len(ours) == len(theirs) == len(tb.TUNNELS)
    different = {
        name: (own, other)
        for name, own, other in zip(tb.TUNNELS, ours, theirs, strict=True)
        if own != other
    }
    assert different == {}


def test_udp_streams_count_those_that_carry_tunnels(tmp_path: Path) -> None:
    data = pcap([tb.TUNNELS["vxlan"], tb.PLAIN_UDP])
    file = tmp_path / "udp.pcap"
    file.write_bytes(data)
    command = ["tshark", "-n", "-r", str(file), "-T", "fields", "-e", "udp.stream"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    flows = show_capture(capture_of(data)).flows
    assert done.stdout.split() == ["0", "1"]
    assert [str(flow.id) for flow in flows] == ["tcp 0", "udp 1"]
    assert any(isinstance(layer, Tunnel) for layer in flows[0].crossings[0].packet.layers)
