"""Frames at a gate: what goes on by which decision, what can be undone, what is recorded."""

from __future__ import annotations

import frame_bytes as fb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lab.errors import PointedError, UsageError
from lab.wire import held
from lab.wire.grammar import parse_rule
from lab.wire.headers import Headers
from lab.wire.held import Gate, HeldRules, saved
from lab.wire.rule import Hold, LinkWay, Rule, Term
from lab.wire.wire import Rules

MS = 1_000_000
START = 5_000 * MS
SYN, ACK, FIN = 0x02, 0x10, 0x11
WAYS = ("a>b", "b>a")


def held_rules(*texts: str, gate: Gate | None = None, neighbours: bool = False) -> HeldRules:
    rules = [(parse_rule(text), frozenset({WAYS.index(text.split()[0])})) for text in texts]
    hold = Rule("a-b hold", LinkWay("a-b"), Hold(neighbours))
    return HeldRules(rules, START, {}, gate or Gate(), hold, WAYS)


def segment(seq: int, payload: bytes = b"x", flags: int = ACK) -> bytes:
    return fb.ethernet(fb.ipv4(fb.tcp(payload, seq=seq, flags=flags)))


D = [segment(number, b"%d" % number) for number in range(9)]


def numbers(out: list[tuple[int, bytes]]) -> list[int]:
    return [D.index(data) for _, data in out]


def come(wire: HeldRules, *frames: bytes, side: int = 0) -> None:
    for frame in frames:
        assert wire.take(side, frame, START) == []


def states(wire: HeldRules) -> dict[int, str]:
    return {each.number: each.state for each in wire.waiting}


def test_nothing_goes_on_until_it_is_delivered_and_the_time_is_recorded() -> None:
    wire = held_rules()
    come(wire, D[0], D[1])
    assert [each.number for each in wire.waiting] == [1, 2]
    assert wire.deliver(1, START + 7 * MS) == [(0, D[0])]
    (strike,) = wire.strikes
    assert (strike.rule, strike.delay_ns, strike.is_end) == (wire.hold_place, 7 * MS, False)
    assert [(each.number, each.how) for each in wire.passed] == [(1, "delivered")]
    assert states(wire) == {2: "waits"}


def test_of_one_way_frames_go_on_in_their_order_and_the_other_way_waits_for_nobody() -> None:
    wire = held_rules()
    come(wire, D[0], D[1])
    come(wire, D[2], side=1)
    with pytest.raises(UsageError, match="waits before it"):
        wire.deliver(2, START)
    assert wire.deliver(3, START) == [(1, D[2])]
    with pytest.raises(UsageError, match="does not wait any more"):
        wire.deliver(3, START)


def test_a_dropped_frame_comes_back_by_undo_and_nothing_of_it_is_recorded() -> None:
    wire = held_rules()
    come(wire, D[0], D[1])
    assert wire.decide(1, "drop", START) == []
    assert [each.text for each in wire.decided] == ["a>b drop data 1"]
    assert wire.strikes[-1].is_end and states(wire)[1] == "dropped"
    wire.undo(1)
    assert (wire.decided, wire.strikes, states(wire)[1]) == ([], [], "waits")
    assert numbers(wire.deliver(1, START)) == [0]


@pytest.mark.parametrize(
    ("words", "why"),
    [("delay 20", "a frame that came later has gone on"), ("drop", "nothing to undo")],
)
def test_what_was_overtaken_cannot_be_undone(words: str, why: str) -> None:
    wire = held_rules()
    come(wire, D[0], D[1])
    wire.decide(1, words, START)
    wire.deliver(2, START)
    assert states(wire) == ({1: "delayed"} if "delay" in words else {})
    with pytest.raises(UsageError, match=why):
        wire.undo(1)
    with pytest.raises(UsageError, match="nothing to undo"):
        wire.undo(2)


