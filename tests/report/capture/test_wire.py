from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from ipaddress import ip_interface
from pathlib import Path

import pytest
from captured import capture_of, frames_of
from scenes import recorded_result

from lab.analysis.flows.bracket import ETHERNET_HEADER_BYTES
from lab.analysis.flows.flow import transport_endpoints
from lab.analysis.timeline import Timeline
from lab.capture_files import show_capture
from lab.records import Direction
from lab.report.capture.wire import wire_capture

RUNS = ("tcp4", "tcp6", "udp4", "udp6", "unix4", "unix6", "calls4", "calls6", "raw4", "raw6")
FLAWLESS = ("tcp4", "tcp6", "traced-tcp4", "traced-tcp6", "unix4", "unix6", "calls4", "calls6")
CLOSING = {
    "This frame initiates the connection closing",
    "This frame undergoes the connection closing",
}
"""What tshark notes of every connection that is closed in order, and above "chat"."""

with_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="needs tshark")


def by_tshark(timelines: tuple[Timeline, ...], folder: Path, *words: str) -> str:
    path = folder / "wire.pcapng"
    path.write_bytes(wire_capture(timelines))
    command = ["tshark", "-r", str(path), *words]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60)
    return done.stdout


@pytest.mark.parametrize("name", RUNS)
def test_each_frame_is_there_once_as_it_left(name: str) -> None:
    result = recorded_result(name)
    canaries = {canary.payload for canary in result.recording.canaries}
    left = [
        (frame.time_ns, frame.data)
        for frame in result.recording.frames
        if frame.direction is Direction.OUT and frame.data[ETHERNET_HEADER_BYTES:] not in canaries
    ]
    written = [(frame.time_ns, frame.data) for frame in frames_of(wire_capture(result.timelines))]
    assert sorted(written) == sorted(left) != []
    assert [time for time, _ in written] == sorted(time for time, _ in written)


def test_a_frame_that_was_only_seen_arriving_is_there_at_that_time() -> None:
    (timeline,) = recorded_result("tcp4").timelines
    first, *others = timeline.crossings
    came = next(
        frame
        for frame in timeline.recording.frames
        if frame.direction is Direction.IN and frame.data == first.packet.frame.data
    )
    only_came = replace(first, packet=replace(first.packet, frame=came), sent_ns=None)
    odd = replace(timeline, crossings=(only_came, *others))
    assert (came.time_ns, came.data) in [
        (f.time_ns, f.data) for f in frames_of(wire_capture((odd,)))
    ]


def test_interfaces_are_named_by_link() -> None:
    result = recorded_result("unix4")
    links = {point.link for point in result.recording.points}
    assert {frame.point for frame in frames_of(wire_capture(result.timelines))} <= links


def test_an_address_of_two_hosts_names_neither() -> None:
    (timeline,) = recorded_result("tcp6").timelines
    recording = timeline.recording
    link_local = ip_interface("fe80::1234/64")
    both = tuple(
        replace(seen, addresses=(*seen.addresses, link_local)) for seen in recording.interfaces
    )
    assert {seen.host for seen in both} == {"client", "server"}
    odd = replace(timeline, recording=replace(recording, interfaces=both))
    assert wire_capture((odd,)) == wire_capture((timeline,))


@pytest.mark.programs
@with_tshark
@pytest.mark.parametrize("name", FLAWLESS)
def test_tshark_finds_nothing_odd_in_a_flawless_run(name: str, tmp_path: Path) -> None:
    said = by_tshark(recorded_result(name).timelines, tmp_path, "-q", "-z", "expert")
    above_chat = said.partition("Chats (")[0]
    found = set(re.findall(r"^ +\d+ +\w+ +\S+  (.+)$", above_chat, re.MULTILINE))
    assert found == CLOSING


@pytest.mark.programs
@with_tshark
@pytest.mark.parametrize("name", ["tcp4", "tcp6"])
def test_tshark_names_the_hosts(name: str, tmp_path: Path) -> None:
    result = recorded_result(name)
    said = by_tshark(result.timelines, tmp_path, "-q", "-z", "hosts")
    named = {tuple(line.split("\t")) for line in said.splitlines() if "\t" in line}
    assert named == {
        (str(address.ip), seen.host)
        for seen in result.recording.interfaces
        for address in seen.addresses
        if not address.ip.is_loopback
    }
    told = by_tshark(result.timelines, tmp_path, "-N", "n", "-Y", "tcp.flags.syn == 1")
    assert "client → server" in told
    assert "server → client" in told


@pytest.mark.programs
@with_tshark
@pytest.mark.parametrize("name", ["tcp4", "tcp6"])
def test_segments_are_those_of_the_ladder_in_its_order(name: str, tmp_path: Path) -> None:
    (timeline,) = recorded_result(name).timelines
    fields = ("-T", "fields", "-e", "tcp.seq_raw", "-e", "tcp.len", "-e", "frame.comment")
    said = by_tshark((timeline,), tmp_path, "-Y", "tcp", *fields)
    found = [line.split("\t") for line in said.splitlines()]
    segments = [each for each in timeline.crossings if each.packet.tcp is not None]
    assert [int(seq) for seq, _, _ in found] == [
        each.packet.tcp.seq for each in segments if each.packet.tcp
    ]
    comments = [(comment, each.id) for (_, _, comment), each in zip(found, segments, strict=True)]
    assert any(comment for comment, _ in comments)
    assert all(comment.startswith(f"{id}: ") for comment, id in comments if comment)


@pytest.mark.programs
@with_tshark
@pytest.mark.parametrize("name", [*FLAWLESS, "types4", "types6", "tls4"])
def test_follow_stream_has_each_byte_once_from_its_side(name: str, tmp_path: Path) -> None:
    timelines = recorded_result(name).timelines
    # As wire.pcapng has them, streams are numbered through all steps.
    flows = [flow for each in show_capture(capture_of(wire_capture(timelines))).flows
             for flow in [each] if flow.protocol == "tcp"]  # fmt: skip
    assert [flow.number for flow in flows] == [*range(len(flows))] != []
    asked = [word for flow in flows for word in ("-z", f"follow,tcp,raw,{flow.number}")]
    said_of = dict(
        part.split("\n", 1)
        for part in by_tshark(timelines, tmp_path, "-q", *asked).split("Filter: tcp.stream eq ")[1:]
    )
    for flow in flows:
        said = said_of[str(flow.number)]
        lines = re.findall(r"^(\t?)((?:[0-9a-f]{2})+)$", said, re.MULTILINE)
        followed = {way: b"".join(bytes.fromhex(data) for tab, data in lines if tab == way)
                    for way in ("", "\t")}  # fmt: skip
        sent = {"": b"", "\t": b""}
        for each in flow.crossings:
            ends = transport_endpoints(each.packet)
            assert ends is not None
            sent["" if ends[0] == flow.a else "\t"] += each.packet.payload
        assert followed == sent


@pytest.mark.programs
@with_tshark
@pytest.mark.parametrize("name", ["tcp4", "tcp6"])
def test_the_flow_graph_has_a_row_for_each_segment_from_its_host(name: str, tmp_path: Path) -> None:
    (timeline,) = recorded_result(name).timelines
    said = by_tshark((timeline,), tmp_path, "-N", "n", "-q", "-z", "flow,tcp,standard")
    arrows = re.findall(r"\((\d+)\) +([<-])-+[->] +\((\d+)\)", said)
    segments = [each for each in timeline.crossings if each.packet.tcp is not None]
    first = segments[0].sender
    assert [arrow for _, arrow, _ in arrows] == [
        "-" if each.sender == first else "<" for each in segments
    ]
