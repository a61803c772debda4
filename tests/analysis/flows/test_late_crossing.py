"""A run whose frames are stored is understood as if they were in memory."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
import recorded as r
import remembered
from stored import stored, stored_and_read

from lab.analysis import assembly
from lab.analysis.flows.bracket import find_brackets
from lab.analysis.flows.changes import changes, changes_between, lifetime_of
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.crossings import join_crossings
from lab.analysis.flows.flow import ends_of, group_flows, transport_endpoints
from lab.analysis.flows.late_crossing import LateCrossing, LateHop, LatePackets, LateWay
from lab.analysis.flows.translation import bytes_of_packet, packet_bytes
from lab.analysis.packets.packet import Packet, TcpFlags
from lab.analysis.story import phases
from lab.recording.storage import load_recording
from lab.records import Recording
from lab.report.capture.comments import frame_comments
from lab.report.document.report import report_document
from lab.run import judge_recording
from lab.scenario_files import find_recorded, load_scenario

KINDS = (
    "broadcast4", "calls4", "corrupt4", "dns4", "duplicate4", "fragments6", "loss-data4", "nat4",
    "nat6", "pmtu4", "raw4", "reorder4", "reset4", "routing4", "switch4", "traced-reset4",
    "traced-tcp6", "two-homed4", "types4", "udp6", "unix4", "wired-tcp4",
)  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_all_that_is_said_of_a_recording_is_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for function in remembered.FUNCTIONS:
        known = getattr(assembly, function)
        monkeypatch.setattr(assembly, function, getattr(known, "__wrapped__", known))
    recording = load_recording(r.FOLDER / name)
    scenario = load_scenario(find_recorded(recording.scenario, recording.source, ""))
    told = []
    for frames in (recording.frames, stored(recording.frames)):
        timelines, judgements = judge_recording(replace(recording, frames=frames), scenario)
        told.append((report_document(timelines, judgements), dict(frame_comments(timelines))))
        kinds = {type(each) for timeline in timelines for each in timeline.crossings}
        is_late = any(issubclass(kind, LateCrossing) for kind in kinds)
        assert is_late == (frames is not recording.frames)
    assert told[0] == told[1]


def snapped(recording: Recording, snap_bytes: int) -> Recording:
    """The same as `--snap` has it. Canaries are shorter than what is kept."""
    frames = [replace(each, data=each.data[:snap_bytes]) for each in recording.frames]
    return replace(recording, frames=tuple(frames), snap_bytes=snap_bytes)


@pytest.mark.parametrize("snap_bytes", [64, 90, 200])
@pytest.mark.parametrize("name", ["tcp4", "loss-data4", "nat4", "traced-tcp6", "udp4", "udp6"])
def test_all_that_is_said_of_frames_that_were_cut_is_the_same(
    name: str, snap_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for function in remembered.FUNCTIONS:
        known = getattr(assembly, function)
        monkeypatch.setattr(assembly, function, getattr(known, "__wrapped__", known))
    recording = snapped(load_recording(r.FOLDER / name), snap_bytes)
    scenario = load_scenario(find_recorded(recording.scenario, recording.source, ""))
    told = []
    for frames in (recording.frames, stored(recording.frames)):
        timelines, judgements = judge_recording(replace(recording, frames=frames), scenario)
        told.append((report_document(timelines, judgements), dict(frame_comments(timelines))))
    assert told[0] == told[1]


def both(
    name: str, snap_bytes: int | None = None
) -> tuple[tuple[Crossing, ...], tuple[Crossing, ...]]:
    """The crossings of a recording's first step, as they are and late."""
    recording = load_recording(r.FOLDER / name)
    if snap_bytes is not None:
        recording = snapped(recording, snap_bytes)
    late = replace(recording, frames=stored(recording.frames))
    every = [find_brackets(each)[0].frames for each in (recording, late)]
    one, other = (join_crossings(frames, recording.points) for frames in every)
    return one, other


def test_crossings_are_equal_whenever_their_packets_are_made() -> None:
    here, late = both("tcp6")
    assert here == late
    assert late == here
    assert late == both("tcp6")[1]
    assert late[0] != late[1]
    assert hash(here[4]) == hash(late[4])
    assert late[4] != "f5"
    assert [each.data for each in late] == [each.packet.frame.data for each in here]
    for one, other in zip(here, late, strict=True):
        assert other.arrived_point == one.arrived_point == one.packet.frame.point
        assert other.wire_bytes == one.wire_bytes == one.packet.frame.wire_bytes


