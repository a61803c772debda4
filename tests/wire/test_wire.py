"""A wire at work: what goes in, what comes out and when, and what is said of it."""

from __future__ import annotations

import zlib

import frame_bytes as fb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.wire.grammar import parse_rule
from lab.wire.headers import Headers
from lab.wire.wire import Rules, Strike, expressions_in

MS = 1_000_000
START = 5_000 * MS
FORTH, BACK = frozenset({0}), frozenset({1})
SIDES = {"a>b": FORTH, "b>a": BACK, "a-b": FORTH | BACK}


def rules(*texts: str) -> Rules:
    parsed = [(parse_rule(text), SIDES[text.split()[0]]) for text in texts]
    return Rules(parsed, START, {})


def datagram(number: int, size: int = 0) -> bytes:
    return fb.ethernet(fb.ipv4(fb.udp(b"%d" % number + bytes(size)), protocol=17))


def segment(seq: int, payload: bytes = b"", flags: int = 0x10) -> bytes:
    return fb.ethernet(fb.ipv4(fb.tcp(payload, seq=seq, flags=flags)))


D = [datagram(number) for number in range(9)]


def passed(wire: Rules, frames: list[bytes], side: int = 0) -> list[bytes]:
    """What goes on of these frames, which come at one time, at that time."""
    out = [each for frame in frames for each in wire.take(side, frame, START)]
    assert {sent_by for sent_by, _ in out} <= {side}
    return [data for _, data in out]


def numbers(frames: list[bytes]) -> list[int]:
    return [D.index(frame) for frame in frames]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a>b drop", []),
        ("a>b drop 3", [0, 1, 3, 4, 5]),
        ("a>b drop every 2", [0, 2, 4]),
        ("a>b drop from 2 to 4", [0, 4, 5]),
        ("a>b drop tcp", [0, 1, 2, 3, 4, 5]),
        ("b>a drop", [0, 1, 2, 3, 4, 5]),
        ("a-b drop 1", [1, 2, 3, 4, 5]),
        ("a>b duplicate 2", [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5]),
        ("a>b duplicate udp 2", [0, 1, 1, 2, 3, 4, 5]),
        ("a>b swap 1", [1, 0, 2, 3, 4, 5]),
        ("a>b swap udp 3", [0, 1, 3, 2, 4, 5]),
        ("a>b swap", [1, 0, 3, 2, 5, 4]),
        ("a>b loss 0%", [0, 1, 2, 3, 4, 5]),
        ("a>b loss 100%", []),
    ],
)
def test_what_goes_on_at_once(text: str, left: list[int]) -> None:
    assert numbers(passed(rules(text), D[:6])) == left


def test_the_same_lots_are_drawn_each_time_and_others_with_another_seed() -> None:
    frames = [datagram(number) for number in range(400)]
    one, same, other = (passed(rules(f"a>b loss 30% seed {seed}"), frames) for seed in (1, 1, 2))
    assert one == same != other
    assert 200 < len(one) < 360


def test_rules_are_applied_one_after_another() -> None:
    assert numbers(passed(rules("a>b drop 2", "a>b drop 2"), D[:5])) == [0, 3, 4]
    assert numbers(passed(rules("a>b duplicate udp 1", "a>b drop 2"), D[:3])) == [0, 1, 2]


def test_a_frame_that_is_delayed_goes_on_when_it_is_due() -> None:
    wire = rules("a>b delay 20 udp 2")
    assert numbers(passed(wire, D[:3])) == [0, 2]
    assert (wire.holds, wire.due_ns) == (True, START + 20 * MS)
    assert wire.due(START + 20 * MS - 1) == []
    assert wire.due(START + 20 * MS) == [(0, D[1])]
    assert (wire.holds, wire.due_ns) == (False, None)


def test_frames_that_are_delayed_alike_keep_their_order() -> None:
    wire = rules("a-b delay 1")
    for number in range(5):
        assert wire.take(number % 2, D[number], START + number) == []
    assert wire.due(START + 10 * MS) == [(number % 2, D[number]) for number in range(5)]


def test_jitter_is_within_its_bounds() -> None:
    wire = rules("a>b delay 10 jitter 5")
    for number in range(200):
        wire.take(0, datagram(number), START)
    delays = [strike.delay_ns for strike in wire.strikes]
    assert min(delays) >= 10 * MS and max(delays) <= 15 * MS and len(set(delays)) > 190


def test_a_rate_sends_frames_one_after_another() -> None:
    wire = rules("a>b rate 1M")
    size_ns = len(D[0]) * 8 * 1000
    for number in range(3):
        wire.take(0, D[number], START)
    assert [strike.delay_ns for strike in wire.strikes] == [size_ns, 2 * size_ns, 3 * size_ns]
    assert wire.due(START + 2 * size_ns) == [(0, D[0]), (0, D[1])]
    wire.due(START + 3 * size_ns)
    later = START + 10 * size_ns
    wire.take(0, D[3], later)
    assert wire.due_ns == later + size_ns


