"""What wires did to frames, joined with them: dropped, copied, changed, late."""

from __future__ import annotations

import zlib
from dataclasses import replace

import pytest
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.crossings import join_crossings
from lab.analysis.flows.strikes import (
    Fates,
    Struck,
    join_strikes,
    strike_doubts,
    strike_id,
    unmatched,
)
from lab.analysis.packets.packet import IPv4
from lab.analysis.tcp.segment import Note
from lab.records import CapturePoint, Direction, Frame, WireRule, WireStrike

OUT, IN = Direction.OUT, Direction.IN
A = CapturePoint("a/eth0", "a", "eth0", "a/eth0--b/eth0", 0, 0)
B = CapturePoint("b/eth0", "b", "eth0", "a/eth0--b/eth0", 0, 0)
RULES = (
    WireRule("step", "a>b drop 1", "drop", A.link, 1, 1),
    WireRule("step", "a>b corrupt -1", "corrupt", A.link, 1, 1),
    WireRule("step", "a>b duplicate 2", "duplicate", A.link, 0, 0),
    WireRule("other", "a>b drop 9", "drop", A.link, 0, 0),
)


def data(text: str) -> bytes:
    return bytes(14) + text.encode()


def frame(time_ns: int, point: CapturePoint, direction: Direction, text: str) -> Frame:
    return Frame(time_ns, point.name, direction, data(text), len(data(text)))


def strike(text: str, **fields: object) -> WireStrike:
    plain = WireStrike(
        time_ns=5, rule=0, point=A.name, checksum=zlib.crc32(data(text)), occurrence=0, copy=0,
        is_end=False, copies=0, delay_ns=0, changed=b"", step="step",
    )  # fmt: skip
    return replace(plain, **fields)  # type: ignore[arg-type]


def joined(frames: list[Frame], *strikes: WireStrike) -> list[tuple[str, int | None, int | None]]:
    return [
        (crossing.packet.frame.data[14:].decode(), crossing.sent_ns, crossing.received_ns)
        for crossing in crossings(frames, *strikes)
    ]


def crossings(frames: list[Frame], *strikes: WireStrike) -> tuple[Crossing, ...]:
    return join_crossings(frames, [A, B], 1, strikes)


def test_a_dropped_frame_does_not_arrive_as_the_next_with_the_same_bytes() -> None:
    frames = [frame(1, A, OUT, "x"), frame(10, A, OUT, "x"), frame(12, B, IN, "x")]
    assert joined(frames) == [("x", 1, 12), ("x", 10, None)]
    assert joined(frames, strike("x", is_end=True)) == [("x", 1, None), ("x", 10, 12)]


def test_a_strike_is_on_the_frame_of_its_number_among_those_with_the_same_bytes() -> None:
    frames = [frame(1, A, OUT, "x"), frame(2, A, OUT, "x"), frame(3, B, IN, "x")]
    second = strike("x", occurrence=1, is_end=True)
    assert joined(frames, second) == [("x", 1, 3), ("x", 2, None)]
    one, other = crossings(frames, second)
    assert (one.strikes, other.strikes) == ((), (strike_id(1),))


def test_a_changed_frame_ends_and_what_was_made_of_it_arrives() -> None:
    frames = [frame(1, A, OUT, "x"), frame(7, B, IN, "y")]
    before, after = crossings(frames, strike("x", changed=data("y")))
    assert (before.lost, before.is_made, before.strikes) == (True, False, (strike_id(1),))
    assert (after.sent_ns, after.received_ns, after.is_made) == (None, 7, True)
    assert after.strikes == (strike_id(1),)
    assert (after.sender, after.receiver) == ("a", "b")


def test_copies_are_made_by_the_wire() -> None:
    frames = [frame(1, A, OUT, "x"), *(frame(at, B, IN, "x") for at in (6, 7, 8))]
    first, *copies = crossings(frames, strike("x", copies=2))
    assert (first.sent_ns, first.received_ns, first.is_made) == (1, 6, False)
    assert [(c.sent_ns, c.received_ns, c.is_made) for c in copies] == [
        (None, 7, True), (None, 8, True),
    ]  # fmt: skip


def test_a_frame_that_nobody_sent_and_no_wire_made_is_not_said_to_be_made() -> None:
    frames = [frame(1, A, OUT, "x"), *(frame(at, B, IN, "x") for at in (6, 7, 8))]
    *_, last = crossings(frames, strike("x", copies=1))
    assert (last.is_made, last.strikes) == (False, ())


def test_of_a_copy_that_was_dropped_nothing_is_expected() -> None:
    fate = Fates([strike("x", copies=2), strike("x", copy=1, is_end=True)]).of(
        frame(1, A, OUT, "x")
    )
    assert fate is not None and fate.arrives and fate.made == (data("x"),)


def test_a_frame_that_was_copied_and_then_changed() -> None:
    fates = Fates([strike("x", copies=1), strike("x", changed=data("y"))])
    fate = fates.of(frame(1, A, OUT, "x"))
    assert fate is not None and not fate.arrives
    assert sorted(fate.made) == [data("x"), data("y")]


def test_frames_that_no_rule_struck_have_no_fate() -> None:
    fates = Fates([strike("x", is_end=True)])
    assert fates.of(frame(1, B, OUT, "x")) is None
    assert fates.of(frame(1, A, OUT, "y")) is None
    assert fates.of(frame(1, A, OUT, "x")) is not None
    assert fates.of(frame(2, A, OUT, "x")) is None


