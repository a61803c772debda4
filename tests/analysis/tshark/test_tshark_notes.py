"""The notes on segments, and what tshark's analysis says of the same ones."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest
from transcript import converse, crossings, ip_bytes

from lab.analysis.tcp.segment import Note
from lab.records import LinkType

pytestmark = [
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
    pytest.mark.programs,
]

OPEN = """
    0.01 client > server SYN seq=100
    0.02 server > client SYN,ACK seq=900 ack=101
    0.03 client > server ACK seq=101 ack=901
"""
FIELD_OF = {
    Note.RETRANSMISSION: "retransmission",
    Note.FAST_RETRANSMIT: "fast_retransmission",
    Note.SPURIOUS: "spurious_retransmission",
    Note.OUT_OF_ORDER: "out_of_order",
    Note.DUPLICATE_ACK: "duplicate_ack",
    Note.KEEP_ALIVE: "keep_alive",
    Note.KEEP_ALIVE_ACK: "keep_alive_ack",
    Note.ZERO_WINDOW: "zero_window",
    Note.ZERO_WINDOW_PROBE: "zero_window_probe",
    Note.ZERO_WINDOW_PROBE_ACK: "zero_window_probe_ack",
    Note.WINDOW_UPDATE: "window_update",
    Note.PREVIOUS_NOT_CAPTURED: "lost_segment",
}


class Talk(NamedTuple):
    """Segments after a handshake, of which tshark says the same but where `differs` has it."""

    text: str
    differs: Mapping[int, str] = MappingProxyType({})
    """What tshark says, by the segment's place after the handshake."""


TALKS = {
    "sent again at once": Talk(
        """
        0.10 client > server ACK seq=101 ack=901 data=abc
        0.11 client > server ACK seq=101 ack=901 data=abc
        """
    ),
    "sent again after a timeout": Talk(
        """
        0.1 client > server ACK seq=101 ack=901 data=abc
        0.5 client > server ACK seq=101 ack=901 data=abc
        """
    ),
    "acknowledged before": Talk(
        """
        0.10 client > server ACK seq=101 ack=901 data=abc
        0.11 server > client ACK seq=901 ack=104
        0.12 client > server ACK seq=101 ack=901 data=abc
        """
    ),
    "a SYN-ACK after its ACK": Talk("1.02 server > client SYN,ACK seq=900 ack=101"),
    "a hole filled after a timeout": Talk(
        """
        0.10 client > server ACK seq=101 ack=901 len=100
        0.10 client > server ACK seq=301 ack=901 len=100
        0.11 server > client ACK seq=901 ack=201
        0.37 client > server ACK seq=201 ack=901 len=100
        """
    ),
    "a hole filled within a millisecond": Talk(
        """
        0.100 client > server ACK seq=101 ack=901 len=100
        0.101 client > server ACK seq=301 ack=901 len=100
        0.102 client > server ACK seq=201 ack=901 len=100
        """
    ),
    "a hole filled after 100 ms": Talk(
        """
        0.100 client > server ACK seq=101 ack=901 len=100
        0.101 client > server ACK seq=301 ack=901 len=100
        0.202 client > server ACK seq=201 ack=901 len=100
        """,
        {2: "retransmission"},
    ),
    "a FIN overtaken by an empty ACK": Talk(
        """
        0.10 server > client ACK seq=902 ack=101
        0.11 server > client FIN,ACK seq=901 ack=101
        """,
        {1: "retransmission"},
    ),
    "three duplicate ACKs": Talk(
        """
        0.10 client > server ACK seq=101 ack=901 data=abc
        0.11 client > server ACK seq=104 ack=901 data=def
        0.12 server > client ACK seq=901 ack=101
        0.13 server > client ACK seq=901 ack=101
        0.14 server > client ACK seq=901 ack=101
        0.15 client > server ACK seq=101 ack=901 data=abc
        """
    ),
    "two duplicate ACKs": Talk(
        """
        0.10 client > server ACK seq=101 ack=901 data=abc
        0.11 client > server ACK seq=104 ack=901 data=def
        0.12 server > client ACK seq=901 ack=101
        0.13 server > client ACK seq=901 ack=101
        0.14 client > server ACK seq=101 ack=901 data=abc
        """,
        {4: "fast_retransmission retransmission"},
    ),
    "an ACK again with nothing outstanding": Talk(
        """
        0.10 client > server ACK seq=101 ack=901 data=abc
        0.11 server > client ACK seq=901 ack=104
        0.12 server > client ACK seq=901 ack=104
        """,
        {2: "duplicate_ack"},
    ),
    "a keep-alive": Talk(
        """
        0.10 client > server ACK seq=101 ack=901 data=abc
        0.11 server > client ACK seq=901 ack=104
        9.00 client > server ACK seq=103 ack=901
        9.01 server > client ACK seq=901 ack=104
        """
    ),
    "a keep-alive whose answer has another window": Talk(
        """
        0.10 client > server ACK seq=101 ack=901 data=abc
        0.11 server > client ACK seq=901 ack=104
        9.00 client > server ACK seq=103 ack=901
        9.01 server > client ACK seq=901 ack=104 win=900
        """,
        {3: "window_update"},
    ),
    "one outstanding byte sent again": Talk(
        """
        0.1 client > server ACK seq=101 ack=901 data=a
        0.5 client > server ACK seq=101 ack=901 data=a
        """,
        {1: "keep_alive"},
    ),
    "a zero window and its probe": Talk(
        """
        0.1 client > server ACK seq=101 ack=901 data=abc
        0.2 server > client ACK seq=901 ack=104 win=0
        0.8 client > server ACK seq=104 ack=901 data=d
        0.9 server > client ACK seq=901 ack=104 win=0
        1.8 server > client ACK seq=901 ack=104 win=900
        """,
        {3: "zero_window zero_window_probe_ack"},
    ),
}


def pcap_of(talks: list[str], path: Path) -> None:
    """A capture of all of them, one after the other, with the times they have and an hour more."""
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LinkType.RAW)
    for hour, text in enumerate(talks, start=1):
        for crossing in crossings(text):
            packet = ip_bytes(crossing)
            seconds, microseconds = divmod(crossing.time_ns // 1000, 1_000_000)
            size = len(packet)
            data += struct.pack("<IIII", hour * 3600 + seconds, microseconds, size, size) + packet
    path.write_bytes(data)


def by_tshark(path: Path) -> list[str]:
    """Each segment's analysis, as the names of its fields."""
    names = sorted(FIELD_OF.values())
    fields = [word for name in names for word in ("-e", f"tcp.analysis.{name}")]
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "occurrence=f", *fields]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [
        " ".join(name for name, value in zip(names, line.split("\t"), strict=True) if value)
        for line in done.stdout.split("\n")[:-1]
    ]


def test_the_notes_are_tsharks_but_where_docs_notes_says_why_not(tmp_path: Path) -> None:
    texts = [
        (OPEN + talk.text).replace("client", f"client:{port}")
        for port, talk in enumerate(TALKS.values(), start=41000)
    ]
    path = tmp_path / "talks.pcap"
    pcap_of(texts, path)
    found = iter(by_tshark(path))
    for (name, talk), text in zip(TALKS.items(), texts, strict=True):
        for place, segment in enumerate(converse(text).segments, start=-3):
            ours = " ".join(sorted(FIELD_OF[n] for n in segment.notes if n in FIELD_OF))
            assert next(found) == talk.differs.get(place, ours), (name, place)
            assert ours != talk.differs.get(place), (name, place)
