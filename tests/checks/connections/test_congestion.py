"""Claims of slow start, and of what comes after a loss, of segments sent in bursts.

Each burst is a round trip of 100 ms: segments of 1,000 bytes, and an ACK of what came in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from timeline_edits import outcome, timeline_of, with_calls, without_calls
from transcript import converse

from lab.analysis.calls.transcript import PrintedCall
from lab.analysis.timeline import Timeline
from lab.checks.connections.congestion import (
    doubles_until_the_loss,
    doubles_with_cubic,
    sends_less_after_the_loss,
    sends_less_with_cubic,
)
from lab.model.claim import Claim, Outcome

HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
EACH = pytest.mark.parametrize(
    "claim",
    [doubles_until_the_loss, sends_less_after_the_loss, doubles_with_cubic, sends_less_with_cubic],
    ids=lambda claim: claim.name,
)
SIZE = 1000
GROWING = (10, 20, 40)
AFTER = (20, 21, 22)


def story(
    before: Sequence[int] = GROWING,
    last: int = 60,
    after: Sequence[int] = AFTER,
    *,
    is_lost: bool = True,
    is_again: bool = True,
    is_mended: bool = True,
) -> str:
    """Bursts that come, one of which a segment in the middle is lost, recovery, bursts again."""
    lines = [
        "0.00 client > server SYN seq=0 recv=0.05",
        "0.05 server > client SYN,ACK seq=0 ack=1 recv=0.10",
        "0.10 client > server ACK seq=1 ack=1 recv=0.15",
    ]
    now, sent = 0.1, 1

    def burst(count: int, lost: int | None = None) -> int:
        """Send so many; what is in order at the receiver then."""
        nonlocal sent
        first = sent
        for place in range(count):
            left = now + place * 1e-5
            fate = "lost" if place == lost else f"recv={left + 0.05:.5f}"
            lines.append(f"{left:.5f} client > server ACK seq={sent} ack=1 len={SIZE} {fate}")
            sent += SIZE
        return sent if lost is None else first + lost * SIZE

    def answer(ack: int) -> None:
        nonlocal now
        lines.append(f"{now + 0.06:.5f} server > client ACK seq=1 ack={ack} recv={now + 0.1:.5f}")
        now += 0.101

    for count in before:
        answer(burst(count))
    hole = burst(last, last // 2 if is_lost else None)
    answer(hole)
    if is_lost and is_again:
        lines.append(
            f"{now:.5f} client > server ACK seq={hole} ack=1 len={SIZE} recv={now + 0.05:.5f}"
        )
    if is_mended:
        answer(sent)
    for count in after:
        answer(burst(count))
    return "\n".join(lines)


def told(text: str, error: str = "") -> Timeline:
    """A timeline of that story, with the client's call for a congestion control."""
    asked = PrintedCall(
        program="client",
        number=2,
        name="setsockopt",
        text="setsockopt(3, IPPROTO_TCP, TCP_CONGESTION, b'reno')",
        arguments=(3, "IPPROTO_TCP", "TCP_CONGESTION", b"reno"),
        result=-1 if error else 0,
        error=error,
    )
    timeline = timeline_of("loss-ack4")
    return replace(
        timeline, conversations=(converse(text),), calls={"client": (asked,), "server": ()}
    )


@EACH
def test_it_holds_of_a_sender_that_doubles_and_then_slows_down(claim: Claim) -> None:
    assert outcome(claim, told(story())) is HOLDS


@EACH
def test_it_is_broken_where_nothing_was_lost(claim: Claim) -> None:
    assert outcome(claim, told(story(is_lost=False))) is BROKEN


@EACH
@pytest.mark.parametrize("error", ["ENOENT", "EPERM"])
def test_what_the_kernel_lacks_is_skipped_in_words(claim: Claim, error: str) -> None:
    verdict = claim.check(told(story(), error))
    assert verdict.outcome is Outcome.SKIPPED
    assert "reno" in verdict.why
    assert error in verdict.why


@EACH
def test_it_is_undecided_where_nothing_was_printed(claim: Claim) -> None:
    assert outcome(claim, without_calls(told(story()))) is UNDECIDED
    other = with_calls(
        told(story()), lambda c: replace(c, arguments=(3, "IPPROTO_TCP", "TCP_CORK"))
    )
    assert outcome(claim, other) is UNDECIDED


@pytest.mark.parametrize("before", [(10, 12, 14), (10, 40, 80), (10, 20, 22)])
def test_other_growth_than_twofold_breaks_it(before: tuple[int, ...]) -> None:
    assert outcome(doubles_until_the_loss, told(story(before))) is BROKEN


def test_a_loss_in_the_second_round_trip_is_not_known_there() -> None:
    assert outcome(doubles_until_the_loss, told(story((10,), 20))) is HOLDS
    assert outcome(doubles_until_the_loss, told(story((10,), 40))) is BROKEN


def test_a_loss_in_the_first_round_trip_shows_no_growth() -> None:
    assert outcome(doubles_until_the_loss, told(story((), 10))) is UNDECIDED


def test_as_much_after_the_loss_as_before_it_breaks_it() -> None:
    assert outcome(sends_less_after_the_loss, told(story(after=(60, 60, 60)))) is BROKEN


def test_what_is_never_sent_again_breaks_it() -> None:
    never = told(story(is_again=False, is_mended=False, after=()))
    assert outcome(sends_less_after_the_loss, never) is BROKEN


def test_what_is_never_acknowledged_breaks_it() -> None:
    assert outcome(sends_less_after_the_loss, told(story(is_mended=False, after=()))) is BROKEN


@pytest.mark.parametrize("after", [(), (20,)])
def test_without_more_to_send_nothing_is_decided(after: tuple[int, ...]) -> None:
    assert outcome(sends_less_after_the_loss, told(story(after=after))) is UNDECIDED


def sent_in_two_halves(blocks: str) -> str:
    """After recovery 20 segments, an ACK of none of them with that SACK, 20 more, an ACK."""
    first = 1 + SIZE * (sum(GROWING) + 61)
    lines = [story(after=(1,))]
    for place in range(41):
        left = 0.71 + (place >= 20) * 0.1 + (place == 40) * 0.2 + place * 1e-5
        seq, came = first + place * SIZE, left + 0.05
        lines.append(f"{left:.5f} client > server ACK seq={seq} ack=1 len={SIZE} recv={came:.5f}")
        if place == 19:
            sack = f"blocks={blocks}" if blocks else ""
            lines.append(f"0.77 server > client ACK seq=1 ack={first} {sack} recv=0.80")
        if place == 39:
            lines.append(f"0.87 server > client ACK seq=1 ack={seq + SIZE} recv=0.90")
    return "\n".join(lines)


def test_what_sack_says_has_come_is_not_on_its_way() -> None:
    begin = 1 + SIZE * (sum(GROWING) + 61)
    come = f"{begin + SIZE}-{begin + 16 * SIZE}"
    assert outcome(sends_less_after_the_loss, told(sent_in_two_halves(come))) is HOLDS
    assert outcome(sends_less_after_the_loss, told(sent_in_two_halves(""))) is BROKEN
