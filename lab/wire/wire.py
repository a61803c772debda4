"""A wire at work: frames go in, and come out as its rules say. It opens nothing.

Whoever carries the frames (lab.kernel.links) says when each came, and asks when the next is due.
"""

from __future__ import annotations

import bisect
import heapq
import random
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from lab.frozen import frozen
from lab.wire.fields import rewrite
from lab.wire.headers import Headers
from lab.wire.matching import NO_TERMS, Expression, Matcher, Past, any_of, matcher_of
from lab.wire.rule import (
    Corrupt,
    Delay,
    Down,
    Drop,
    Duplicate,
    Loss,
    Rate,
    Rewrite,
    Rule,
    Swap,
    Term,
    Truncate,
    Up,
)

_BITS = 8
_MINIMUM_BYTES = 14  # without an Ethernet header a frame cannot be sent


@frozen
class Strike:
    """What one rule did to one frame, or to a link."""

    time_ns: int
    rule: int
    """Its place among the wire's rules, from 0."""
    side: int
    """Which end sent the frame, 0 or 1."""
    checksum: int
    """CRC-32 of the frame as it came; 0 of what strikes no frame."""
    occurrence: int
    """How many frames with these bytes had come from that side before."""
    copy: int
    """0 for the frame itself, else the number of its copy."""
    is_end: bool = False
    """Whether it went no further."""
    copies: int = 0
    """How many copies were made of it."""
    delay_ns: int = 0
    """How long it was held, as far as that was known at once."""
    changed: bytes = b""
    """The whole frame as it went on; empty where it is as it was."""


class Unit(NamedTuple):
    """A frame or a copy of one, on its way through the rules."""

    data: bytes
    side: int
    checksum: int
    occurrence: int
    copy: int
    past: frozenset[Term] = NO_TERMS
    """What is true of it by what passed before it came; nothing of a copy of the wire's own."""


