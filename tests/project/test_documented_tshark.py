"""The documentation's tshark lines, typed as they stand there, show what it says of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from documented import run_line, tshark_lines
from scenes import RECORDINGS, recorded_result

from lab.pcap.pcapng_writing import write_pcapng
from lab.report.capture.wire import wire_capture

pytestmark = [
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
    pytest.mark.programs,
]

LINES = list(tshark_lines())
IN_A_RUN = "tshark -r runs/ad-hoc/latest/unix.pcapng -N n -Y http"
"""tests/kernel/programs/ad_hoc/test_unix_packets.py types it where it made that file."""


def wire(name: str, folder: Path) -> None:
    (folder / "wire.pcapng").write_bytes(wire_capture(recorded_result(name).timelines))


def shows_tls_in_clear(line: str, folder: Path) -> None:
    wire("tls4", folder)
    assert "GET / HTTP/1.1" in run_line(line, folder)
    # By the secrets in the file, and by nothing else.
    timelines = recorded_result("tls4").timelines
    bare = replace(timelines[0].recording, key_logs=())
    without = tuple(replace(each, recording=bare) for each in timelines)
    (folder / "wire.pcapng").write_bytes(wire_capture(without))
    assert run_line(line, folder) == ""


def shows_hosts_by_name(line: str, folder: Path) -> None:
    wire("tcp4", folder)
    assert "client → server" in run_line(line, folder)


def leaves_one_link(line: str, folder: Path) -> None:
    links = ("h1/eth0--s1/eth0", "s1/eth1--h2/eth0")
    frames = [
        replace(crossing.packet.frame, point=link, time_ns=crossing.time_ns + after_ns)
        for crossing in recorded_result("tcp4").timelines[0].crossings
        for after_ns, link in enumerate(links)
    ]
    file = BytesIO()
    write_pcapng(file, links, frames, {}, "wirelab")
    (folder / "wire.pcapng").write_bytes(file.getvalue())
    again = "tshark -r {} -Y tcp.analysis.retransmission"
    assert run_line(again.format("wire.pcapng"), folder) != ""
    run_line(line, folder)
    assert len(run_line("tshark -r one.pcapng", folder).splitlines()) == len(frames) // 2
    assert run_line(again.format("one.pcapng"), folder) == ""


def recording_of_tcp(folder: Path) -> None:
    shutil.copy(RECORDINGS / "traced-tcp4" / "recording.pcapng", folder)


def shows_one_end(line: str, folder: Path) -> None:
    recording_of_tcp(folder)
    frames = recorded_result("traced-tcp4").recording.frames
    count = sum(frame.point == "client/eth0" for frame in frames)
    assert len(run_line(line, folder).splitlines()) == count < len(frames)


def shows_frames_alone(line: str, folder: Path) -> None:
    recording_of_tcp(folder)
    count = len(recorded_result("traced-tcp4").recording.frames)
    assert len(run_line(line, folder).splitlines()) == count


def shows_some_calls(line: str, folder: Path) -> None:
    recording_of_tcp(folder)
    found = run_line(line, folder).splitlines()
    assert found
    assert all("connect" in each for each in found)


def lists_dissectors(line: str, folder: Path) -> None:
    names = {each.split("\t")[2] for each in run_line(line, folder).splitlines()}
    assert {"http", "tls", "http2"} <= names


SHOW: dict[str, Callable[[str, Path], None]] = {
    "tshark -r wire.pcapng -Y http": shows_tls_in_clear,
    "tshark -r wire.pcapng -N n": shows_hosts_by_name,
    "tshark -r wire.pcapng -Y 'frame.interface_name == \"h1/eth0--s1/eth0\"' -w one.pcapng": (
        leaves_one_link
    ),
    "tshark -r recording.pcapng -Y 'frame.interface_name == \"client/eth0\"'": shows_one_end,
    "tshark -r recording.pcapng -Y '!syslog'": shows_frames_alone,
    "tshark -r recording.pcapng -Y 'syslog.msg contains \"connect\"'": shows_some_calls,
    "tshark -G protocols": lists_dissectors,
}


def test_every_line_is_typed_by_a_test() -> None:
    assert {line for _, line in LINES} == {*SHOW, IN_A_RUN}


@pytest.mark.parametrize("line", SHOW)
def test_a_line_shows_what_is_said_of_it(line: str, tmp_path: Path) -> None:
    SHOW[line](line, tmp_path)
