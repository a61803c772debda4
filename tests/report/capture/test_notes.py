from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import traced_runs as t
from captured import frames_of

from lab.analysis.timeline import Timeline
from lab.pcap.pcapng_writing import write_pcapng
from lab.report.capture.comments import frame_comments
from lab.report.capture.notes import trace_notes

FIELDS = ("frame.interface_name", "_ws.col.Protocol", "_ws.col.Info", "tcp.stream", "frame.comment")


def written(timeline: Timeline) -> bytes:
    recording, file = timeline.recording, io.BytesIO()
    names = [point.name for point in recording.points]
    comments = frame_comments([timeline])
    write_pcapng(file, names, recording.frames, comments, "wirelab", trace_notes([timeline]))
    return file.getvalue()


def by_tshark(data: bytes, folder: Path, *more: str) -> list[list[str]]:
    path = folder / "noted.pcapng"
    path.write_bytes(data)
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", *more]
    command += [argument for field in FIELDS for argument in ("-e", field)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60)
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_a_call_is_noted_where_it_is_entered_and_where_it_returns() -> None:
    notes = [note for note in trace_notes([t.talk()]) if "client#4" in note.text]
    assert [(note.time_ns, note.interface, note.text) for note in notes] == [
        (
            t.at_ns(120),
            "client calls",
            "client#4: sendto(3, 'These are three messages, ', 26, 0, NULL, 0)",
        ),
        (
            t.at_ns(131),
            "client calls",
            "client#4: sendto(3, 'These are three messages, ', 26, 0, NULL, 0) = 26 <0.011 ms>",
        ),
    ]


def test_a_read_is_not_noted_with_its_bytes_before_it_returns() -> None:
    before, after = (note.text for note in trace_notes([t.talk()]) if "server#5:" in note.text)
    assert before == "server#5: recvfrom(4, buf, 16, 0, NULL, NULL)"
    assert "'Hello. '" in after


def test_a_call_that_never_returned_has_one_note() -> None:
    assert [note.text for note in trace_notes([t.talk()]) if "poll" in note.text] == [
        "client#9: poll(fds, 1, -1)"
    ]


def test_states_and_drops_are_noted() -> None:
    texts = [note.text for note in trace_notes([t.dropped()])]
    ends = "198.51.100.1:40858 to 198.51.100.2:4242"
    assert f"state 1: {ends}: CLOSE -> SYN_SENT (measured)" in texts
    assert any(text.endswith(": ESTABLISHED (sampled)") for text in texts)
    dropped = "drop 1: the kernel dropped a packet of 60 bytes from eth0: NO_SOCKET, frame f3"
    assert dropped in texts


def test_what_is_left_to_read_is_noted() -> None:
    notes = [note for note in trace_notes([t.unread()]) if note.interface == "queues"]
    assert [note.text for note in notes] == [
        "queue 1: s3 after server#1: 4 bytes left to read (sampled)",
        "queue 2: s3 after server#2: no bytes left to read (sampled)",
        "queue 3: s3 after client#2: 1 byte left to read (sampled)",
    ]
    assert notes[0].time_ns == t.at_ns(9)


def test_notes_are_in_order_of_time() -> None:
    times = [note.time_ns for note in trace_notes([t.talk(), t.unix_talk()])]
    assert times == sorted(times)


def test_a_run_without_calls_has_no_notes() -> None:
    assert trace_notes([t.talk(told=(), silent=True)]) == ()


def test_frames_are_read_back_as_if_there_were_no_notes() -> None:
    assert frames_of(written(t.talk())) == t.talk().recording.frames


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_shows_calls_states_and_frames_as_they_happened(tmp_path: Path) -> None:
    rows = by_tshark(written(t.talk()), tmp_path)
    shown = [f"{point}: {info}" for point, _, info, *_ in rows]
    order = (
        r"client calls: client#2: connect\(3, 198.51.100.2:4242, 16\)$",
        r"states: state 1: .*: CLOSE -> SYN_SENT",
        r"client/eth0: 40858 . 4242 \[SYN\]",
        r"server/eth0: .*40858 . 4242 \[SYN\]",
        r"server/eth0: 4242 . 40858 \[SYN, ACK\]",
        r"client calls: client#2: connect\(3, 198.51.100.2:4242, 16\) = 0 <0.070 ms>$",
        r"server calls: server#4: accept4\(.*\) = 4",
    )
    places = [
        next(place for place, line in enumerate(shown) if re.search(each, line)) for each in order
    ]
    assert places == sorted(places)
    assert not any("Malformed" in line for line in shown)


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tsharks_filters_and_comments_are_as_without_notes(tmp_path: Path) -> None:
    data = written(t.talk())
    assert len(by_tshark(data, tmp_path, "-Y", "tcp.stream == 0")) == 2 * 18
    syn = by_tshark(data, tmp_path, "-Y", "tcp.flags.syn == 1 && tcp.flags.ack == 0")
    assert [row[4] for row in syn] == [
        "f3: handshake 1 of 3: the client sends its initial sequence number"
    ] * 2
    sends = by_tshark(data, tmp_path, "-Y", 'syslog.msg contains "sendto"')
    assert len(sends) == 12
    calls = by_tshark(data, tmp_path, "-Y", 'exported_pdu.col_proto_str == "system call"')
    assert len(calls) == 2 * len(t.TALK) - 1