def test_a_queue_that_is_full_drops_what_comes() -> None:
    wire = rules("a>b rate 1M queue 2")
    for number in range(6):
        wire.take(0, D[number], START)
    assert [strike.is_end for strike in wire.strikes] == [False] * 3 + [True] * 3
    size_ns = len(D[0]) * 8 * 1000
    wire.due(START + size_ns)
    wire.take(0, D[6], START + size_ns)
    assert wire.strikes[-1].is_end is False


@pytest.mark.parametrize(
    ("text", "place", "value"), [("corrupt -1", -1, 0xFF), ("corrupt 14:0x0f", 14, 0x0F)]
)
def test_a_byte_is_corrupted(text: str, place: int, value: int) -> None:
    wire = rules(f"a>b {text}")
    (out,) = passed(wire, [D[0]])
    changed = bytearray(D[0])
    changed[place] ^= value
    assert out == bytes(changed) == wire.strikes[0].changed


def test_a_place_that_a_frame_does_not_have_is_left() -> None:
    wire = rules("a>b corrupt 5000")
    assert passed(wire, [D[0]]) == [D[0]]
    assert (wire.strikes, wire.matched) == ([], [0])


def test_a_frame_is_cut_and_rewritten() -> None:
    assert passed(rules("a>b truncate 30"), [D[0]]) == [D[0][:30]]
    assert passed(rules("a>b truncate 1"), [D[0]]) == [D[0][:14]]
    assert passed(rules("a>b truncate 43"), [D[0], D[0] + b"x"]) == [D[0], D[0]]
    (out,) = passed(rules("a>b rewrite dport=53"), [D[0]])
    before, after = Headers(D[0]).ports, Headers(out).ports
    assert before and after == (before[0], 53)


def test_a_retransmission_is_one_for_a_rule_behind_a_delay_too() -> None:
    wire = rules("a>b delay 5", "a>b drop retransmission", "a>b duplicate retransmission")
    first = segment(1, b"abc")
    assert passed(wire, [first, segment(4, b"d"), first]) == []
    assert [data for _, data in wire.due(START + 5 * MS)] == [first, segment(4, b"d")]
    assert wire.matched == [3, 1, 0]


def test_a_copy_of_the_wires_own_is_no_retransmission_behind_a_delay() -> None:
    wire = rules("a>b duplicate", "a>b delay 5", "a>b drop retransmission")
    first = segment(1, b"abc")
    assert passed(wire, [first, first]) == []
    assert [data for _, data in wire.due(START + 5 * MS)] == [first] * 3
    assert wire.matched == [2, 4, 1]


def test_a_retransmission_is_known_from_what_was_sent_before_a_rule_dropped_it() -> None:
    wire = rules("a>b drop data 1", "a>b delay 5 retransmission")
    first, again = segment(1, b"abc"), segment(1, b"abc")
    assert passed(wire, [first]) == []
    assert passed(wire, [again]) == [] and wire.due_ns == START + 5 * MS


def test_a_window_update_is_known_from_the_zero_before_it_on_its_way() -> None:
    def told(size: int) -> bytes:
        return fb.ethernet(fb.ipv4(fb.tcp(window=size)))

    wire = rules("a>b drop window-update 1")
    frames = [told(9), told(0), told(8), told(0), told(7)]
    assert passed(wire, frames) == [frames[0], frames[1], frames[3], frames[4]]
    back = rules("a>b drop window-update 1")
    assert [bool(back.take(1, frame, START)) for frame in frames] == [True] * 5


def test_a_link_goes_down_and_up_at_a_time() -> None:
    wire = rules("a-b down at 10", "a-b up at 30")
    assert wire.due_ns == START + 10 * MS
    times = (0, 9, 10, 29, 30, 31)
    out = [wire.take(at % 2, D[number], START + at * MS) for number, at in enumerate(times)]
    assert [bool(each) for each in out] == [True, True, False, False, True, True]
    assert wire.matched == [1, 1]
    assert [(s.checksum == 0, s.is_end) for s in wire.strikes] == [
        (True, False), (False, True), (False, True), (True, False),
    ]  # fmt: skip


def test_a_link_goes_down_after_a_frame_which_still_passes() -> None:
    wire = rules("a-b down after udp 2", "a-b up after udp 5")
    assert numbers(passed(wire, D[:7])) == [0, 1, 5, 6]


def test_one_way_may_be_down_alone() -> None:
    wire = rules("a>b down")
    assert wire.due(START) == []
    assert wire.take(0, D[0], START) == []
    assert wire.take(1, D[1], START) == [(1, D[1])]


def test_what_is_held_is_released_at_the_end() -> None:
    wire = rules("a>b swap udp 1", "b>a delay 1000")
    wire.take(0, D[0], START)
    wire.take(1, D[1], START)
    assert wire.release(START + MS) == [(1, D[1]), (0, D[0])]
    assert not wire.holds and wire.release(START + MS) == []


