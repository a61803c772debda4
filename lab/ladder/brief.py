"""A ladder that fits a screen: rows that say the same are one, what only sets up is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate, groupby

from lab.analysis.story import Phase
from lab.ladder.background import Background
from lab.ladder.build import with_phases
from lab.ladder.model import (
    CallRow,
    DropRow,
    ElisionRow,
    FrameKind,
    FrameRow,
    Ladder,
    NoteRow,
    Part,
    PhaseRow,
    Row,
    StateRow,
    StrikeRow,
)
from lab.model.event import EventId

MOST_ROWS = 85
"""As many are kept of a longer ladder."""
FIRST_OF_ROWS = 0.7
"""The part of them that are its first rows, the others its last, where no row is remarkable."""
LEAST_FIRST, LEAST_LAST = 0.3, 0.1
"""The parts of them that are its first and its last rows at the least."""
MINOR_CALLS = frozenset(
    {
        *("setsockopt", "getsockopt", "getsockname", "getpeername", "fcntl", "ioctl"),
        *("epoll_create1", "epoll_ctl", "eventfd2", "dup", "dup2", "dup3"),
    }
)
"""Where they succeed, or fail as expected, and nothing happens meanwhile, nothing else changes."""
MINOR = "that only set or ask for something"


def brief(ladder: Ladder, most: int = MOST_ROWS) -> Ladder:
    """The ladder with fewer rows, and every frame of it.

    A frame that goes over several links is one arrow from end to end, and what devices did to it
    is said where it was not said before. A call and its return are one row where nothing came
    between, or only frames; then the last of these carries the end of its bracket. The kernel's
    states are left out where each segment has those of its ends beside it: where the two differ,
    the kernel's stand there. Remarks are left out, calls that only set something up, which are
    counted, and all but the first strike of a wire's rule that only holds frames back. Of more
    than `most` rows those that find neighbours are folded, but for the first of them; of still
    more some are left out.
    """
    rows = _without_late_strikes([row for row in ladder.rows if not isinstance(row, NoteRow)])
    rows = _end_to_end(rows)
    if any(isinstance(row, FrameRow) and row.is_segment for row in rows):
        rows = [row for row in rows if not isinstance(row, StateRow)]
    rows, minor = _without_minor_calls(_joined(rows))
    if len(rows) > most:
        rows = _without_later_neighbours(rows)
    # Where a frame is one arrow, nothing may be left beneath a heading that stood above its links.
    rows = list(with_phases([row for row in rows if not isinstance(row, PhaseRow)]))
    background = ladder.background
    if minor:
        names = ", ".join(f"{count} {name}" for name, count in minor.items())
        background = (*background, Background(f"{MINOR} ({names})", minor.total()))
    return replace(ladder, rows=_shortened(rows, most), background=background, is_brief=True)


def excerpt(
    ladders: Sequence[Ladder], evidence: Iterable[EventId], before: int, behind: int
) -> Ladder | None:
    """The rows around the first of some events that one of the ladders has; None if none has any.

    It has at most `before` rows above the event and `behind` below it, of the brief ladder where
    that has the event.
    """
    for event in evidence:
        for ladder in ladders:
            for drawn in (brief(ladder), ladder):
                for place, row in enumerate(drawn.rows):
                    if getattr(row, "event", None) == event:
                        rows = drawn.rows[max(0, place - before) : place + behind + 1]
                        return replace(drawn, rows=rows, violations=())
    return None


def _without_late_strikes(rows: Sequence[Row]) -> Sequence[Row]:
    """Each rule that holds frames back is named once: of the others the late arrows show it."""
    named: set[str] = set()
    kept: list[Row] = []
    for row in rows:
        if isinstance(row, StrikeRow) and row.is_late:
            if row.rule in named:
                continue
            named.add(row.rule)
        kept.append(row)
    return kept


def _end_to_end(rows: Sequence[Row]) -> list[Row]:
    """One arrow for each frame, in place of its first link's."""
    hops: dict[EventId, list[FrameRow]] = {}
    for row in rows:
        if isinstance(row, FrameRow) and row.hop:
            hops.setdefault(row.event, []).append(row)
    said: set[str] = set()
    whole: list[Row] = []
    for row in rows:
        if not isinstance(row, FrameRow) or not row.hop:
            whole.append(row)
        elif row.event in hops:
            links = hops.pop(row.event)
            done = [link.text for link in links[1:] if not link.is_as_it_was]
            whole.append(_as_one(links, tuple(text for text in done if text not in said)))
            said.update(done)
    return whole


def _as_one(links: Sequence[FrameRow], done: tuple[str, ...]) -> FrameRow:
    """A frame's way over these links as one row."""
    first, last = links[0], links[-1]
    return replace(
        first,
        target=last.target,
        is_forward=first.source < last.target,
        received_ns=last.received_ns,
        is_lost=last.is_lost,
        details=tuple(dict.fromkeys((*first.details, *last.details))),
        receiver_state=last.receiver_state,
        receiver_differs=last.receiver_differs,
        on_the_way=done,
    )


