"""Frames that wait at a link until somebody decides on each. It opens nothing.

A decision is a rule of one frame: it strikes as a rule does, is recorded as one, and its words name
that frame among those of its side, so that they do the same to the same segment of another run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from lab.errors import UsageError
from lab.frozen import frozen
from lab.wire.grammar import parse_rule
from lab.wire.headers import TCP, Headers
from lab.wire.matching import Expression, Matcher, holds_of, matcher_of
from lab.wire.naming import Arrival, Census
from lab.wire.rule import (
    Corrupt,
    Delay,
    Drop,
    Duplicate,
    Rewrite,
    Rule,
    Swap,
    Term,
    Truncate,
)
from lab.wire.wire import Rules, Strike, Unit

MOST_WAITING = 1000
"""Frames of one link; those that come then are dropped."""
FORTH, BACK = frozenset({0}), frozenset({1})
_Out = list[tuple[int, bytes]]


@frozen
class HeldFrame:
    """A frame that waits."""

    number: int
    """By which it is decided on: the how many'th it was of the step's, on any link, from 1."""
    side: int
    """Which end of its link sent it, 0 or 1."""
    came_ns: int
    data: bytes
    """As it would go on."""
    original: bytes
    """As it came."""
    is_resent: bool
    """Whether it begins before what its sender had sent: a retransmission."""
    state: str
    """ "waits", or what was decided and can be undone: "delayed", "swapped", "dropped"."""
    due_ns: int
    """Of one that is delayed when it goes on, else 0."""


@frozen
class Passed:
    """A frame on which no decision is needed any more."""

    number: int
    side: int
    data: bytes
    """As it went on, or would have."""
    time_ns: int
    how: str
    """ "delivered", "passed" unheld, "copied", "dropped"."""


@frozen
class Decided:
    """A rule that a decision was."""

    place: int
    """Among the rules of its link."""
    text: str
    number: int
    """The frame's."""
    is_resent: bool
    """Whether the frame was only resent because somebody was slow."""


class Gate:
    """What the wires of all links have in common: numbers, and whether frames pass for now."""

    def __init__(self) -> None:
        self.last = 0
        """The number of the frame that came last."""
        self.until: frozenset[Term] | None = None
        """While frames pass, what the one is that waits again; None while they wait."""
        self.changes = 0
        """So often has something happened here."""


class _Held:
    """A frame at the gate, and what was decided of it so far."""

    def __init__(
        self, number: int, unit: Unit, came_ns: int, arrival: Arrival, *, is_resent: bool
    ) -> None:
        self.number = number
        self.unit = unit
        self.original = unit.data
        self.came_ns = came_ns
        self.arrival = arrival
        self.is_resent = is_resent
        self.state = "waits"
        self.due_ns = 0
        self.undoable: list[_Step] = []


class _Step(NamedTuple):
    """A decision that can be undone: its place, its strikes, what the frame was before."""

    place: int
    strikes: tuple[Strike, ...]
    unit: Unit