@pytest.mark.parametrize(
    ("strike", "rule", "text"),
    [
        (strike("x", is_end=True), RULES[0], "dropped"),
        (strike("x", is_end=True), replace(RULES[0], action="loss"), "dropped by lot"),
        (strike("x", is_end=True), replace(RULES[0], action="rate"),
         "dropped, its queue was full"),
        (strike("x", copies=1), RULES[2], "copied"),
        (strike("x", copies=2), RULES[2], "copied 2 times"),
        (strike("x", changed=b"y"), RULES[1], "corrupted"),
        (strike("x", changed=b"y"), replace(RULES[1], action="truncate"), "cut short"),
        (strike("x", delay_ns=1_500_000), replace(RULES[0], action="delay"),
         "held back for 1.5 ms"),
        (strike("x"), replace(RULES[0], action="swap"), "held back until the next had passed"),
        (strike("x", checksum=0), replace(RULES[0], action="down"), "link down"),
    ],
)  # fmt: skip
def test_a_strike_in_words(strike: WireStrike, rule: WireRule, text: str) -> None:
    assert Struck(strike_id(1), strike, rule, None, ()).text == text


def test_strikes_have_their_frames_and_what_came_of_them() -> None:
    frames = [frame(1, A, OUT, "x"), frame(2, A, OUT, "z"), frame(7, B, IN, "y")]
    strikes = [strike("z", is_end=True), strike("x", rule=1, changed=data("y"))]
    found = join_strikes(strikes, RULES, crossings(frames, *strikes))
    assert [(str(each.id), str(each.frame), list(map(str, each.made))) for each in found] == [
        ("strike 1", "f2", []), ("strike 2", "f1", ["f3"]),
    ]  # fmt: skip
    assert found[1].rule == RULES[1]


def test_rules_that_matched_nothing_are_named_in_their_step() -> None:
    assert unmatched(RULES, "step") == ["the wire rule 'a>b duplicate 2' matched no frame"]


def test_a_recorded_run_with_wires() -> None:
    recording = s.recording_of("wired-tcp4")
    (timeline,) = build_timelines(recording)
    assert timeline.bracket.incomplete == ()
    assert [each.text for each in timeline.struck] == [
        "rewritten", "copied", "held back for 2 ms", "corrupted",
    ]  # fmt: skip
    by_id = {crossing.id: crossing for crossing in timeline.crossings}
    rewritten, copied, late, corrupted = timeline.struck
    before, after = (by_id[name] for name in (rewritten.frame, *rewritten.made) if name)
    assert isinstance(before.packet.ip, IPv4) and isinstance(after.packet.ip, IPv4)
    assert (before.packet.ip.ttl, after.packet.ip.ttl) == (64, 9)
    notes = {
        segment.crossing: segment.notes
        for talk in timeline.conversations
        for segment in talk.segments
    }
    for struck, note in ((rewritten, Note.CHANGED), (copied, Note.DUPLICATED),
                         (corrupted, Note.DAMAGED)):  # fmt: skip
        assert [note in notes[name.number] for name in struck.made] == [True]
    assert late.frame is not None and late.made == ()
    held = by_id[late.frame]
    assert held.sent_ns and held.received_ns
    assert held.received_ns - held.sent_ns >= 2_000_000


def test_a_rule_that_matched_nothing_makes_a_run_undecided() -> None:
    recording = s.recording_of("wired-tcp4")
    rules = (replace(recording.wire_rules[0], matched=0), *recording.wire_rules[1:])
    (timeline,) = build_timelines(replace(recording, wire_rules=rules))
    assert timeline.bracket.incomplete == (
        "the wire rule 'client>server rewrite ttl=9 SYN' matched no frame",
    )


def test_frames_that_the_wire_itself_lost_make_a_run_undecided() -> None:
    (timeline,) = build_timelines(replace(s.recording_of("wired-tcp4"), wire_lost=2))
    assert timeline.bracket.incomplete == ("a link's wire itself lost 2 frames",)


def test_without_its_strikes_the_same_run_shows_frames_that_nobody_sent() -> None:
    (timeline,) = build_timelines(replace(s.recording_of("wired-tcp4"), wire_strikes=()))
    assert any("one of the two is wrong" in reason for reason in timeline.bracket.incomplete)


X_DROPPED = strike("x", is_end=True)
ONCE = (replace(RULES[0], matched=1, strikes=1),)


@pytest.mark.parametrize(
    ("strikes", "frames", "doubt"),
    [
        ([], [frame(1, A, OUT, "x")], "0 strikes of the wire rule 'a>b drop 1', which made 1"),
        ([X_DROPPED], [frame(1, A, OUT, "y")], "strike 1 of a wire is on no frame"),
        ([X_DROPPED], [frame(1, A, OUT, "x"), frame(3, B, IN, "x")], "f2 arrived, and the wire"),
        ([strike("x", delay_ns=5)], [frame(1, A, OUT, "x")], "what the wire tells of f1 is not"),
        ([strike("x", copies=1)], [frame(1, A, OUT, "x"), frame(3, B, IN, "x")],
         "what the wire tells of f1 is not"),
        ([strike("x", changed=data("z"))], [frame(1, A, OUT, "x"), frame(3, B, IN, "y")],
         "what the wire tells of f1 is not"),
    ],
)  # fmt: skip
def test_a_wire_that_is_contradicted(
    strikes: list[WireStrike], frames: list[Frame], doubt: str
) -> None:
    found = strike_doubts(strikes, ONCE, "step", crossings(frames, *strikes))
    assert len(found) == 1 and doubt in found[0]


def test_a_wire_that_is_not_contradicted() -> None:
    frames = [frame(1, A, OUT, "x"), frame(2, A, OUT, "y"), frame(3, B, IN, "y")]
    assert strike_doubts([X_DROPPED], ONCE, "step", crossings(frames, X_DROPPED)) == []


def test_a_strike_of_no_rule_has_no_place() -> None:
    assert join_strikes([replace(X_DROPPED, rule=9)], RULES, ()) == ()