def test_plain_packets_are_made_late_and_all_others_at_once() -> None:
    _, late = both("udp4")
    kinds = {isinstance(each, LateCrossing) for each in late}
    assert kinds == {True, False}
    for each in late:
        is_plain = bool(each.packet.udp) and not each.packet.reassembled
        assert isinstance(each, LateCrossing) == is_plain
        assert (each.right_checksums, each.is_plain) == ((2, True) if is_plain else (0, False))


def test_a_wrong_checksum_is_found_whatever_is_asked_first() -> None:
    name = "corrupt4"
    here, _ = both(name)
    wrong = [each.number for each in here if each.packet.tcp and not each.packet.tcp.checksum_ok]
    assert wrong
    for number in wrong:
        for ask in ("is_plain", "packet"):
            late = both(name)[1][number - 1]
            getattr(late, ask)
            assert not late.is_plain
            assert late.packet == here[number - 1].packet
            assert late.packet is late.packet


def test_a_packet_is_made_again_without_its_checksums_being_computed() -> None:
    frames, reading = stored_and_read(r.recorded(4).frames)
    crossings = join_crossings(frames, r.recorded(4).points)
    late = next(each for each in crossings if isinstance(each, LateCrossing))
    assert late.place is not None
    first = late.packet
    before = reading.times
    assert late.packet is first
    assert reading.times == before
    late.place.late._recent.clear()
    assert late.packet == first
    assert reading.times == before + 1


def test_of_many_packets_those_asked_for_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.analysis.flows.late_crossing._MOST_RECENT", 3)
    _, late = both("tcp4")
    for each in late:
        assert each.packet.frame.data == each.data
    place = next(each.place for each in late if isinstance(each, LateCrossing))
    assert place is not None
    assert 0 < len(place.late._recent) <= 3


