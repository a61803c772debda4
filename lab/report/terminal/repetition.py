"""Ladders that fit a page: what repeats is drawn twice, and of what is too long the ends."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from lab.report.terminal.beats import Beat

FIRST_ROWS = 250
LAST_ROWS = 150
FEWEST_TIMES = 6
"""What comes less often is drawn each time: it may be what an experiment is about."""

LONGEST_PATTERN = 12
"""In beats: a send with its segments and their ACKs, and a read with the wait before it."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a beat looks beside others."""

    kind: Hashable
    """Equal for beats that repeat each other; None for one that is always drawn."""
    text: str
    """All that it tells but its time and number."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Beats that are not drawn, and the line that stands for them."""

    beats: tuple[Beat, ...]
    told: str


Row = Beat | LeftOut


def rows_of(drawn: Sequence[Beat], look_of: Callable[[Beat], Look]) -> list[Row]:
    """The beats, without what repeats; without the middle where that is still too long."""
    rows = list(_folded(drawn, [look_of(beat) for beat in drawn]))
    middle = rows[FIRST_ROWS:-LAST_ROWS]
    if len(middle) < 2:
        return rows
    hidden = (beat for row in middle for beat in ((row,) if isinstance(row, Beat) else row.beats))
    told = f"... {len(middle)} lines left out; report.json has them"
    return [*rows[:FIRST_ROWS], LeftOut(tuple(hidden), told), *rows[-LAST_ROWS:]]


def _folded(drawn: Sequence[Beat], looks: Sequence[Look]) -> Iterator[Row]:
    """Of each run of a pattern the first and the last time, and how often it came between."""
    numbers = _numbers(looks)
    place = 0
    while place < len(drawn):
        period, times = _run_at(numbers, place)
        if times < FEWEST_TIMES:
            yield drawn[place]
            place += 1
            continue
        second, last, end = (place + n * period for n in (1, times - 1, times))
        texts = [look.text for look in looks[place:end]]
        is_same = texts == texts[:period] * times
        yield from drawn[place:second]
        yield LeftOut(tuple(drawn[second:last]), _told(period, times - 2, is_same))
        yield from drawn[last:end]
        place = end


def _told(period: int, times: int, is_same: bool) -> str:
    what = "" if period == 1 else f"these {period} events "
    return f"... {what}{times} times more{'' if is_same else ', with other numbers or bytes'}"


def _numbers(looks: Sequence[Look]) -> list[int]:
    """The same number for the same kind."""
    known: dict[Hashable, int] = {}
    return [
        -place if look.kind is None else known.setdefault(look.kind, len(known))
        for place, look in enumerate(looks, 1)
    ]


def _run_at(numbers: Sequence[int], place: int) -> tuple[int, int]:
    """The shortest pattern that begins here and repeats: its length, and how often it comes."""
    for period in range(1, LONGEST_PATTERN + 1):
        pattern = numbers[place : place + period]
        times, after = 1, place + period
        while numbers[after : after + period] == pattern:
            times, after = times + 1, after + period
        if times >= FEWEST_TIMES:
            return period, times
    return 1, 1