def test_a_strike_names_the_frame_by_its_bytes_and_how_often_they_came_before() -> None:
    wire = rules("a>b drop 3")
    passed(wire, [D[0], D[1], D[0], D[0]])
    assert wire.strikes == [Strike(START, 0, 0, zlib.crc32(D[0]), 1, 0, is_end=True)]


def test_a_copy_is_struck_by_its_number() -> None:
    wire = rules("a>b duplicate 2 1", "a>b drop 2")
    passed(wire, [D[0]])
    assert [(s.copy, s.copies, s.is_end) for s in wire.strikes] == [(0, 2, False), (1, 0, True)]


def test_every_rule_counts_what_it_was_about() -> None:
    wire = rules("a>b drop 1", "a>b drop tcp", "b>a drop")
    passed(wire, D[:4])
    assert wire.matched == [1, 0, 0]


@given(
    st.lists(
        st.sampled_from(
            ["drop 2", "duplicate 1", "delay 3 every 2", "swap", "rate 1M queue 3", "loss 20%",
             "jitter 2", "corrupt -1 every 3", "down at 4", "up at 8", "truncate 30"]
        ),
        max_size=4,
    ),
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, 9)), max_size=20),
)  # fmt: skip
def test_no_frame_is_lost_or_made_but_by_a_strike(
    texts: list[str], story: list[tuple[int, int, int]]
) -> None:
    wire = rules(*(f"a-b {text}" for text in texts))
    now, out = START, 0
    for side, wait, number in story:
        now += wait * MS
        out += len(wire.due(now)) + len(wire.take(side, D[number % len(D)], now))
    out += len(wire.release(now))
    ended = sum(strike.is_end for strike in wire.strikes)
    copies = sum(strike.copies for strike in wire.strikes)
    assert out == len(story) + copies - ended
    assert not wire.holds


def test_the_expressions_in_rules() -> None:
    texts = ["a>b drop bpf 'tcp' bpf 'less 90'", "a>b drop SYN", "b>a drop bpf 'tcp'"]
    assert expressions_in(map(parse_rule, texts)) == {"tcp", "less 90"}


def one_more(wire: Rules, text: str, now_ns: int = START) -> None:
    wire.add(parse_rule(text), SIDES[text.split()[0]], now_ns, {})


def more_to_come(*texts: str) -> Rules:
    parsed = [(parse_rule(text), SIDES[text.split()[0]]) for text in texts]
    return Rules(parsed, START, {}, more_may_come=True)


def test_a_rule_that_comes_later_counts_from_then_on_and_others_go_on_counting() -> None:
    wire = more_to_come("a>b drop 4")
    assert numbers(passed(wire, D[:2])) == [0, 1]
    one_more(wire, "a>b drop udp 1")
    assert numbers(passed(wire, D[2:6])) == [4, 5]
    assert wire.matched == [1, 1]
    assert [strike.rule for strike in wire.strikes] == [1, 0]


def test_a_rule_that_comes_later_knows_what_has_passed() -> None:
    wire = more_to_come()
    first, again = segment(1000, b"abc"), segment(1000, b"abc")
    assert passed(wire, [first]) == [first]
    one_more(wire, "a>b drop retransmission")
    assert passed(wire, [again]) == []
    assert wire.strikes[0].occurrence == 1


def test_down_and_up_hold_from_the_moment_when_they_come() -> None:
    wire = more_to_come()
    one_more(wire, "a-b down", START + 5)
    assert wire.due_ns == START + 5
    assert wire.take(0, D[0], START + 6) == []
    one_more(wire, "a-b up", START + 7)
    assert wire.take(0, D[1], START + 8) == [(0, D[1])]
    assert wire.matched == [1, 1]


def test_a_rule_that_has_ended_strikes_no_more_and_what_it_delayed_goes_on_in_time() -> None:
    wire = more_to_come("a>b delay 20", "b>a drop")
    assert passed(wire, D[:1]) == []
    assert wire.in_force() == [0, 1]
    assert wire.end([0], START + 1) == []
    assert wire.in_force() == [1]
    assert numbers(passed(wire, D[1:2])) == [1]
    assert wire.due(START + 20 * MS) == [(0, D[0])]
    assert wire.take(1, D[2], START) == []


def test_what_waits_for_another_goes_on_when_its_rule_ends() -> None:
    wire = more_to_come("a>b swap", "a>b duplicate udp")
    assert passed(wire, D[:1]) == []
    assert wire.end([0], START) == [(0, D[0]), (0, D[0])]


def test_a_link_that_a_rule_has_taken_down_is_up_when_that_ends() -> None:
    wire = more_to_come("a-b down", "a>b down at 50")
    assert wire.take(1, D[0], START) == []
    wire.end([0, 1], START + 1)
    assert wire.due_ns is None
    assert wire.take(1, D[0], START + 60 * MS) == [(1, D[0])]