def ways(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[tuple[Crossing, ...], tuple[Crossing, ...]]:
    """The crossings of a recording of a network, as they are and late."""
    for function in remembered.FUNCTIONS:
        known = getattr(assembly, function)
        monkeypatch.setattr(assembly, function, getattr(known, "__wrapped__", known))
    recording = load_recording(r.FOLDER / name)
    found = []
    for frames in (recording.frames, stored(recording.frames)):
        timelines = assembly.build_timelines(replace(recording, frames=frames))
        found.append(tuple(each for timeline in timelines for each in timeline.crossings))
    return found[0], found[1]


@pytest.mark.parametrize("name", ["nat4", "nat6", "routing4", "switch4", "pmtu4", "two-homed4"])
def test_what_went_over_several_links_is_the_same_on_each(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, late = ways(name, monkeypatch)
    assert late == here
    assert here == late
    assert pickle.loads(pickle.dumps(late)) == here
    assert {LateWay, LateHop} <= {type(each) for way in late for each in (way, *way.hops)}
    for one, other in zip(here, late, strict=True):
        assert other.data == one.data
        assert other.arrived_point == one.arrived_point == one.arrived.frame.point
        assert other.carried == one.carried
        assert ends_of(other) == ends_of(one)
        packets = [hop.packet for hop in one.hops] or [one.packet]
        checksums = [getattr(layer, "checksum_ok", None) for p in packets for layer in p.layers]
        assert other.right_checksums in (0, checksums.count(True))
        assert hash(other) == hash(one)
        for hop, late_hop in zip(one.hops, other.hops, strict=True):
            assert hash(late_hop) == hash(hop)
            assert (late_hop.data, late_hop.point) == (hop.data, hop.point)
            assert late_hop.wire_bytes == hop.wire_bytes == hop.packet.frame.wire_bytes
            assert lifetime_of(late_hop) == lifetime_of(hop) == hop.packet.lifetime
            assert bytes_of_packet(late_hop) == packet_bytes(hop.packet)
        for pairs in zip(one.forwarded, other.forwarded, strict=True):
            (before, after), (late_before, late_after) = pairs
            expected = changes(before.packet, after.packet)
            assert changes_between(late_before, late_after) == expected
            assert changes_between(before, after) == expected


def test_what_is_changed_of_one_is_made_as_late_or_has_its_packet() -> None:
    here, late = both("tcp4")
    known = late[5]
    assert isinstance(known, LateCrossing)
    changed = known.changed(sender="elsewhere")
    assert isinstance(changed, LateWay)
    assert changed == here[5].changed(sender="elsewhere")
    assert changed.head == known.head
    assert changed.rows == known.rows
    again = replace(known, sender="elsewhere")
    assert isinstance(again, LateCrossing)
    assert again.place is None
    assert again.changed(number=7) == here[5].changed(sender="elsewhere", number=7)
    assert again.as_hop() == known.changed(sender="elsewhere").as_hop()
    assert again.rows == ()


def test_what_is_changed_of_one_has_its_packet() -> None:
    here, late = both("tcp4")
    changed = replace(late[5], sender="elsewhere")
    assert changed == replace(here[5], sender="elsewhere")
    assert not changed.is_plain
    assert changed.head is None
    assert changed.carried == here[5].carried
    assert changed.wire_bytes == here[5].wire_bytes
    assert changed.data == here[5].data


def test_a_payload_that_is_kept_is_read_when_it_is_asked_for() -> None:
    here, late = both("tcp4")
    for one, other in zip(here, late, strict=True):
        carried, kept = one.packet.carried, other.carried
        assert one.carried == kept == carried
        if carried is not None and kept is not None:
            assert kept.part(1, 3) == carried.part(1, 3)


def test_another_process_gets_them_with_their_packets() -> None:
    here, late = both("tcp4")
    assert pickle.loads(pickle.dumps(late)) == here


@pytest.mark.parametrize("name", ["tcp4", "tcp6", "traced-tcp6"])
def test_packets_are_made_of_openings_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for function in remembered.FUNCTIONS:
        known = getattr(assembly, function)
        monkeypatch.setattr(assembly, function, getattr(known, "__wrapped__", known))
    recording = load_recording(r.FOLDER / name)
    made: set[int] = set()
    make = LatePackets.of

    def noted(late: LatePackets, number: int) -> Packet:
        made.add(number)
        return make(late, number)

    monkeypatch.setattr(LatePackets, "of", noted)
    timelines = assembly.build_timelines(replace(recording, frames=stored(recording.frames)))
    report_document(timelines, ())
    frame_comments(timelines)
    every = [each for timeline in timelines for talk in timeline.conversations
             for each in talk.segments]  # fmt: skip
    assert len(every) > 8
    openings = {each.crossing for each in every if int(each.flags) & TcpFlags.SYN}
    assert made & {each.crossing for each in every} <= openings


def test_of_what_routers_forwarded_packets_are_made_of_openings_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: set[int] = set()
    make = LatePackets.of

    def noted(late: LatePackets, number: int) -> Packet:
        made.add(number)
        return make(late, number)

    for function in remembered.FUNCTIONS:
        known = getattr(assembly, function)
        monkeypatch.setattr(assembly, function, getattr(known, "__wrapped__", known))
    monkeypatch.setattr(LatePackets, "of", noted)
    recording = load_recording(r.FOLDER / "pmtu4")
    timelines = assembly.build_timelines(replace(recording, frames=stored(recording.frames)))
    report_document(timelines, ())
    frame_comments(timelines)
    segments = [each for timeline in timelines for talk in timeline.conversations
                for each in talk.segments]  # fmt: skip
    openings = [each for each in segments if int(each.flags) & TcpFlags.SYN]
    assert len(segments) > 30
    assert len(made) <= len(openings)


@pytest.mark.parametrize("snap_bytes", [None, 64, 90])
def test_the_head_of_a_plain_packet_is_what_the_packet_says(snap_bytes: int | None) -> None:
    for name in ("tcp4", "tcp6", "udp4", "udp6", "corrupt4", "loss-data4"):
        here, late = both(name, snap_bytes)
        assert all(each.head is None for each in here)
        for one, other in zip(here, late, strict=True):
            head, tcp = other.head, one.packet.tcp
            assert (head is not None) == other.is_plain
            if head is None:
                continue
            ends = transport_endpoints(one.packet)
            assert ends is not None
            assert head.ends == ("udp" if tcp is None else "tcp", *ends)
            numbers = (0, 0, 0, 0) if tcp is None else (tcp.seq, tcp.ack, tcp.flags, tcp.window)
            assert head[1:5] == numbers
            header, carried = tcp or one.packet.udp, one.packet.carried
            assert header is not None
            assert head.length == header.payload_bytes
            assert other.carried == carried
            is_whole = len(one.data) == one.wire_bytes
            assert (other.right_checksums > 0) == is_whole
            assert head.has_sack == (tcp is not None and tcp.option("sack") is not None)


@pytest.mark.parametrize("name", ["udp4", "udp6"])
def test_flows_and_phases_of_datagrams_need_no_packet(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, late = both(name)
    whole = [each for each in late if each.is_plain]
    assert whole
    monkeypatch.setattr(LatePackets, "of", None)
    flows = group_flows(whole)
    found = phases(whole, ())
    monkeypatch.undo()
    plain = {each.number for each in whole}
    same = [each for each in here if each.number in plain]
    assert flows == group_flows(same)
    assert found == phases(same, ())
