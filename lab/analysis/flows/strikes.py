"""What wires did to frames, joined with the frames: they ended there, were copied, or changed."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from lab.analysis.flows.crossing import Crossing
from lab.frozen import frozen
from lab.model.counted import counted
from lab.model.event import EventId, EventKind
from lab.records import Frame, WireRule, WireStrike


@frozen
class Fate:
    """What became of one frame at a wire."""

    strikes: tuple[EventId, ...]
    arrives: bool
    """Whether it goes on as it was."""
    made: tuple[bytes, ...]
    """The frames that go on besides it, or in its place."""


@frozen
class Struck:
    """What one rule of a wire did, and to which frame."""

    id: EventId
    strike: WireStrike
    rule: WireRule
    frame: EventId | None
    """The frame as it left its host; None of what struck the link."""
    made: tuple[EventId, ...]
    """The frames that came of it: copies, or the changed one."""

    @property
    def text(self) -> str:
        """What it did: "dropped", "held back for 20 ms", "copied"."""
        strike = self.strike
        if not strike.checksum:
            return f"link {self.rule.action}"
        if strike.is_end:
            return {
                "loss": "dropped by lot",
                "rate": "dropped, its queue was full",
                "hold": "dropped, too many waited",
            }.get(self.rule.action, "dropped")
        if strike.copies:
            return f"copied {counted(strike.copies, 'time')}" if strike.copies > 1 else "copied"
        if strike.changed:
            return _CHANGES.get(self.rule.action, "changed")
        if self.rule.action == "swap":
            return "held back until the next had passed"
        return f"held back for {strike.delay_ns / 1e6:.6g} ms"


_CHANGES = {"corrupt": "corrupted", "rewrite": "rewritten", "truncate": "cut short"}


class Fates:
    """The fates of a step's frames, asked for in the order in which the frames left."""

    def __init__(self, strikes: Sequence[WireStrike]) -> None:
        """The step's strikes, which are numbered from 1 in this order."""
        self._found: defaultdict[tuple[str, int, int], list[tuple[EventId, WireStrike]]]
        self._found = defaultdict(list)
        for number, strike in enumerate(strikes, start=1):
            if strike.checksum:
                key = strike.point, strike.checksum, strike.occurrence
                self._found[key].append((strike_id(number), strike))
        self._seen: Counter[tuple[str, int]] = Counter()
        self._points = {strike.point for strike in strikes}

    def of(self, frame: Frame) -> Fate | None:
        """That of a frame that was seen leaving; None where no wire did anything to it."""
        if frame.point not in self._points:
            return None
        key = frame.point, zlib.crc32(frame.data)
        occurrence = self._seen[key]
        self._seen[key] += 1
        found = self._found.get((*key, occurrence))
        return None if found is None else _fate(frame.data, found)


def strike_id(number: int) -> EventId:
    """The event of a step's strike with that number."""
    return EventId(EventKind.STRIKE, number)


def _fate(data: bytes, strikes: Iterable[tuple[EventId, WireStrike]]) -> Fate:
    """What is left of a frame and its copies, each with what was done to it last."""
    units: dict[int, bytes | None] = {0: data}
    ids = []
    for name, strike in strikes:
        ids.append(name)
        now = units.get(strike.copy, data)
        if strike.changed:
            now = strike.changed
        for number in range(strike.copies):
            units[strike.copy + 1 + number] = now
        units[strike.copy] = None if strike.is_end else now
    arrives = units[0] == data
    made = tuple(each for copy, each in units.items() if each is not None and (copy or not arrives))
    return Fate(tuple(ids), arrives, made)


def join_strikes(
    strikes: Sequence[WireStrike], rules: Sequence[WireRule], crossings: Iterable[Crossing]
) -> tuple[Struck, ...]:
    """The step's strikes, in order of time, with their frames."""
    frames: dict[EventId, EventId] = {}
    made: defaultdict[EventId, list[EventId]] = defaultdict(list)
    for crossing in crossings:
        for name in crossing.strikes:
            if crossing.is_made:
                made[name].append(crossing.id)
            else:
                frames.setdefault(name, crossing.id)
    found = []
    for number, strike in enumerate(strikes, start=1):
        if strike.rule >= len(rules):
            continue
        name = strike_id(number)
        makes = strike.copies or strike.changed
        found.append(
            Struck(
                name,
                strike,
                rules[strike.rule],
                frames.get(name),
                tuple(made[name]) if makes else (),
            )
        )
    return tuple(found)


def strike_doubts(
    strikes: Sequence[WireStrike],
    rules: Sequence[WireRule],
    step: str,
    crossings: Sequence[Crossing],
) -> list[str]:
    """Where what a wire tells of a step is not what was seen at both ends, a sentence each.

    `crossings` are those of single links.
    """
    found = []
    for place, rule in enumerate(rules):
        count = sum(strike.rule == place for strike in strikes)
        if rule.step == step and count != rule.strikes:
            found.append(
                f"{counted(count, 'strike')} of the wire rule {rule.text!r}, which made "
                f"{rule.strikes}"
            )
    struck: defaultdict[tuple[str, int, int], list[tuple[EventId, WireStrike]]]
    struck = defaultdict(list)
    for number, strike in enumerate(strikes, start=1):
        if strike.checksum:
            key = strike.point, strike.checksum, strike.occurrence
            struck[key].append((strike_id(number), strike))
    sent = {name: c for c in crossings if not c.is_made for name in c.strikes}
    made = Counter(name for c in crossings if c.is_made for name in c.strikes)
    spoken_of: set[bytes] = set()
    for every in struck.values():
        name = every[0][0]
        crossing = sent.get(name)
        if crossing is None:
            found.append(f"{name} of a wire is on no frame that was seen leaving")
            continue
        data = crossing.packet.frame.data
        fate = _fate(data, every)
        spoken_of |= {data, *fate.made}
        if fate.arrives == crossing.lost or made[name] != len(fate.made):
            found.append(f"what the wire tells of {crossing.id} is not what was seen to arrive")
    for crossing in crossings:
        is_nobodys = crossing.sent_ns is None and not crossing.is_made
        if is_nobodys and crossing.packet.frame.data in spoken_of:
            found.append(f"{crossing.id} arrived, and the wire tells of no such frame")
    return found


def unmatched(rules: Iterable[WireRule], step: str) -> list[str]:
    """The step's rules that were about no frame, a sentence each."""
    return [
        f"the wire rule {rule.text!r} matched no frame"
        for rule in rules
        if rule.step == step and not rule.matched and rule.action != "hold"
    ]
