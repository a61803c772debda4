from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from scenes import RECORDINGS, Parsed

from lab.analysis.select.selection import asked_for
from lab.capture_files import read_file, show_capture
from lab.derive import write_capture_page
from lab.errors import UsageError
from lab.pcap.capture import CaptureFile, LeftOut
from lab.results import Shown


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Parsed:
    target = tmp_path_factory.mktemp("page") / "x.html"
    capture = read_file(str(RECORDINGS / "udp4" / "recording.pcapng"))
    write_capture_page(show_capture(capture), target)
    return Parsed(target.read_text("utf-8"))


def test_each_flow_is_a_part_of_its_own_and_so_are_frames_of_none(page: Parsed) -> None:
    shown = show_capture(read_file(str(RECORDINGS / "udp4" / "recording.pcapng")))
    names = [*(str(flow.id) for flow in shown.flows), "of no flow"]
    assert [name for name in page.scripts if name.startswith("part-")] == [
        f"part-{number}" for number in range(len(names))
    ]
    assert [text for text in page.text if text in names] == names
    every = [page.part(number)["events"] for number in range(len(names))]
    assert sum(map(len, every)) == len(shown.crossings)


def test_frames_have_their_numbers_in_the_file(page: Parsed) -> None:
    shown = show_capture(read_file(str(RECORDINGS / "udp4" / "recording.pcapng")))
    packet_of = dict(zip((each.number for each in shown.crossings), shown.packets, strict=True))
    first = shown.flows[0]
    numbers = [event["packet"] for event in page.part()["events"]]
    every = sorted(each.number for each in (*first.crossings, *first.errors, *first.parts))
    assert numbers == [packet_of[number] for number in every]


def test_a_page_of_some_frames_says_of_how_many_and_what_was_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "x.html"
    asked = asked_for(("udp:0",), "host 198.51.100.2", "13-15")
    shown = show_capture(read_file(str(RECORDINGS / "udp4" / "recording.pcapng")), asked)
    write_capture_page(shown, target)
    part = Parsed(target.read_text("utf-8"))
    assert [event["packet"] for event in part.part()["events"]] == [13, 15]
    said = " ".join(" ".join(part.text).split())
    assert "2 of 24 frames, 1 flow" in said
    for fact in ("flows udp:0", "filter host 198.51.100.2", "frames 13-15"):
        assert fact in said


def test_a_broken_file_says_so_in_its_page(tmp_path: Path) -> None:
    whole = (RECORDINGS / "tcp4" / "recording.pcapng").read_bytes()
    cut, target = tmp_path / "<b>cut.pcapng", tmp_path / "x.html"
    cut.write_bytes(whole[:-10])
    write_capture_page(show_capture(read_file(str(cut))), target)
    said = " ".join(Parsed(target.read_text("utf-8")).text)
    assert "the file is broken" in said
    assert "<b>cut.pcapng" in said


def test_a_hostile_name_of_an_interface_is_only_shown(tmp_path: Path) -> None:
    shown = show_capture(read_file(str(RECORDINGS / "tcp4" / "recording.pcapng")))
    hostile = "<script>alert(1)</script>\u202e\0" + "x" * 10_000
    capture = replace(shown.capture, name=hostile, left_out=(LeftOut(hostile, "220", 1, 1),))
    target = tmp_path / "x.html"
    write_capture_page(replace(shown, capture=capture), target)
    parsed = Parsed(target.read_text("utf-8"))
    assert list(parsed.scripts) == ["index", "part-0", "part-1", ""]
    said = "".join(parsed.text)
    assert said.count("<script>alert(1)</script>") >= 3
    assert "\u202e" not in said


def test_a_file_without_frames_has_no_page(tmp_path: Path) -> None:
    empty = Shown(CaptureFile("empty.pcap", ()), (), (), (), (), 0)
    with pytest.raises(UsageError, match=r"empty.pcap has no frame"):
        write_capture_page(empty, tmp_path / "x.html")