class HeldRules(Rules):
    """A wire's rules, and behind them a gate at which each frame waits."""

    def __init__(
        self,
        rules: Sequence[tuple[Rule, frozenset[int]]],
        started_ns: int,
        expressions: Mapping[str, Expression],
        gate: Gate,
        hold: Rule,
        ways: tuple[str, str],
    ) -> None:
        """As Rules; `hold` is the rule by which frames wait, `ways` how rules name each way."""
        super().__init__(rules, started_ns, expressions, more_may_come=True)
        self.hold_place = len(rules)
        self.decided: list[Decided] = []
        """In their order, without those that were undone."""
        self._gate = gate
        self._ways = ways
        self._census = (Census(), Census())
        self._waiting: dict[int, _Held] = {}
        self._order_of_going = [0, 0]
        """By side the number of the last frame that went on."""
        self._harmed: dict[int, frozenset[bytes]] = {}
        """By place, of which connection a decision has dropped, delayed or changed something."""
        self.passed: list[Passed] = []
        """What somebody may want to know; who has taken it empties it."""
        self._matcher_of: dict[int, Matcher] = {}
        self.add(hold, FORTH | BACK, started_ns, expressions)

    @property
    def waiting(self) -> tuple[HeldFrame, ...]:
        """The frames that wait or can still be recalled, in the order in which they came."""
        return tuple(
            HeldFrame(
                each.number,
                each.unit.side,
                each.came_ns,
                each.unit.data,
                each.original,
                each.is_resent,
                each.state,
                each.due_ns,
            )
            for each in sorted(self._waiting.values(), key=lambda each: each.number)
        )

    def _apply(
        self, place: int, unit: Unit, now_ns: int, todo: list[tuple[Unit, int]]
    ) -> Unit | None:
        if place != self.hold_place:
            return super()._apply(place, unit, now_ns, todo)
        gate = self._gate
        gate.changes += 1
        gate.last += 1
        headers = Headers(unit.data)
        again = Term.RETRANSMISSION in unit.past
        who = _conversation(headers)
        was_slow = again and not any(who in harmed for harmed in self._harmed.values())
        arrival = self._census[unit.side].count(headers, is_resent=was_slow)
        held = _Held(gate.last, unit, now_ns, arrival, is_resent=again)
        if gate.until is not None:
            if not any(holds_of(term, headers) for term in gate.until):
                self._note(held, now_ns, "passed")
                self._went(unit.side, held.number, now_ns)
                todo += ((each, place + 1) for each in self._partners(unit, now_ns))
                return unit
            gate.until = None
        if len(self._waiting) >= MOST_WAITING:
            self._strike(now_ns, place, unit, is_end=True)
            self._note(held, now_ns, "dropped")
            return None
        self._waiting[held.number] = held
        return None

    def deliver(self, number: int, now_ns: int) -> _Out:
        """It goes on; what does, by sender's side. Raises UsageError."""
        held = self._next_to_go(number)
        return self._let_go(held, now_ns, "delivered")

    def decide(self, number: int, words: str, now_ns: int) -> _Out:
        """Something else is done to it, in the words of an action; what goes on now.

        Raises PointedError for wrong words, UsageError where it cannot be done to this frame.
        """
        held = self._undecided(number)
        side, headers = held.unit.side, Headers(held.unit.data)
        action = parse_rule(f"{self._ways[side]} {words}").action
        if not isinstance(
            action, Drop | Duplicate | Delay | Swap | Rewrite | Corrupt | Truncate
        ) or (isinstance(action, Delay) and action.jitter_ns):
            raise UsageError(f"{action.name} is not for a single frame")
        if isinstance(action, Duplicate):
            self._next_to_go(number)
        name = held.arrival.name(headers, action)
        text = f"{self._ways[side]} {words} {name.words}"
        rule = parse_rule(text)
        if not matcher_of(rule, {})(headers, frozenset({Term.RETRANSMISSION})):
            raise UsageError(f"{words!r} cannot be done to this frame: it does not have that")
        place = len(self.matched)
        self.add(rule, frozenset(), now_ns, {})
        self._matcher_of[place] = matcher_of(
            parse_rule(f"{self._ways[side]} swap {name.term.value if name.term else ''}"), {}
        )
        self.matched[place] = 1
        self.decided.append(Decided(place, text, number, name.is_resent))
        if not isinstance(action, Duplicate):
            self._harmed[place] = frozenset(_both_ways(headers))
        self._gate.changes += 1
        return self._done(held, action, place, now_ns)

    def undo(self, number: int) -> None:
        """What was decided of that frame last is as if it had never been. Raises UsageError."""
        held = self._waiting.get(number)
        if held is None or not held.undoable:
            raise UsageError("there is nothing to undo: the frame has gone on")
        if held.state != "waits" and self._order_of_going[held.unit.side] > number:
            raise UsageError("it cannot be undone: a frame that came later has gone on")
        step = held.undoable.pop()
        for strike in step.strikes:
            self.strikes.remove(strike)
        if self._swapped[step.place] is not None:
            self._swapped[step.place] = None
        self._held = [each for each in self._held if each[2] != step.place]
        self._held.sort()
        self.matched[step.place] = 0
        del self._harmed[step.place]
        self.decided = [each for each in self.decided if each.place != step.place]
        held.unit, held.state, held.due_ns = step.unit, "waits", 0
        self._gate.changes += 1

    def release(self, now_ns: int) -> _Out:
        """Everything goes on, in the order in which it came; nothing waits any more."""
        self._gate.until = frozenset()
        out: _Out = []
        for number in sorted(self._waiting):
            held = self._waiting.get(number)
            if held is not None and held.state == "waits":
                out += self._let_go(held, now_ns, "delivered")
        while self._held:
            out += self._next_held(now_ns)
        for held in sorted(self._waiting.values(), key=lambda each: -each.number):
            # One that waited for another to pass may have gone on with a later one.
            if held.state == "swapped" and held.number in self._waiting:
                self._swapped[held.undoable[-1].place] = None
                self._gone(held, now_ns, "delivered")
                out += (
                    (each.side, each.data)
                    for each in (held.unit, *self._partners(held.unit, now_ns))
                )
        self._forget_decided(now_ns)
        return [*out, *super().release(now_ns)]

    def drop_all(self, now_ns: int) -> None:
        """Drop everything that waits, each by a decision of its own."""
        for held in list(self._waiting.values()):
            if held.state == "waits":
                self.decide(held.number, Drop.name, now_ns)

    def pass_one(self, number: int, now_ns: int, *, is_first: bool) -> _Out | None:
        """While frames pass: what goes on of one that waits; None if it has to wait again.

        The first goes on whatever it is.
        """
        held, until = self._waiting[number], self._gate.until
        headers = Headers(held.unit.data)
        if until is None or (not is_first and any(holds_of(term, headers) for term in until)):
            self._gate.until = None
            return None
        return self._let_go(held, now_ns, "passed")

    def _next_held(self, now_ns: int) -> _Out:
        place, unit = self._held[0][2:]
        out = super()._next_held(now_ns)
        if place > self.hold_place:
            for held in [e for e in self._waiting.values() if e.undoable]:
                if held.state == "delayed" and held.undoable[-1].place == place:
                    self._gone(held, now_ns, "delivered")
            out += [(each.side, each.data) for each in self._partners(unit, now_ns)]
        return out

    def _done(self, held: _Held, action: object, place: int, now_ns: int) -> _Out:
        """What goes on of a frame by a decision."""
        before = held.unit
        strikes = len(self.strikes)
        todo: list[tuple[Unit, int]] = []
        if not isinstance(action, Rewrite | Corrupt | Truncate):
            self._strike_hold(held, now_ns)
        after = super()._apply(place, held.unit, now_ns, todo)
        if isinstance(action, Duplicate):
            assert after is not None
            copies = [(each.side, each.data) for each, _ in todo]
            self._note(held, now_ns, "copied")
            return self._gone_with(held, now_ns, copies)
        held.undoable.append(_Step(place, tuple(self.strikes[strikes:]), before))
        match action:
            case Drop():
                held.state = "dropped"
            case Swap():
                held.state = "swapped"
            case Delay(delay_ns):
                held.state, held.due_ns = "delayed", now_ns + delay_ns
            case _:
                assert after is not None
                held.unit = after
        return []

    def _let_go(self, held: _Held, now_ns: int, how: str) -> _Out:
        self._strike_hold(held, now_ns)
        self._note(held, now_ns, how)
        return self._gone_with(held, now_ns, [])

    def _gone_with(self, held: _Held, now_ns: int, copies: _Out) -> _Out:
        """It goes on, then its copies, then what waited for it to pass."""
        self._waiting.pop(held.number, None)
        unit = held.unit
        self._went(unit.side, held.number, now_ns)
        partners = self._partners(unit, now_ns)
        self._gate.changes += 1
        return [(unit.side, unit.data), *copies, *((p.side, p.data) for p in partners)]

    def _went(self, side: int, number: int, now_ns: int) -> None:
        """A frame has gone on: what was dropped of those before it cannot be recalled any more."""
        self._order_of_going[side] = number
        for held in list(self._waiting.values()):
            if held.unit.side == side and held.number < number and held.state == "dropped":
                self._gone(held, now_ns, "dropped")

    def _gone(self, held: _Held, now_ns: int, how: str) -> None:
        """One that was held back for a time or for another has gone on."""
        self._waiting.pop(held.number, None)
        self._note(held, now_ns, how)
        self._gate.changes += 1

    def _partners(self, unit: Unit, now_ns: int) -> list[Unit]:
        """What waited for this frame to pass, and goes on now; what waited for that, behind it.

        The one that came last is the first, as the rules of later frames stand before others.
        """
        found = [unit]
        for passing in found:
            headers = Headers(passing.data)
            for number in sorted(self._waiting, reverse=True):
                held = self._waiting[number]
                if held.state != "swapped" or held.unit.side != unit.side:
                    continue
                place = held.undoable[-1].place
                if self._matcher_of[place](headers, frozenset()):
                    self._swapped[place] = None
                    found.append(held.unit)
                    self._gone(held, now_ns, "delivered")
        return found[1:]

    def _strike_hold(self, held: _Held, now_ns: int) -> None:
        waited_ns = now_ns - held.came_ns
        self._strike(now_ns, self.hold_place, held.unit, delay_ns=waited_ns)

    def _forget_decided(self, now_ns: int) -> None:
        """Nothing can be undone any more."""
        for held in list(self._waiting.values()):
            self._gone(held, now_ns, "dropped" if held.state == "dropped" else "delivered")

    def _note(self, held: _Held, now_ns: int, how: str) -> None:
        self.passed.append(Passed(held.number, held.unit.side, held.unit.data, now_ns, how))

    def _undecided(self, number: int) -> _Held:
        held = self._waiting.get(number)
        if held is None or held.state != "waits":
            raise UsageError("that frame does not wait any more")
        return held

    def _next_to_go(self, number: int) -> _Held:
        """The frame, if it may go on. Raises UsageError where one of its side came before it."""
        held = self._undecided(number)
        side = held.unit.side
        ahead = [e for e in self._waiting.values() if e.unit.side == side and e.state == "waits"]
        if any(each.number < number for each in ahead):
            raise UsageError("another frame of its way waits before it: deliver or swap that first")
        return held


def _conversation(headers: Headers) -> bytes:
    return headers.conversation if headers.protocol == TCP and headers.payload >= 0 else b""


def _both_ways(headers: Headers) -> Iterator[bytes]:
    """What both ends of a segment's connection are called by."""
    who = _conversation(headers)
    if who:
        half = (len(who) - 4) // 2
        yield who
        yield who[half : 2 * half] + who[:half] + who[-2:] + who[-4:-2]


def saved(decided: Sequence[Decided]) -> tuple[str, ...]:
    """The decisions of one link as rules that do the same to the same frames of another run.

    A rule counts the frames that those before it let pass. So that none is missing, what was done
    to later frames comes first; what was done to one, in its order. What was done to frames that
    were only resent because somebody was slow is left out: in another run there are none.
    """
    kept = [each for each in decided if not each.is_resent]
    return tuple(each.text for each in sorted(kept, key=lambda each: (-each.number, each.place)))
