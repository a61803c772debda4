from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timeline_edits import timeline_of

from lab.expect.frames import Among
from lab.expect.matching import FrameSeen, in_any_order, in_order
from lab.expect.patterns import ARP, TCP, AnyFrame
from lab.expect.subject import subjects_of_run
from lab.model.claim import Outcome

FRAMES: list[FrameSeen] = Among().of(subjects_of_run([timeline_of("tcp4")]))
PATTERNS: dict[str, AnyFrame] = {
    "arp": ARP(operation=1),
    "syn": TCP(flags="SYN"),
    "synack": TCP(flags="SA"),
    "data": TCP(src="client", length=26),
    "fin": TCP(src="client", flags="FIN"),
    "any": AnyFrame(),
}


def chosen(words: str) -> list[AnyFrame]:
    return [PATTERNS[word] for word in words.split()]


@pytest.mark.parametrize(
    ("words", "ordered", "any_order"),
    [
        ("syn synack fin", True, True),
        ("arp syn data fin", True, True),
        ("fin syn", False, True),
        ("syn syn", False, False),
        ("any any any", True, True),
        ("synack any", True, True),
        ("", True, True),
    ],
)
def test_frames_are_found_in_order_and_in_any(words: str, ordered: bool, any_order: bool) -> None:
    holds = {True: Outcome.HOLDS, False: Outcome.BROKEN}
    patterns = chosen(words)
    assert in_order(patterns, FRAMES, none_else=False).outcome is holds[ordered]
    assert in_any_order(patterns, FRAMES, none_else=False).outcome is holds[any_order]


def test_a_wide_pattern_leaves_the_frame_that_a_narrow_one_needs() -> None:
    two = FRAMES[2:4]  # SYN, SYN-ACK
    patterns = [AnyFrame(), TCP(flags="SYN")]
    assert in_any_order(patterns, two, none_else=True).outcome is Outcome.HOLDS
    assert in_order(patterns, two, none_else=True).outcome is Outcome.BROKEN


def test_none_else_names_the_first_that_is_too_many() -> None:
    for match in (in_order, in_any_order):
        verdict = match([ARP(), ARP()], FRAMES[:3], none_else=True)
        assert verdict.outcome is Outcome.BROKEN
        assert verdict.why == "f3 was not expected"


def test_what_is_missing_is_shown_beside_what_is_nearest() -> None:
    verdict = in_order([TCP(flags="SYN", dport=80)], FRAMES, none_else=False)
    assert [each.what for each in verdict.compared] == ["frame", "dport"]
    assert (verdict.compared[1].expected, verdict.compared[1].actual) == ("80", "4242")
    assert [str(event) for event in verdict.evidence] == ["f3"]


def test_nothing_at_all_is_said_so() -> None:
    verdict = in_order([TCP()], [], none_else=False)
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.compared[0].actual == "none"
    assert in_order([], [], none_else=True).outcome is Outcome.HOLDS


@given(st.lists(st.sampled_from(range(len(FRAMES))), unique=True, min_size=1))
def test_every_choice_of_frames_is_found_in_its_order(places: list[int]) -> None:
    def of(place: int) -> AnyFrame:
        crossing, segment = FRAMES[place]
        if segment is None:
            return AnyFrame(src=crossing.sender)
        return TCP(src=crossing.sender, seq=segment.seq, ack=segment.ack, length=segment.length)

    ordered = [of(place) for place in sorted(places)]
    assert in_order(ordered, FRAMES, none_else=False).outcome is Outcome.HOLDS
    assert in_any_order(ordered[::-1], FRAMES, none_else=False).outcome is Outcome.HOLDS
    exact = [FRAMES[place] for place in sorted(places)]
    assert in_order(ordered, exact, none_else=True).outcome is Outcome.HOLDS
