"""A step's moments as a ladder draws them: an end that follows at once shares its line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lab.analysis.order.moments import Moment, MomentKind, Order

OTHER_END = {
    MomentKind.ENTRY: MomentKind.EXIT,
    MomentKind.DEPARTURE: MomentKind.ARRIVAL,
}
OF_FRAMES = (MomentKind.DEPARTURE, MomentKind.ARRIVAL)


@dataclass(frozen=True, slots=True)
class Beat:
    """What one line of the ladder is about."""

    moment: Moment
    is_whole: bool
    """Whether the event's other end is drawn with it: it follows at once, or was never seen."""
    is_concurrent: bool
    """Whether its order against what is above it is not known."""


def beats(order: Order) -> Iterator[Beat]:
    """The order's moments, those left out that are drawn with the one before them."""
    moments = order.moments
    sightings = Counter(moment.event for moment in moments if moment.kind in OF_FRAMES)
    is_drawn = False
    for place, moment in enumerate(moments):
        if is_drawn:
            is_drawn = False
            continue
        is_drawn = _is_end_of(moment, moments[place + 1 : place + 2])
        seen_once = moment.kind in OF_FRAMES and sightings[moment.event] == 1
        yield Beat(moment, is_drawn or seen_once, place in order.concurrent)


def _is_end_of(moment: Moment, following: Sequence[Moment]) -> bool:
    """Whether what follows is the moment's own other end."""
    return any(
        after.event == moment.event and after.kind is OTHER_END.get(moment.kind)
        for after in following
    )


def deepest(drawn: Sequence[Beat], is_here: Callable[[str], bool]) -> int:
    """How many calls at most need a bracket on one line, of those that `is_here` takes."""
    open_calls = most = 0
    for beat in drawn:
        kind, event = beat.moment.kind, beat.moment.event
        if kind is MomentKind.ENTRY and is_here(event):
            most = max(most, open_calls + 1)
            open_calls += not beat.is_whole
        elif kind is MomentKind.EXIT and is_here(event):
            open_calls -= 1
    return most