def test_a_copy_follows_and_a_delayed_frame_goes_on_when_it_is_due() -> None:
    wire = held_rules()
    come(wire, D[0], D[1], D[2])
    assert numbers(wire.decide(1, "duplicate", START)) == [0, 0]
    assert wire.decide(2, "delay 20", START) == []
    assert (wire.holds, states(wire)) == (True, {2: "delayed", 3: "waits"})
    assert numbers(wire.deliver(3, START)) == [2]
    assert wire.due(START + 19 * MS) == []
    assert numbers(wire.due(START + 20 * MS)) == [1]
    assert (wire.holds, wire.waiting) == (False, ())


def test_a_delay_that_is_undone_never_ends() -> None:
    wire = held_rules()
    come(wire, D[0])
    wire.decide(1, "delay 20", START)
    wire.undo(1)
    assert (wire.due_ns, wire.due(START + 30 * MS), states(wire)) == (None, [], {1: "waits"})


def test_a_swapped_frame_follows_the_next_of_its_protocol_and_way() -> None:
    wire = held_rules()
    come(wire, D[0])
    come(wire, D[5], side=1)
    come(wire, D[1], D[2])
    wire.decide(1, "swap", START)
    assert numbers(wire.deliver(2, START)) == [5]
    assert numbers(wire.deliver(3, START)) == [1, 0]
    assert numbers(wire.deliver(4, START)) == [2]


def test_a_frame_that_was_edited_still_waits_and_is_sent_as_it_is_then() -> None:
    wire = held_rules()
    come(wire, D[0])
    assert wire.decide(1, "rewrite seq=+100 window=0 raw", START) == []
    (frame,) = wire.waiting
    assert (Headers(frame.data).seq, Headers(frame.data).window) == (100, 0)
    assert (frame.original, frame.state) == (D[0], "waits")
    assert wire.decide(1, "drop", START) == []
    assert [each.text for each in wire.decided] == [
        "a>b rewrite seq=+100 window=0 raw data 1",
        "a>b drop data 1",
    ]
    wire.undo(1)
    wire.undo(1)
    assert (wire.waiting[0].data, wire.decided) == (D[0], [])


@pytest.mark.parametrize(
    ("words", "error"),
    [("dorp", PointedError), ("rate 1M", UsageError), ("rewrite seq=x", PointedError)],
)
def test_wrong_words_change_nothing(words: str, error: type[Exception]) -> None:
    wire = held_rules()
    come(wire, D[0])
    with pytest.raises(error):
        wire.decide(1, words, START)
    assert (wire.decided, wire.strikes, states(wire)) == ([], [], {1: "waits"})


def test_what_a_frame_does_not_have_cannot_be_changed() -> None:
    wire = held_rules()
    come(wire, D[0])
    with pytest.raises(UsageError, match="does not have that"):
        wire.decide(1, "rewrite mss=100", START)


def test_neighbours_find_each_other_unless_they_are_held_as_well() -> None:
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    assert held_rules().take(0, arp, START) == [(0, arp)]
    assert held_rules(neighbours=True).take(0, arp, START) == []


def test_frames_pass_until_one_is_what_was_waited_for() -> None:
    gate = Gate()
    wire = held_rules(gate=gate)
    come(wire, D[0], D[1])
    gate.until = frozenset({Term.FIN})
    assert numbers(wire.pass_one(1, START, is_first=True) or []) == [0]
    assert numbers(wire.pass_one(2, START, is_first=False) or []) == [1]
    assert numbers(wire.take(0, D[2], START)) == [2]
    fin = segment(50, b"", FIN)
    assert wire.take(0, fin, START) == []
    assert gate.until is None
    come(wire, D[3])


def test_the_frame_in_front_passes_even_if_it_is_of_the_kind_that_is_waited_for() -> None:
    gate = Gate()
    wire = held_rules(gate=gate)
    come(wire, D[0], D[1])
    gate.until = frozenset({Term.DATA})
    assert numbers(wire.pass_one(1, START, is_first=True) or []) == [0]
    assert wire.pass_one(2, START, is_first=False) is None
    assert (gate.until, states(wire)) == (None, {2: "waits"})


