"""What the gates of several links answer, and what they send on."""

from __future__ import annotations

import frame_bytes as fb
import pytest

from lab.errors import UsageError
from lab.kernel.links.holding import (
    MOST_TOLD,
    AskWaiting,
    AtGates,
    Decide,
    Deliver,
    Gates,
    HoldAgain,
    OpenGates,
    PassUntil,
    Undo,
)
from lab.wire.held import Gate, HeldRules
from lab.wire.rule import Hold, LinkWay, Rule, Term

START = 5_000_000_000
FIN = 0x11


def segment(number: int, flags: int = 0x10) -> bytes:
    return fb.ethernet(fb.ipv4(fb.tcp(b"%d" % number, seq=number, flags=flags)))


class Lab:
    """Two links, whose frames are sent to lists."""

    def __init__(self) -> None:
        gate = Gate()
        hold = Rule("a-b hold", LinkWay("a-b"), Hold())
        self.links = [HeldRules((), START, {}, gate, hold, (f"a>{b}", f"{b}>a")) for b in "bc"]
        self.gates = Gates(gate, self.links)
        self.sent: list[tuple[int, int, bytes]] = []

    def come(self, link: int, *frames: bytes, side: int = 0) -> None:
        for frame in frames:
            self.send(link, self.links[link].take(side, frame, START))

    def send(self, link: int, frames: list[tuple[int, bytes]]) -> None:
        self.sent += ((link, side, data) for side, data in frames)

    def ask(self, request: object) -> object:
        return self.gates.answer(request, START, self.send)

    def seen(self) -> AtGates:
        seen = self.ask(AskWaiting())
        assert isinstance(seen, AtGates)
        return seen


def test_frames_of_all_links_are_counted_together_and_told_of_by_link() -> None:
    lab = Lab()
    lab.come(1, segment(1))
    lab.come(0, segment(2), segment(3))
    seen = lab.seen()
    assert [[each.number for each in link] for link in seen.waiting] == [[2, 3], [1]]
    assert (seen.more, seen.is_passing, seen.decided, seen.passed) == (0, False, ((), ()), ((), ()))


def test_a_decision_is_made_where_its_frame_waits() -> None:
    lab = Lab()
    lab.come(1, segment(1))
    lab.come(0, segment(2))
    assert lab.ask(Deliver(1)) is None
    assert lab.ask(Decide(2, "drop")) is None
    assert lab.sent == [(1, 0, segment(1))]
    seen = lab.seen()
    assert [[each.text for each in link] for link in seen.decided] == [["a>b drop data 1"], []]
    assert [[each.how for each in link] for link in seen.passed] == [[], ["delivered"]]
    assert lab.ask(Undo(2)) is None
    assert lab.seen().decided == ((), ())


@pytest.mark.parametrize("request_", [Deliver(9), Decide(9, "drop"), Undo(9), Decide(1, "x")])
def test_what_cannot_be_done_is_answered(request_: object) -> None:
    lab = Lab()
    lab.come(0, segment(1))
    assert isinstance(lab.ask(request_), UsageError)
    assert (lab.sent, len(lab.seen().waiting[0])) == ([], 1)


def test_frames_pass_on_all_links_until_one_is_of_that_kind_on_any() -> None:
    lab = Lab()
    lab.come(0, segment(1))
    lab.come(1, segment(2), segment(3, FIN))
    lab.come(0, segment(4))
    assert lab.ask(PassUntil(frozenset({Term.FIN}))) is None
    assert [data for _, _, data in lab.sent] == [segment(1), segment(2)]
    assert not lab.seen().is_passing
    lab.ask(Deliver(3))
    lab.ask(PassUntil(frozenset({Term.FIN})))
    lab.come(1, segment(5))
    assert lab.seen().is_passing
    lab.come(1, segment(6, FIN))
    lab.come(0, segment(7))
    assert [data for _, _, data in lab.sent[3:]] == [segment(4), segment(5)]


def test_frames_wait_again_when_that_is_asked() -> None:
    lab = Lab()
    lab.ask(PassUntil(frozenset()))
    lab.come(0, segment(1))
    lab.ask(HoldAgain())
    lab.come(0, segment(2))
    assert [data for _, _, data in lab.sent] == [segment(1)]


@pytest.mark.parametrize("drops", [False, True])
def test_open_gates_let_everything_pass(drops: bool) -> None:
    lab = Lab()
    lab.come(0, segment(1))
    lab.ask(OpenGates(drops))
    lab.come(0, segment(2))
    assert [data for _, _, data in lab.sent] == [segment(2)] if drops else [segment(1), segment(2)]


def test_a_change_is_told_of_once() -> None:
    lab = Lab()
    lab.come(0, segment(1))
    assert (lab.gates.take_change(), lab.gates.take_change()) == (True, False)
    lab.ask(Deliver(1))
    assert lab.gates.take_change()


def test_many_frames_are_counted_beyond_those_that_are_told_of() -> None:
    lab = Lab()
    lab.come(0, *(segment(number) for number in range(MOST_TOLD + 5)))
    seen = lab.seen()
    assert (len(seen.waiting[0]), seen.more) == (MOST_TOLD, 5)
