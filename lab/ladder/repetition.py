"""Ladders that fit a page: a repeated pattern is drawn twice, a long ladder without its middle."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from lab.frozen import frozen
from lab.ladder.likeness import Likeness
from lab.ladder.model import EventRow

FIRST_ROWS = 250
LAST_ROWS = 150
MOST_ROWS = FIRST_ROWS + LAST_ROWS
FEWEST_TIMES = 6
"""What comes less often stands each time: it may be what an experiment is about."""

LONGEST_PATTERN = 12
"""In rows: a send with its segments and their ACKs, and a read with the wait before it."""


@frozen
class Elided:
    """Rows that are left out, and the text that stands for them."""

    rows: tuple[EventRow, ...]
    text: str


LikenessOf = Callable[[EventRow], Likeness]


def without_repetition(
    rows: Sequence[EventRow], likeness_of: LikenessOf
) -> list[EventRow | Elided]:
    """The rows without repetitions, and without the middle if they are still too many."""
    kept = _kept(rows, likeness_of)
    middle = kept[FIRST_ROWS:-LAST_ROWS]
    if len(middle) < 2:
        return kept
    text = f"... {len(middle)} lines left out; report.json has them"
    return [*kept[:FIRST_ROWS], Elided(_inside(middle), text), *kept[-LAST_ROWS:]]


def beginning(
    rows: Sequence[EventRow], likeness_of: LikenessOf
) -> tuple[list[EventRow | Elided], int]:
    """The first of the rows without repetitions, and how many rows those stand for."""
    kept = _kept(rows, likeness_of)[:FIRST_ROWS]
    return kept, len(_inside(kept))


def ending(
    rows: Sequence[EventRow], likeness_of: LikenessOf
) -> tuple[list[EventRow | Elided], int]:
    """The last of the rows without repetitions, and how many rows come before those."""
    kept = _kept(rows, likeness_of)[-LAST_ROWS:]
    return kept, len(rows) - len(_inside(kept))


def _kept(rows: Sequence[EventRow], likeness_of: LikenessOf) -> list[EventRow | Elided]:
    return list(_folded(rows, [likeness_of(row) for row in rows]))


def _inside(kept: Iterable[EventRow | Elided]) -> tuple[EventRow, ...]:
    return tuple(
        row for each in kept for row in (each.rows if isinstance(each, Elided) else [each])
    )


def _folded(rows: Sequence[EventRow], like: Sequence[Likeness]) -> Iterator[EventRow | Elided]:
    """The first and the last of each run of a pattern, and how often it came in between."""
    numbers = _numbers(like)
    place = 0
    while place < len(rows):
        period, times = _run_at(numbers, place)
        if times < FEWEST_TIMES:
            yield rows[place]
            place += 1
            continue
        second, last, end = (place + n * period for n in (1, times - 1, times))
        texts = [each.text for each in like[place:end]]
        is_same = texts == texts[:period] * times
        yield from rows[place:second]
        yield Elided(tuple(rows[second:last]), _summary(period, times - 2, is_same))
        yield from rows[last:end]
        place = end


def _summary(period: int, times: int, is_same: bool) -> str:
    what = "" if period == 1 else f"these {period} events "
    return f"... {what}{times} times more{'' if is_same else ', with other numbers or bytes'}"


def _numbers(like: Sequence[Likeness]) -> list[int]:
    """The same number for the same kind."""
    known: dict[Hashable, int] = {}
    return [
        -place if each.kind is None else known.setdefault(each.kind, len(known))
        for place, each in enumerate(like, 1)
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
