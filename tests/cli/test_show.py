"""`wirelab show`: what it reads, what it says of what it cannot, and how it ends."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import signal
import struct
import subprocess
import termios
from pathlib import Path

import frame_bytes as fb
import pytest
from forked_wirelab import forked_wirelab
from outside import STARTING_S, check_refused, command, environment, wait_until

from tests.benchmarks.show_file import write_capture

pytestmark = pytest.mark.programs

HEADER = struct.pack("<I2H4I", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def record(number: int, data: bytes = b"") -> bytes:
    data = data or fb.ethernet(fb.ipv4(fb.tcp(b"x", seq=1000 + number, flags=fb.ACK)))
    return struct.pack("<4I", 1_700_000_000 + number, 0, len(data), len(data)) + data


def capture(count: int) -> bytes:
    return HEADER + b"".join(map(record, range(count)))


@pytest.mark.kernel
@pytest.mark.once
@pytest.mark.parametrize("kept", [None, 0, 3, 30])
def test_showing_what_holds_no_packet_is_refused(copied: Path, kept: int | None) -> None:
    file = copied / "recording.pcapng"
    if kept is None:
        file.unlink()
    else:
        os.truncate(file, kept)
    assert str(file) in check_refused(forked_wirelab("show", file))


def test_of_a_broken_capture_all_is_shown_that_comes_before(tmp_path: Path) -> None:
    file = tmp_path / "cut.pcap"
    file.write_bytes(capture(3)[:-1])
    done = forked_wirelab("show", file)
    assert done.returncode == 2
    assert done.stdout.startswith("2 frames, 1 flow\nthe file is broken at byte 166 (packet 3): ")
    assert "seq=2" in done.stdout
    assert done.stderr == (
        f"wirelab: cannot read {file} any further: at byte 166 (packet 3): the file ends inside a "
        "packet record: bytes needed: 55, left: 54\n"
    )


def test_the_document_of_a_broken_capture_is_whole_and_the_status_the_same(tmp_path: Path) -> None:
    file = tmp_path / "cut.pcap"
    file.write_bytes(capture(3)[:-1])
    done = forked_wirelab("show", "--json", file)
    assert done.returncode == 2
    assert done.stderr.startswith(f"wirelab: cannot read {file} any further: at byte 166 ")
    document = json.loads(done.stdout)
    assert document["broken"].startswith("at byte 166 (packet 3): ")
    assert [frame["tcp"]["seq_raw"] for frame in document["frames"]] == [1000, 1001]


def test_what_is_left_out_is_said_and_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "usb.pcap"
    file.write_bytes(HEADER[:-4] + struct.pack("<I", 220) + record(1))
    done = forked_wirelab("show", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 packet of if0 is left out (packet 1): link type 220 (USB_LINUX_MMAPPED)" in (
        done.stdout
    )


@pytest.mark.parametrize("content", [b"garbage\n" * 100, bytes(1000), b"\x1f\x8bgarbage"])
def test_showing_garbage_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "garbage"
    file.write_bytes(content)
    assert str(file) in check_refused(forked_wirelab("show", file))


def test_showing_a_folder_is_refused(tmp_path: Path) -> None:
    assert "directory" in check_refused(forked_wirelab("show", tmp_path))


def test_a_name_is_never_obeyed_by_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "\x1b[31mred\n.pcap"
    file.write_bytes(capture(2)[:-1])
    done = forked_wirelab("show", file)
    assert "\x1b" not in done.stdout + done.stderr
    assert r"\x1b[31mred\n.pcap" in done.stderr


@pytest.mark.parametrize("data", [capture(4), gzip.compress(capture(4))])
def test_standard_input_is_read_to_its_end(data: bytes) -> None:
    done = subprocess.run(
        command("show", "-"), env=environment(), input=data, capture_output=True, check=True
    )
    assert done.stdout.startswith(b"4 frames, 1 flow\n")


def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with subprocess.Popen(
        command("show", str(path)), env=environment(), stdout=subprocess.PIPE
    ) as process:
        with path.open("wb") as file:
            file.write(capture(4))
        output, _ = process.communicate(timeout=STARTING_S)
    assert (process.returncode, output[:16]) == (0, b"4 frames, 1 flow")


def unread(descriptor: int) -> int:
    """How many bytes wait in the pipe."""
    return int(struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)))[0])


@pytest.mark.parametrize("extra", [b"", record(9)[:-5]])
def test_ctrl_c_shows_what_had_come_until_then(extra: bytes) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    readable, writable = os.pipe()
    try:
        process = subprocess.Popen(
            command("show", "-"),
            env=environment(),
            stdin=readable,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        os.write(writable, capture(4) + extra)
        wait_until(lambda: process.poll() is not None or not unread(readable), STARTING_S)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=STARTING_S)
    finally:
        signal.signal(signal.SIGINT, before)
        os.close(readable)
        os.close(writable)
    assert (process.returncode, errors) == (0, b"")
    assert output.startswith(b"4 frames, 1 flow\nreading was interrupted: ")


def test_what_a_stopped_writer_still_has_is_read_after_ctrl_c() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    readable, writable = os.pipe()
    try:
        process = subprocess.Popen(
            command("show", "-"), env=environment(), stdin=readable, stdout=subprocess.PIPE
        )
        os.write(writable, capture(1))
        wait_until(lambda: process.poll() is not None or not unread(readable), STARTING_S)
        process.send_signal(signal.SIGINT)
        os.write(writable, record(1) + record(2))
        os.close(writable)
        output, _ = process.communicate(timeout=STARTING_S)
    finally:
        signal.signal(signal.SIGINT, before)
        os.close(readable)
    assert process.returncode == 0
    assert output.startswith(b"3 frames, 1 flow\n\n")


def test_a_second_ctrl_c_ends_at_once() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    readable, writable = os.pipe()
    try:
        process = subprocess.Popen(
            command("show", "-"),
            env=environment(),
            stdin=readable,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        os.write(writable, capture(1))
        wait_until(lambda: process.poll() is not None or not unread(readable), STARTING_S)

        def has_ended_by_another() -> bool:
            process.send_signal(signal.SIGINT)
            return process.poll() is not None

        wait_until(has_ended_by_another, STARTING_S)
        _, errors = process.communicate(timeout=STARTING_S)
    finally:
        signal.signal(signal.SIGINT, before)
        os.close(readable)
        os.close(writable)
    assert (process.returncode, errors) == (130, b"wirelab: interrupted\n")


def test_of_a_large_file_flows_are_listed_and_one_is_drawn(tmp_path: Path) -> None:
    file = tmp_path / "large.pcap"
    file.write_bytes(capture(51))
    listed = forked_wirelab("show", file)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "\ntcp:0  " in listed.stdout and "seq=" not in listed.stdout
    drawn = forked_wirelab("show", file, "--flow", "tcp:0")
    assert (drawn.returncode, drawn.stderr) == (0, "")
    assert drawn.stdout.count("seq=") == 51


def test_an_unknown_flow_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "small.pcap"
    file.write_bytes(capture(2))
    said = check_refused(forked_wirelab("show", file, "--flow", "tcp:1"))
    assert "no flow tcp:1 in this file; there are: tcp:0" in said


def test_what_was_asked_for_is_all_that_json_and_html_have(tmp_path: Path) -> None:
    file, page = tmp_path / "small.pcap", tmp_path / "x.html"
    file.write_bytes(capture(9))
    asked = ("--flow", "tcp:0", "--frames", "3-7", "--filter", "after 4 and before 6")
    done = forked_wirelab("show", file, "--json", *asked)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [frame["packet"] for frame in document["frames"]] == [5, 6]
    assert document["selected"] == {
        "flows": ["tcp:0"],
        "filter": "after 4 and before 6",
        "frames": "3-7",
        "of_frames": 9,
    }
    assert forked_wirelab("show", file, "--html", page, *asked).stdout == f"{page}\n"
    assert "2 of 9 frames, 1 flow" in page.read_text("utf-8")
    drawn = forked_wirelab("show", file, *asked).stdout
    assert drawn.startswith("2 of 9 frames, 1 flow\n")
    assert drawn.count("seq=") == 2
    assert "  2 of the flow's 9 frames are shown\n" in drawn


def test_the_wrong_word_of_a_filter_is_pointed_at_before_anything_is_read() -> None:
    done = forked_wirelab("show", "/nowhere", "--filter", "host 192.0.2.1 and prot 80")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "wirelab: --filter: 'prot': no word of a filter; did you mean 'port'?\n"
        "  host 192.0.2.1 and prot 80\n"
        "                     ^^^^\n"
    )


def test_a_page_of_no_frame_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "small.pcap"
    file.write_bytes(capture(2))
    said = check_refused(
        forked_wirelab("show", file, "--filter", "udp", "--html", tmp_path / "x.html")
    )
    assert "has no frame that was asked for" in said
    listed = forked_wirelab("show", file, "--filter", "udp")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.startswith("0 of 2 frames, 0 flows\n")


def test_a_file_of_more_than_256_kib_says_what_a_small_one_says(tmp_path: Path) -> None:
    file = tmp_path / "many.pcap"
    write_capture(file, 1500)
    assert file.stat().st_size > 1 << 18
    zipped = tmp_path / "many.pcap.gz"
    zipped.write_bytes(gzip.compress(file.read_bytes()))
    for words in ((), ("--flow", "tcp:3"), ("--flow", "none", "--ascii")):
        large, small = forked_wirelab("show", file, *words), forked_wirelab("show", zipped, *words)
        assert (large.returncode, large.stderr, large.stdout) == (0, "", small.stdout)


def test_a_file_that_takes_a_while_is_announced(tmp_path: Path) -> None:
    file = tmp_path / "large.pcap"
    longest = fb.ethernet(fb.ipv4(fb.tcp(bytes(60_000))))
    file.write_bytes(HEADER + record(1, longest) * 600)
    done = forked_wirelab("show", file)
    assert done.stdout.splitlines()[:2] == [f"reading {file}, 36 MB", "600 frames, 1 flow"]


def test_a_few_long_frames_are_all_drawn(tmp_path: Path) -> None:
    file = tmp_path / "long.pcap"
    longest = fb.ethernet(fb.ipv4(fb.tcp(bytes(60_000))))
    file.write_bytes(HEADER + record(1, longest) * 6)
    done = forked_wirelab("show", file)
    assert done.stdout.startswith("6 frames, 1 flow\n") and done.stdout.count("seq=") == 6


def test_parquet_files_are_written_of_a_file_on_a_disk_alone(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    file, folder = tmp_path / "small.pcap", tmp_path / "tables"
    file.write_bytes(capture(3))
    done = forked_wirelab("show", file, "--parquet", folder)
    assert done.stdout == f"{folder}/packets.parquet\n{folder}/flows.parquet\n"
    zipped = tmp_path / "small.pcap.gz"
    zipped.write_bytes(gzip.compress(capture(3)))
    assert "neither piped nor compressed" in check_refused(
        forked_wirelab("show", zipped, "--parquet", folder)
    )
    refused = forked_wirelab("show", file, "--parquet", folder, "--filter", "tcp")
    assert "choose among them by a query" in check_refused(refused)
