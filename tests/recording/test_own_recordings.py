"""Our own recordings as tshark reads them, and as the lab does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
import recorded as r
import wire_talks as w
from outside import FAMILIES, environment

from lab.analysis.flows.bracket import ETHERNET_HEADER_BYTES
from lab.analysis.flows.crossings import crossings_of_file
from lab.analysis.flows.flow import group_flows
from lab.analysis.packets.dissect import dissect
from lab.analysis.tcp.conversation import analyse_tcp
from lab.pcap.capture_file import read_frames
from lab.recording.storage import load_recording
from lab.records import CANARY_TEXT
from tests.against.tshark import differences

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
]


class Header(NamedTuple):
    """One frame's TCP header, numbers relative to the stream's beginning."""

    stream: int
    seq: int
    ack: int
    """0 without the ACK flag."""
    flags: int
    payload_bytes: int


@pytest.fixture(params=FAMILIES)
def capture(request: pytest.FixtureRequest, runs: dict[str, Path]) -> Path:
    """A recording of each family, both ends of the link in one file."""
    return runs[request.param] / "recording.pcapng"


@pytest.fixture
def home(tmp_path: Path) -> str:
    return str(tmp_path)


def tshark(capture: Path, home: str, *words: str) -> list[list[str]]:
    """Fields of the frames; the notes between them, which are "syslog" packets, left out."""
    fields = [part for name in words for part in ("-e", name)]
    done = subprocess.run(
        ["tshark", "-n", "-r", str(capture), "-Y", "not syslog", "-T", "fields",
         "-E", "occurrence=f", *fields],
        capture_output=True,
        text=True,
        check=True,
        env=environment(HOME=home),
    )  # fmt: skip
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_tshark_sees_every_frame_at_the_same_time_and_place(capture: Path, home: str) -> None:
    theirs = tshark(capture, home, "frame.time_epoch", "frame.len", "frame.interface_name")
    ours = load_recording(capture.parent).frames
    assert [(int(epoch.replace(".", "")), int(size), name) for epoch, size, name in theirs] == [
        (frame.time_ns, frame.wire_bytes, frame.point) for frame in ours
    ]


def test_tshark_reads_the_same_tcp_headers(capture: Path, home: str) -> None:
    names = ("tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.len", "tcp.srcport")
    theirs = [tuple(int(v, 0) for v in row if v) for row in tshark(capture, home, *names)]
    ours = [
        (tcp.seq, tcp.ack, int(tcp.flags), tcp.payload_bytes, tcp.source_port) if tcp else ()
        for tcp in (dissect(frame).tcp for frame in read_frames(capture))
    ]
    assert ours == theirs
    assert sum(map(bool, ours)) > 20


@pytest.mark.parametrize("point", ["client/eth0", "server/eth0"])
def test_tshark_follows_the_same_conversations(capture: Path, home: str, point: str) -> None:
    names = ("tcp.stream", "tcp.seq", "tcp.ack", "tcp.flags", "tcp.len", "frame.interface_name")
    rows = [row for row in tshark(capture, home, *names) if row[0] and row.pop() == point]
    theirs = [Header(*(int(value, 0) for value in row)) for row in rows]
    frames = [frame for frame in read_frames(capture) if frame.point == point]
    flows = group_flows(crossings_of_file(frames)[0])
    ours = [
        Header(flow.number, segment.seq, segment.ack or 0, int(segment.flags), segment.length)
        for flow in flows
        for segment in analyse_tcp(flow).segments
    ]
    assert ours == theirs
    assert {header.stream for header in theirs} == {0}


@pytest.mark.once
def test_tshark_and_show_say_the_same_of_every_recording_of_the_tests(tmp_path: Path) -> None:
    sent = []
    for folder in sorted(r.FOLDER.iterdir()):
        frames = read_frames(folder / "recording.pcapng")
        for point in dict.fromkeys(frame.point for frame in frames):
            sent += [
                w.Sent(frame.time_ns, frame.data, frame.wire_bytes)
                for frame in frames
                if frame.point == point
                and not frame.data.startswith(CANARY_TEXT, ETHERNET_HEADER_BYTES)
            ]
    file = tmp_path / "all.pcap"
    file.write_bytes(w.pcap(sent))
    assert len(sent) > 1000
    found = {(each.fact, each.lab, each.tshark) for each in differences(file)}
    # docs/notes.md has each of them. All but the first are of recordings with a wire.
    assert found == {
        ("notes", "", "duplicate_ack"),  # nothing was outstanding
        ("notes", "out_of_order", "retransmission"),
        # Sent again at once, in smaller pieces: an ICMP error had said that it was too big.
        ("notes", "retransmission", "out_of_order"),
        ("notes", "lost_segment", ""),
        ("notes", "duplicate_ack", "window_update"),
        ("notes", "", "window_update"),  # with a D-SACK, and nothing outstanding
        ("notes", "zero_window_probe", "keep_alive"),
        ("notes", "zero_window zero_window_probe_ack", "zero_window"),
        ("notes", "window_update zero_window_probe_ack", "window_update"),
        # As the other end saw a connection that this one did not see end.
        ("notes", "retransmission spurious_retransmission", "retransmission"),
    }


def test_tshark_shows_the_comments(capture: Path, home: str) -> None:
    comments = [row[0] for row in tshark(capture, home, "frame.comment")]
    canaries = [text for text in comments if "canary: proves that the capture is alive" in text]
    recording = load_recording(capture.parent)
    assert len(canaries) == 2 * len(recording.canaries)
    roles = [text for text in comments if text and text not in canaries]
    assert sum("handshake" in text for text in roles) == 6  # three segments, seen twice each
    assert sum("FIN" in text for text in roles) >= 4


def test_tshark_finds_nothing_malformed_and_no_bad_checksum(capture: Path, home: str) -> None:
    names = ("_ws.malformed", "tcp.checksum.status", "ip.checksum.status")
    checks = [f"-o{name}.check_checksum:TRUE" for name in ("tcp", "ip")]
    done = subprocess.run(
        ["tshark", "-n", "-r", str(capture), *checks, "-T", "fields",
         *(part for name in names for part in ("-e", name))],
        capture_output=True, text=True, check=True, env=environment(HOME=home),
    )  # fmt: skip
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert {row[0] for row in rows} == {""}
    assert {row[1] for row in rows} == {"", "1"}  # 1: good
    assert {row[2] for row in rows} <= {"", "1"}


def test_tshark_shows_the_calls_between_the_frames(capture: Path, home: str) -> None:
    done = subprocess.run(
        ["tshark", "-n", "-r", str(capture), "-Y", "syslog", "-T", "fields", "-e", "syslog.msg"],
        capture_output=True, text=True, check=True, env=environment(HOME=home),
    )  # fmt: skip
    told = done.stdout.splitlines()
    calls = load_recording(capture.parent).trace.syscalls
    assert sum(" = " in line and "#" in line for line in told) == len(calls)
    assert any("connect(3, " in line for line in told)
