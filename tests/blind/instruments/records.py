"""What can befall an instrument whose records stand in a row, each with a time of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from lab.records import Recording
from tests.blind.disturbance import (
    Disturbed,
    Manner,
    Name,
    cuts,
    falsified,
    later,
    spread,
)

Put = Callable[[Recording, Sequence[Any]], Recording]
"""The recording with these records of the instrument instead of its own."""

MOST_RECORDS = 5


def in_trace(field: str) -> Put:
    """For the records of a field of the trace."""

    def put(recording: Recording, records: Sequence[Any]) -> Recording:
        changed: dict[str, Any] = {field: tuple(records)}
        return replace(recording, trace=replace(recording.trace, **changed))

    return put


def disturbed_records(
    name: Name,
    recording: Recording,
    records: Sequence[Any],
    put: Put,
    *,
    time: str = "time_ns",
    untouched: frozenset[str] = frozenset(),
    most: int = MOST_RECORDS,
) -> Iterator[Disturbed]:
    """All records gone, those after a moment, all late; one missing, or false in one field."""
    if not records:
        return
    yield Disturbed(name, Manner.GONE, "none was seen", put(recording, ()))
    for moment_ns, steps in cuts(recording):
        early = [each for each in records if getattr(each, time) < moment_ns]
        if len(early) < len(records):
            what = f"ended in the middle of {', '.join(sorted(steps))}"
            yield Disturbed(name, Manner.CUT, what, put(recording, early), steps)
    late = [later(each) for each in records]
    yield Disturbed(name, Manner.LATE, "all are late", put(recording, late))
    for place, record in spread(records, most):
        before, after = records[:place], records[place + 1 :]
        said = f"record {place + 1} of {len(records)}"
        missed = put(recording, (*before, *after))
        yield Disturbed(name, Manner.FALSE, f"{said}: not seen", missed)
        for field, other in falsified(record, untouched):
            changed = put(recording, (*before, other, *after))
            yield Disturbed(name, Manner.FALSE, f"{said}: {field}", changed)
