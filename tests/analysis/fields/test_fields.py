"""Where each field stands and what it holds, as tshark has it, in every recorded frame."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from lab.analysis.fields.field import Form, HeaderField, Shape
from lab.analysis.fields.fields import fields_of
from lab.analysis.packets.dissect import dissect
from lab.pcap.capture_file import read_capture
from lab.pcap.pcapng_writing import write_pcapng
from lab.records import Frame, LinkType

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

RECORDINGS = Path(__file__).parents[2] / "recordings"
SEEN_BY_TSHARK = 80
"""As many different names of fields are in the recordings; fewer would mean that one is lost."""

Found = dict[str, list[tuple[int, int, str]]]
"""By name, each field's offset, size and value as tshark shows it."""


def read_by_tshark(file: Path) -> list[Found]:
    """The fields of each Ethernet frame of a capture file; the notes between them are left out."""
    options = ("-o", "tcp.relative_sequence_numbers:FALSE", "-o", "ip.defragment:FALSE",
               "-o", "ipv6.defragment:FALSE", "-o", "tcp.try_heuristic_first:FALSE")  # fmt: skip
    done = subprocess.run(
        ["tshark", "-n", "-r", str(file), "-T", "pdml", *options],
        capture_output=True, check=True,
    )  # fmt: skip
    packets: list[Found] = []
    for packet in ET.fromstring(done.stdout).iter("packet"):
        if packet.find("proto[@name='eth']") is None:
            continue
        found: Found = defaultdict(list)
        for field in packet.iter("field"):
            place = int(field.get("pos", 0)), int(field.get("size", 0)), field.get("show", "")
            found[field.get("name", "")].append(place)
        packets.append(found)
    return packets


def agrees(field: HeaderField, place: tuple[int, int, str]) -> bool:
    at, size, shown = place
    shape = field.shape
    if shape.form is Form.BYTES:
        return (at, size) == (shape.first_byte, len(field.raw))
    is_whole = shape.first_bit % 8 == 0 and shape.bits % 8 == 0
    if is_whole and shape.abbreviation not in ("ipv6.tclass", "ipv6.flow"):
        if (at, size) != (shape.first_byte, len(field.raw)):
            return False
    elif not (at <= shape.first_byte and shape.end_byte <= at + size):
        return False
    if shape.form in (Form.DECIMAL, Form.HEX):
        value = {"True": 1, "False": 0}.get(shown)
        wanted = int(shown, 0) if value is None else value
        return wanted == field.number * shape.factor
    return shown == field.value


@cache
def one_of_each_kind() -> list[Frame]:
    """Of all recorded frames the first of each that has the same fields at the same places."""
    kinds: dict[tuple[Shape, ...], Frame] = {}
    seen: set[tuple[bytes, int, LinkType]] = set()
    for folder in sorted(RECORDINGS.iterdir()):
        for frame in read_capture(str(folder / "recording.pcapng")).frames:
            # Most were captured at both ends of a link.
            same = frame.data, frame.wire_bytes, frame.link_type
            if same in seen:
                continue
            seen.add(same)
            shapes = tuple(field.shape for field in fields_of(dissect(frame)))
            kinds.setdefault(shapes, replace(frame, point="x"))
    return list(kinds.values())


@pytest.mark.programs
def test_every_field_is_where_tshark_has_it_and_holds_what_it_says(tmp_path: Path) -> None:
    frames = one_of_each_kind()
    file = tmp_path / "each.pcapng"
    with file.open("wb") as opened:
        write_pcapng(opened, ["x"], frames, {}, "wirelab")
    names: set[str] = set()
    for frame, seen in zip(frames, read_by_tshark(file), strict=True):
        for field in fields_of(dissect(frame)):
            name = field.shape.abbreviation
            if name:
                places = seen.get(name, [])
                assert any(agrees(field, place) for place in places), (field, places, frame)
                names.add(name)
    assert len(names) >= SEEN_BY_TSHARK, sorted(names)


def test_fields_follow_one_another_through_the_whole_frame() -> None:
    for frame in one_of_each_kind():
        behind = 0
        for field in fields_of(dissect(frame)):
            assert field.shape.first_bit == behind, (field, frame)
            behind += field.shape.bits
        assert behind == len(frame.data) * 8


def test_a_frame_cut_anywhere_has_fields_within_its_bytes() -> None:
    for frame in one_of_each_kind()[::9]:
        for size in range(0, len(frame.data), 5):
            cut = replace(frame, data=frame.data[:size])
            assert all(field.shape.end_byte <= size for field in fields_of(dissect(cut)))
