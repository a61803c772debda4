from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from scenes import recorded_result

from lab.analysis.timeline import Timeline
from lab.report.capture.unix_packets import dissector_of, unix_capture

REQUEST = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEADER = b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\n"
BODY = b"done"


def by_tshark(data: bytes | None, folder: Path, *words: str) -> list[list[str]]:
    """Lines of the fields that are asked for."""
    if not shutil.which("tshark"):
        pytest.skip("needs tshark")
    assert data is not None
    path = folder / "unix.pcapng"
    path.write_bytes(data)
    command = ["tshark", "-r", str(path), "-T", "fields", *words]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60)
    return [line.split("\t") for line in done.stdout.splitlines()]


def saying(
    said: dict[str, bytes], cut: dict[str, int] | None = None, other_end: bool = True
) -> tuple[Timeline, ...]:
    """The recorded conversation's first step, whose calls of those ids move other bytes.

    With `cut`, of some only so many of them are known; without the other end, what the server
    does is not traced.
    """
    timeline = recorded_result("traced-unix4").timelines[0]
    calls = tuple(
        replace(call, data=new[: (cut or {}).get(str(call.id))], moved=len(new), result=len(new))
        if (new := said.get(str(call.id))) is not None
        else call
        for call in timeline.system_calls
    )
    changed = replace(timeline, system_calls=calls)
    channels = []
    for channel in timeline.correlation.channels:
        parts = []
        at = 0
        for part in channel.parts:
            moved = changed.call_of[part.call].moved
            parts.append(replace(part, start=at, end=at + moved))
            at += moved
        channels.append(replace(channel, parts=tuple(parts)))
    if not other_end:
        channels = []
        endpoints = tuple(
            replace(each, peer="") for each in timeline.endpoints if each.program == "client"
        )
        changed = replace(changed, endpoints=endpoints)
    correlation = replace(timeline.correlation, channels=tuple(channels))
    return (replace(changed, correlation=correlation),)


TALK = {"client#3": REQUEST, "server#11": HEADER, "server#12": BODY}


@pytest.mark.programs
def test_each_send_is_a_packet_of_its_bytes_in_order_of_time(tmp_path: Path) -> None:
    timelines = recorded_result("traced-unix4").timelines
    fields = ("-e", "exported_pdu.exported_pdu", "-e", "frame.time_epoch", "-e", "frame.comment")
    found = by_tshark(unix_capture(timelines), tmp_path, *fields)
    sent = [
        (timeline.call_of[part.call], part)
        for timeline in timelines
        for channel in timeline.correlation.channels
        if channel.sender in timeline.endpoint_of
        and timeline.endpoint_of[channel.sender].protocol == "unix"
        for part in channel.parts
    ]
    sent.sort(key=lambda each: each[0].entry_ns)
    assert [bytes.fromhex(data) for data, _, _ in found] == [call.data for call, _ in sent] != []
    assert [time.replace(".", "") for _, time, _ in found] == [
        str(call.entry_ns) for call, _ in sent
    ]
    for (_, _, comment), (call, part) in zip(found, sent, strict=True):
        assert comment.startswith(f"{call.id}: {call.name} on descriptor {call.descriptor} by ")
        assert f"bytes {part.start} to {part.end} of this way" in comment
        assert f"read by {', '.join(map(str, part.reads))}" in comment


@pytest.mark.programs
def test_the_names_of_both_ends_are_said(tmp_path: Path) -> None:
    timelines = recorded_result("traced-unix4").timelines
    found = by_tshark(unix_capture(timelines), tmp_path, "-e", "frame.comment")
    comments = [comment for (comment,) in found]
    assert "unnamed → /run/wirelab/conversation" in comments[0]
    assert "/run/wirelab/conversation → unnamed" in comments[3]
    assert any("@wirelab → unnamed" in comment for comment in comments)
    assert any("unnamed → unnamed" in comment for comment in comments)


@pytest.mark.programs
def test_addresses_stand_for_sockets_and_have_their_names(tmp_path: Path) -> None:
    timelines = recorded_result("traced-unix4").timelines[:1]
    columns = (
        "-N",
        "n",
        "-e",
        "_ws.col.Source",
        "-e",
        "_ws.col.Destination",
        "-e",
        "frame.comment",
    )
    found = by_tshark(unix_capture(timelines), tmp_path, *columns)
    assert [each[:2] for each in found] == [["client/s2", "server/s3"]] * 3 + [
        ["server/s3", "client/s2"]
    ] * 3
    assert "127.0.0.2 stands for client/s2, 127.0.0.3 for server/s3" in found[0][2]