class Rules:
    """What a wire does to the frames of a step, and what it has done."""

    def __init__(
        self,
        rules: Sequence[tuple[Rule, frozenset[int]]],
        started_ns: int,
        expressions: Mapping[str, Expression],
        *,
        more_may_come: bool = False,
    ) -> None:
        """Each with the sides whose frames it is about: 0 for the first end's, 1 for the other's.

        `expressions` are the BPF expressions in them, compiled. Times are of any one clock. If more
        rules may come, what passes is remembered for them.
        """
        self.strikes: list[Strike] = []
        self.matched: list[int] = []
        """How many frames each rule was about, or how often it struck its link."""
        self._rules: list[Rule] = []
        self._matchers: list[Matcher] = []
        self._sides: list[frozenset[int]] = []
        self._counts: list[int] = []
        self._random: list[random.Random] = []
        self._free_ns: list[int] = []
        self._leaving: list[list[int]] = []
        self._swapped: list[Unit | None] = []
        self._is_over: list[bool] = []
        self._of_side: list[list[int]] = [[], []]
        self._is_somebodys = [any_of(()), any_of(())]
        """By side, whether any rule is about a frame: with most frames nothing more is done."""
        self._timed: list[tuple[int, int]] = []
        """When rules with a time strike, and which, in that order."""
        self._seen: list[dict[int, int]] = [{}, {}]
        asking = None if more_may_come else [rule for rule, _ in rules]
        self._past = (Past(asking), Past(asking))
        self._is_down = [False, False]
        self._down_by: list[int] = [0, 0]
        self._held: list[tuple[int, int, int, Unit]] = []
        """A heap: when it goes on, in what order, with which rule, and what."""
        self._order = 0
        for rule, sides in rules:
            self.add(rule, sides, started_ns, expressions)

    def add(
        self,
        rule: Rule,
        sides: frozenset[int],
        now_ns: int,
        expressions: Mapping[str, Expression],
    ) -> None:
        """One more rule, behind the others, which counts frames and time from now on."""
        place = len(self._rules)
        self.matched.append(0)
        self._rules.append(rule)
        self._matchers.append(matcher_of(rule, expressions))
        self._sides.append(sides)
        self._counts.append(0)
        self._random.append(random.Random(_seed(rule)))
        self._free_ns.append(0)
        self._leaving.append([])
        self._swapped.append(None)
        self._is_over.append(False)
        if rule.moment is not None and not rule.moment.after:
            bisect.insort(self._timed, (now_ns + rule.moment.at_ns, place))
        self._sort_by_side()

    def end(self, places: Collection[int], now_ns: int) -> list[tuple[int, bytes]]:
        """These rules hold no longer; what goes on now of the frames that waited for another.

        What they have delayed goes on at its time.
        """
        out: list[tuple[int, bytes]] = []
        for place in places:
            self._is_over[place] = True
            for side in self._sides[place]:
                if self._is_down[side] and self._down_by[side] == place:
                    self._is_down[side] = False
        self._timed = [each for each in self._timed if not self._is_over[each[1]]]
        self._sort_by_side()
        for place in places:
            if (waiting := self._swapped[place]) is not None:
                self._swapped[place] = None
                out += ((u.side, u.data) for u in self._through(waiting, place + 1, now_ns))
        return out

    def in_force(self) -> list[int]:
        """The places of the rules that hold."""
        return [place for place, is_over in enumerate(self._is_over) if not is_over]

    def sides(self, place: int) -> frozenset[int]:
        """Whose frames that rule is about."""
        return self._sides[place]

    def _sort_by_side(self) -> None:
        for side in (0, 1):
            places = [place for place in self.in_force() if side in self._sides[place]]
            self._of_side[side] = places
            self._is_somebodys[side] = any_of(self._matchers[place] for place in places)

    @property
    def holds(self) -> bool:
        """Whether frames are held that have a time to go on."""
        return bool(self._held)

    @property
    def due_ns(self) -> int | None:
        """When something happens next without a frame coming; None if nothing does."""
        times = [each[0] for each in (self._held[:1] + self._timed[:1])]
        return min(times, default=None)

    def take(self, side: int, data: bytes, now_ns: int) -> list[tuple[int, bytes]]:
        """A frame has come from one end; what goes on to the other end now, by sender's side."""
        crc = zlib.crc32(data)
        seen = self._seen[side]
        occurrence = seen.get(crc, 0)
        seen[crc] = occurrence + 1
        if self._timed:
            self._run_timed(now_ns)
        headers = Headers(data)
        past = self._past[side].terms_of(headers)
        if not self._is_down[side] and not self._is_somebodys[side](headers, past):
            return [(side, data)]
        unit = Unit(data, side, crc, occurrence, 0, past)
        return [(u.side, u.data) for u in self._through(unit, 0, now_ns)]

    def due(self, now_ns: int) -> list[tuple[int, bytes]]:
        """What goes on now of the frames that were held, by sender's side."""
        self._run_timed(now_ns)
        out: list[tuple[int, bytes]] = []
        while self._held and self._held[0][0] <= now_ns:
            out += self._next_held(now_ns)
        return out

    def release(self, now_ns: int) -> list[tuple[int, bytes]]:
        """All that is held goes on: what waits for another to pass, too."""
        out: list[tuple[int, bytes]] = []
        # What one rule lets go, a later one may hold again.
        while self._held or any(self._swapped):
            while self._held:
                out += self._next_held(now_ns)
            for place, waiting in enumerate(self._swapped):
                if waiting is not None:
                    self._swapped[place] = None
                    out += ((u.side, u.data) for u in self._through(waiting, place + 1, now_ns))
        return out

    def _next_held(self, now_ns: int) -> list[tuple[int, bytes]]:
        _, _, place, unit = heapq.heappop(self._held)
        return [(u.side, u.data) for u in self._through(unit, place + 1, now_ns)]

    def _through(self, unit: Unit, first: int, now_ns: int) -> Iterator[Unit]:
        """Take a frame through the rules from that place on; what comes out of the last."""
        todo = [(unit, first)]
        while todo:
            unit, first = todo.pop(0)
            past = unit.past
            headers = Headers(unit.data)
            if self._is_down[unit.side] and not first:
                self._strike(now_ns, self._down_by[unit.side], unit, is_end=True)
                self._look_for_up(unit, headers, past, now_ns)
                continue
            goes_on = True
            for place in self._of_side[unit.side]:
                if place < first:
                    continue
                if (partner := self._swap_partner(place, headers, past)) is not None:
                    self._counts[place] += 1
                    todo.append((partner, place + 1))
                    continue
                if not self._hits(place, headers, past):
                    continue
                after = self._apply(place, unit, now_ns, todo)
                if after is None:
                    goes_on = False
                    break
                if after is not unit:
                    unit, headers = after, Headers(after.data)
            if goes_on:
                yield unit

    def _look_for_up(
        self, unit: Unit, headers: Headers, past: frozenset[Term], now_ns: int
    ) -> None:
        """Of a frame that a link which is down has dropped: whether the link goes up after it."""
        for place in self._of_side[unit.side]:
            if isinstance(self._rules[place].action, Up) and self._hits(place, headers, past):
                self._set_down(place, False, now_ns)

    def _hits(self, place: int, headers: Headers, past: frozenset[Term]) -> bool:
        rule = self._rules[place]
        if rule.moment is not None and not rule.moment.after:
            return False
        if not self._matchers[place](headers, past):
            return False
        self._counts[place] += 1
        if not rule.which.has(self._counts[place]):
            return False
        self.matched[place] += 1
        return True

    def _swap_partner(self, place: int, headers: Headers, past: frozenset[Term]) -> Unit | None:
        """What waited for this frame to pass, by that rule."""
        waiting = self._swapped[place]
        if waiting is None or not self._matchers[place](headers, past):
            return None
        self._swapped[place] = None
        return waiting

    def _apply(
        self, place: int, unit: Unit, now_ns: int, todo: list[tuple[Unit, int]]
    ) -> Unit | None:
        """What a rule makes of the frame now; None if it goes no further, for now or at all."""
        match self._rules[place].action:
            case Drop():
                self._strike(now_ns, place, unit, is_end=True)
                return None
            case Loss(percent):
                if self._random[place].random() * 100 >= percent:
                    return unit
                self._strike(now_ns, place, unit, is_end=True)
                return None
            case Duplicate(copies):
                self._strike(now_ns, place, unit, copies=copies)
                first = unit.copy + 1
                copy = unit._replace(past=NO_TERMS)
                todo += ((copy._replace(copy=first + n), place + 1) for n in range(copies))
                return unit
            case Delay(delay_ns, jitter_ns):
                wait_ns = delay_ns + round(self._random[place].random() * jitter_ns)
                self._strike(now_ns, place, unit, delay_ns=wait_ns)
                self._hold(now_ns + wait_ns, place, unit)
                return None
            case Swap():
                self._strike(now_ns, place, unit)
                self._swapped[place] = unit
                return None
            case Rate(bits_per_second, queue):
                self._queue(place, unit, now_ns, bits_per_second, queue)
                return None
            case Down():
                self._set_down(place, True, now_ns)
                return unit
            case Up():
                self._set_down(place, False, now_ns)
                return unit
            case action:
                data = _changed(action, unit.data)
                self._strike(now_ns, place, unit, changed=data)
                return unit._replace(data=data)

    def _queue(
        self, place: int, unit: Unit, now_ns: int, bits_per_second: int, limit: int | None
    ) -> None:
        leaving = self._leaving[place]
        while leaving and leaving[0] <= now_ns:
            heapq.heappop(leaving)
        if limit is not None and len(leaving) > limit:  # one of them is being sent
            self._strike(now_ns, place, unit, is_end=True)
            return
        begin_ns = max(now_ns, self._free_ns[place])
        takes_ns = len(unit.data) * _BITS * 1_000_000_000 // bits_per_second
        self._free_ns[place] = begin_ns + takes_ns
        heapq.heappush(leaving, self._free_ns[place])
        self._strike(now_ns, place, unit, delay_ns=self._free_ns[place] - now_ns)
        self._hold(self._free_ns[place], place, unit)

    def _hold(self, until_ns: int, place: int, unit: Unit) -> None:
        self._order += 1
        heapq.heappush(self._held, (until_ns, self._order, place, unit))

    def _run_timed(self, now_ns: int) -> None:
        while self._timed and self._timed[0][0] <= now_ns:
            _, place = self._timed.pop(0)
            self.matched[place] += 1
            self._set_down(place, isinstance(self._rules[place].action, Down), now_ns)

    def _set_down(self, place: int, is_down: bool, now_ns: int) -> None:
        for side in self._sides[place]:
            self._is_down[side] = is_down
            self._down_by[side] = place
        self._strike(now_ns, place, Unit(b"", min(self._sides[place]), 0, 0, 0))

    def _strike(
        self,
        now_ns: int,
        place: int,
        unit: Unit,
        *,
        is_end: bool = False,
        copies: int = 0,
        delay_ns: int = 0,
        changed: bytes = b"",
    ) -> None:
        self.strikes.append(
            Strike(
                now_ns,
                place,
                unit.side,
                unit.checksum,
                unit.occurrence,
                unit.copy,
                is_end,
                copies,
                delay_ns,
                changed,
            )
        )


def expressions_in(rules: Iterable[Rule]) -> frozenset[str]:
    """The BPF expressions of these rules."""
    return frozenset(
        condition.expression
        for rule in rules
        for condition in rule.conditions
        if condition.expression
    )


def _seed(rule: Rule) -> int:
    action = rule.action
    return action.seed if isinstance(action, Delay | Loss) else 0


def _changed(action: object, data: bytes) -> bytes:
    """The frame after a change, which can be made to it."""
    match action:
        case Corrupt(offset, mask):
            changed = bytearray(data)
            changed[offset] ^= mask
            return bytes(changed)
        case Truncate(length):
            return data[: max(length, _MINIMUM_BYTES)]
        case Rewrite(fields, raw):
            return rewrite(Headers(data), fields, raw=raw)
        case _:
            raise AssertionError(f"{action} changes no frame")