def test_at_the_end_everything_goes_on_but_what_was_dropped() -> None:
    wire = held_rules()
    come(wire, *D[:5])
    wire.decide(1, "drop", START)
    wire.decide(2, "delay 20", START)
    wire.decide(3, "swap", START)
    assert sorted(numbers(wire.release(START))) == [1, 2, 3, 4]
    assert wire.waiting == ()
    assert numbers(wire.take(0, D[5], START)) == [5]


def test_all_that_waits_is_dropped_by_decisions_of_their_own() -> None:
    wire = held_rules()
    come(wire, *D[:3])
    wire.deliver(1, START)
    wire.drop_all(START)
    assert [each.text for each in wire.decided] == ["a>b drop data 2", "a>b drop data 3"]
    assert wire.release(START) == []


def test_there_is_an_end_to_how_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "MOST_WAITING", 2)
    wire = held_rules()
    come(wire, *D[:3])
    assert states(wire) == {1: "waits", 2: "waits"}
    assert [(s.rule, s.is_end) for s in wire.strikes] == [(wire.hold_place, True)]
    assert [(each.number, each.how) for each in wire.passed] == [(3, "dropped")]


def test_rules_come_before_the_gate() -> None:
    wire = held_rules("a>b drop 1")
    come(wire, D[0], D[1])
    assert [each.data for each in wire.waiting] == [D[1]]
    wire.decide(1, "drop", START)
    assert [each.text for each in wire.decided] == ["a>b drop data 1"]


def test_what_is_resent_since_somebody_was_slow_is_not_counted() -> None:
    wire = held_rules()
    come(wire, D[0], D[0], D[1])
    assert [each.is_resent for each in wire.waiting] == [False, True, False]
    wire.deliver(1, START)
    wire.decide(2, "drop", START)
    wire.decide(3, "drop", START)
    assert [each.text for each in wire.decided] == [
        "a>b drop data retransmission 1",
        "a>b drop data 2",
    ]
    assert saved(wire.decided) == ("a>b drop data 2",)


def test_what_is_resent_since_something_was_dropped_is_counted() -> None:
    wire = held_rules()
    come(wire, D[0])
    wire.decide(1, "drop", START)
    come(wire, D[0])
    wire.decide(2, "drop", START)
    assert sorted(saved(wire.decided)) == ["a>b drop data 1", "a>b drop data 2"]
    wire.undo(2)
    come(wire, D[0])
    assert wire.waiting[-1].is_resent


WORDS = st.sampled_from(["deliver", "drop", "duplicate", "swap", "rewrite window=9", "corrupt -1"])


@example([("swap", 0), ("swap", 0)])
@example([("swap", 0), ("swap", 0), ("deliver", 0)])
@given(st.lists(st.tuples(WORDS, st.integers(0, 1)), max_size=12))
def test_the_saved_rules_do_the_same_to_the_same_frames(todo: list[tuple[str, int]]) -> None:
    frames = [
        (side, segment(100 * number, b"%d" % number if number % 3 else b""))
        for number, (_, side) in enumerate(todo)
    ]
    wire, by_hand = held_rules(), []
    for number, ((words, _), (side, data)) in enumerate(zip(todo, frames, strict=True), start=1):
        wire.take(side, data, START)
        if words != "deliver":
            by_hand += wire.decide(number, words, START)
        if any(each.number == number and each.state == "waits" for each in wire.waiting):
            by_hand += wire.deliver(number, START)
    by_hand += wire.release(START)
    rules = [
        (parse_rule(text), frozenset({WAYS.index(text.split()[0])})) for text in saved(wire.decided)
    ]
    again = Rules(rules, START, {})
    by_rules = [each for side, data in frames for each in again.take(side, data, START)]
    by_rules += again.release(START)
    for side in (0, 1):
        assert [d for s, d in by_rules if s == side] == [d for s, d in by_hand if s == side]
    assert again.matched == [1] * len(rules)
