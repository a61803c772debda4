from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lab.analysis.explain.display_filter import frame_filter
from lab.analysis.fields.fields import fields_of
from lab.analysis.packets.dissect import dissect
from lab.pcap.capture_file import read_capture
from lab.records import CANARY_TEXT

RECORDINGS = Path(__file__).parents[2] / "recordings"


def filters(name: str) -> list[tuple[bytes, str]]:
    frames = read_capture(str(RECORDINGS / name / "recording.pcapng")).frames
    story = [frame for frame in frames if not frame.data.startswith(CANARY_TEXT, 14)]
    return [(frame.data, frame_filter(fields_of(dissect(frame)))) for frame in story]


def test_nothing_that_has_a_name_has_no_filter() -> None:
    assert frame_filter(()) == ""


def test_a_segment_is_found_by_its_numbers() -> None:
    found = [text for _, text in filters("tcp4") if "tcp" in text]
    assert found[0].startswith("ip.id == 0x")
    assert "tcp.seq_raw == " in found[0]


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("number", [0, 2, 5])
def test_wireshark_finds_a_frame_at_both_ends_by_its_filter_and_no_other(number: int) -> None:
    found = filters("tcp4")
    data, text = list(dict.fromkeys(found))[number]
    file = RECORDINGS / "tcp4" / "recording.pcapng"
    command = ["tshark", "-n", "-r", str(file), "-Y", text, "-T", "fields", "-e", "frame.len"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(len(data))] * sum(same == data for same, _ in found)