@pytest.mark.programs
def test_a_response_is_paired_with_its_request_and_a_body_is_a_continuation(
    tmp_path: Path,
) -> None:
    fields = ("-e", "http.request.method", "-e", "http.response.code", "-e", "http.request_in")
    found = by_tshark(unix_capture(saying(TALK)), tmp_path, "-Y", "http", *fields)
    assert found[0] == ["GET", "", ""]
    assert ["", "200", "1"] in found
    said = by_tshark(unix_capture(saying(TALK)), tmp_path, "-e", "_ws.col.Info")
    assert said[4] == ["Continuation"]


@pytest.mark.programs
@pytest.mark.parametrize("chosen", ["", "http"])
def test_the_dissector_is_found_or_chosen(chosen: str, tmp_path: Path) -> None:
    plain = recorded_result("traced-unix4").timelines[:1]
    found = by_tshark(unix_capture(plain, chosen), tmp_path, "-e", "exported_pdu.prot_name")
    assert found == [[chosen or "data"]] * 6


@pytest.mark.programs
def test_what_was_cut_off_is_missing_and_said(tmp_path: Path) -> None:
    long = REQUEST[:-2] + b"X-Long: " + b"x" * 400 + b"\r\n\r\n"
    timelines = saying({"client#3": long}, cut={"client#3": 128})
    fields = (
        "-e",
        "frame.len",
        "-e",
        "frame.cap_len",
        "-e",
        "frame.comment",
        "-e",
        "http.request.uri",
    )
    length, captured, comment, uri = by_tshark(unix_capture(timelines), tmp_path, *fields)[0]
    assert int(length) - int(captured) == len(long) - 128
    assert f"128 of its {len(long)} bytes are known, the others cut off" in comment
    data = unix_capture(timelines)
    assert data is not None
    about = data[: data.index(b"wirelab")].decode("ascii", "replace")
    assert f"{len(long) - 128} bytes are missing in 1 packet of " in about
    whole = unix_capture(saying(TALK))
    assert whole is not None
    assert b"missing" not in whole
    assert uri == "/hello"


def test_an_unfinished_send_and_one_of_nothing_are_no_packets() -> None:
    nothing = saying(dict.fromkeys(("client#3", "client#4", "client#5"), b""))
    nothing_back = saying(
        dict.fromkeys(
            ("client#3", "client#4", "client#5", "server#11", "server#12", "server#13"), b""
        )
    )
    assert unix_capture(nothing) is not None
    assert unix_capture(nothing_back) is None
    assert unix_capture(recorded_result("tcp4").timelines) is None


@pytest.mark.programs
def test_of_an_unknown_other_end_sends_and_reads_are_packets(tmp_path: Path) -> None:
    timelines = saying({"client#3": REQUEST, "client#8": HEADER + BODY}, other_end=False)
    columns = ("-N", "n", "-e", "_ws.col.Source", "-e", "_ws.col.Destination", "-e", "_ws.col.Info")
    found = by_tshark(unix_capture(timelines), tmp_path, *columns)
    assert found[0][:2] == ["client/s2", "unknown"]
    assert found[0][2].startswith("GET /hello HTTP/1.1")
    assert found[-1][:2] == ["unknown", "client/s2"]
    assert found[-1][2].startswith("HTTP/1.0 200 OK")


SURE: Sequence[tuple[bytes, str]] = (
    (REQUEST, "http"),
    (HEADER, "http"),
    (b"OPTIONS * HTTP/1.1\r\n", "http"),
    (b"GET http://host/ HTTP/1.0\r\n", "http"),
    (b"POST /a/path/that/is/cut", "http"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http2"),
    (bytes.fromhex("1603010200010001fc0303"), "tls"),
    (bytes.fromhex("160303007a020000760303"), "tls"),
)
UNSURE = (
    b"",
    b"GET key\r\n",
    b"GET /key\r\n",
    b"SET /key value\r\n",
    b"get / HTTP/1.1\r\n",
    b"HTTP/",
    bytes.fromhex("1603"),
    bytes.fromhex("16030100050e"),
    b"\0GET / HTTP/1.1\r\n",
)


@pytest.mark.parametrize(("data", "name"), SURE)
def test_what_begins_as_a_protocol_does_is_that(data: bytes, name: str) -> None:
    assert dissector_of(data) == name


@pytest.mark.parametrize("data", UNSURE)
def test_what_is_not_sure_is_data(data: bytes) -> None:
    assert dissector_of(data) == "data"
