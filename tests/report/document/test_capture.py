"""A capture file as JSON: what `wirelab show --json` prints."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

import frame_bytes as fb
import link_bytes as lb
from captured import capture_of

from lab.capture_files import show_capture, shown_document
from lab.report.document.writing import write_document

DOCS = Path(__file__).parents[3] / "docs" / "capture-files.md"


def pcap(frames: list[bytes], times: list[int] | None = None, link: int = 1) -> bytes:
    data = struct.pack("<I2H4I", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)
    for number, frame in enumerate(frames):
        seconds = times[number] if times else number
        data += struct.pack("<4I", seconds, 0, len(frame), len(frame)) + frame
    return data


def document_of(data: bytes) -> dict[str, Any]:
    text = write_document(shown_document(show_capture(capture_of(data))))
    return dict(json.loads(text))


def segment(**fields: Any) -> bytes:
    return fb.ethernet(fb.ipv4(fb.tcp(b"data", **fields)))


def test_steps_of_the_clock_are_in_the_document() -> None:
    document = document_of(pcap([segment()] * 4, [10, 9, 12, 7]))
    assert document["clock_steps"] == {
        "times": 2,
        "first": {"packet": 2, "back_ns": 10**9},
        "largest": {"packet": 4, "back_ns": 5 * 10**9},
    }
    assert document_of(pcap([segment()]))["clock_steps"] is None


def test_what_a_file_lacks_is_in_the_document() -> None:
    broken = document_of(pcap([segment()] * 2)[:-1])
    assert broken["broken"].startswith("at byte 98 (packet 2): ")
    assert len(broken["frames"]) == 1
    (left_out,) = document_of(pcap([segment()], link=220))["left_out"]
    assert left_out == {
        "point": "if0", "link_type": "220 (USB_LINUX_MMAPPED)", "packets": 1, "first": 1,
    }  # fmt: skip


def pcapng(*links: int) -> bytes:
    """A packet at an interface of each link type."""
    data = struct.pack("<3I2HqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    for link in links:
        data += struct.pack("<2I2H2I", 1, 20, link, 0, 0, 20)
    frame = segment() + bytes(-len(segment()) % 4)
    for number in range(len(links)):
        size = 32 + len(frame)
        data += struct.pack("<7I", 6, size, number, 0, number, len(segment()), len(segment()))
        data += frame + struct.pack("<I", size)
    return data


def test_frames_have_their_numbers_in_the_file() -> None:
    document = document_of(pcapng(220, 1, 252, 1))
    assert [frame["packet"] for frame in document["frames"]] == [2, 4]
    assert [frame["id"]["number"] for frame in document["frames"]] == [1, 2]


def test_a_segment_has_its_header_and_what_is_made_of_it() -> None:
    options = bytes.fromhex("020405b4 0103 0307 fd04beef".replace(" ", ""))
    document = document_of(pcap([segment(flags=fb.SYN, options=options), segment(checksum=1)]))
    syn, wrong = document["frames"]
    assert (syn["source"], syn["destination"], syn["flow"]) == (
        "192.0.2.1:40000", "192.0.2.2:80", "tcp 0",
    )  # fmt: skip
    tcp = syn["tcp"]
    assert (tcp["seq"], tcp["seq_raw"], tcp["window_raw"]) == (0, 1000, 8192)
    assert [(each["kind"], each["value"]) for each in tcp["options"]] == [
        (2, 1460), (1, None), (3, 7), (253, "beef"),
    ]  # fmt: skip
    assert tcp["checksum"]["judged"] == "right"
    assert wrong["tcp"]["checksum"]["value"] == 1
    assert wrong["tcp"]["checksum"]["judged"] == "wrong"
    assert wrong["tcp"]["notes"] == ["wrong checksum"]


def test_what_carries_a_packet_is_in_the_document() -> None:
    inside = lb.TUNNELS["vxlan with a vlan"]
    (frame,) = document_of(pcap([inside]))["frames"]
    assert frame["vlans"] == [10]
    assert frame["tunnels"] == [
        {
            "name": "VXLAN",
            "identifiers": [7],
            "source": "192.0.2.1",
            "destination": "192.0.2.2",
        }
    ]


def test_packets_of_no_flow_have_their_addresses() -> None:
    (frame,) = document_of(pcap([lb.in_ip(bytes(40), 50)]))["frames"]
    assert (frame["source"], frame["destination"]) == ("192.0.2.1", "192.0.2.2")
    assert "flow" not in frame


def test_the_documentation_names_every_field() -> None:
    described = set(re.findall(r"`(\w+)`", DOCS.read_text("utf-8").partition("## JSON")[2]))
    document = document_of(pcap([segment(), lb.PLAIN_UDP]))
    names = set(document)
    for frame in document["frames"]:
        names |= set(frame)
    assert names - described == set()