def _joined(rows: Sequence[Row]) -> list[Row]:
    """Each call whose return brings its result alone as one row, where only frames came between.

    A frame is whole where nothing came between its ends.
    """
    starts: dict[EventId, int] = {}
    joined: list[Row] = []
    for row in rows:
        before = joined[-1] if joined else None
        if isinstance(row, FrameRow) and isinstance(before, FrameRow) and _are_ends(before, row):
            time_ns, is_concurrent = before.time_ns, before.is_concurrent
            joined[-1] = replace(row, part=Part.WHOLE, time_ns=time_ns, is_concurrent=is_concurrent)
            continue
        if isinstance(row, CallRow) and row.part is Part.END and row.event in starts:
            place = starts.pop(row.event)
            if _can_join(joined[place + 1 :], row):
                _join(joined, place, row)
                continue
        if isinstance(row, CallRow) and row.part is Part.START:
            starts[row.event] = len(joined)
        joined.append(row)
    return joined


def _are_ends(before: FrameRow, row: FrameRow) -> bool:
    """Whether they are the departure and the arrival of one frame."""
    is_departure = before.part is Part.START and before.closes is None
    return is_departure and row.part is Part.END and row.event == before.event


def _can_join(between: Sequence[Row], end: CallRow) -> bool:
    if end.is_unfinished or (end.brings_more and between):
        return False
    if not between:
        return not end.brings_more
    company = (FrameRow, PhaseRow, DropRow, StrikeRow)
    last = between[-1]
    return (
        all(isinstance(row, company) for row in between)
        and isinstance(last, FrameRow)
        and last.closes is None
    )


def _join(rows: list[Row], place: int, end: CallRow) -> None:
    """Give the call at that place its result, and the last row the end of its bracket."""
    start, last = rows[place], rows[-1]
    assert isinstance(start, CallRow)
    rows[place] = replace(
        start,
        part=Part.START if last is not start else Part.WHOLE,
        result=end.result,
        duration_ns=end.duration_ns,
        error=end.error,
        is_expected_error=end.is_expected_error,
    )
    if isinstance(last, FrameRow):
        rows[-1] = replace(last, closes=end)


def _without_minor_calls(rows: Sequence[Row]) -> tuple[list[Row], Counter[str]]:
    """Without those, and how many they were, by name."""
    kept: list[Row] = []
    minor: Counter[str] = Counter()
    for row in rows:
        if (
            isinstance(row, CallRow)
            and row.part is Part.WHOLE
            and row.name in MINOR_CALLS
            and (not row.error or row.is_expected_error)
        ):
            minor[row.name] += 1
        else:
            kept.append(row)
    return kept, minor


def _without_later_neighbours(rows: Sequence[Row]) -> list[Row]:
    """Of a way over routers each finds its next neighbour as the first host has found its own."""
    kept: list[Row] = []
    is_first = True
    for finds, run in groupby(
        (row for row in rows if not isinstance(row, PhaseRow)), _finds_a_neighbour
    ):
        frames = list(run)
        if not finds or is_first or len(frames) < 2:
            kept += frames
        else:
            first, last = (_names(row) for row in (frames[0], frames[-1]))
            text = f"... {first} to {last} find other neighbours in the same way"
            kept.append(ElisionRow(tuple(frames), text, None))
        is_first = is_first and not finds
    return kept


def _finds_a_neighbour(row: Row) -> bool:
    is_whole = isinstance(row, FrameRow) and row.part is Part.WHOLE and row.closes is None
    return is_whole and isinstance(row, FrameRow) and row.phase is Phase.NEIGHBOUR


def _names(row: Row) -> str:
    return row.name if isinstance(row, FrameRow) else ""


def _shortened(rows: Sequence[Row], most: int) -> tuple[Row, ...]:
    """Of too many rows some in succession are left out: where the fewest are remarkable.

    Where several places are alike it is the one behind FIRST_OF_ROWS, or the next to that.
    """
    size = len(rows) - most
    if size < 2:
        return tuple(rows)
    before = [0, *accumulate(map(_is_remarkable, rows))]
    usual = round(most * FIRST_OF_ROWS)
    first = min(
        range(round(most * LEAST_FIRST), most - round(most * LEAST_LAST) + 1),
        key=lambda place: (before[place + size] - before[place], abs(place - usual)),
    )
    text = f"... {size} lines left out; -v shows more"
    elided = ElisionRow(tuple(rows[first : first + size]), text, None)
    return (*rows[:first], elided, *rows[first + size :])


def _is_remarkable(row: Row) -> bool:
    """Whether it is what a reader looks for: a loss, its repair, an error."""
    if isinstance(row, FrameRow):
        return row.is_lost or row.kind is FrameKind.ERROR or bool(row.notes)
    is_fault = isinstance(row, CallRow) and row.is_fault
    return is_fault or isinstance(row, (DropRow, StrikeRow))
