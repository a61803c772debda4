"""Events and edges in columns: of a run with many connections there are a million."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import overload

from lab.analysis.order.events import Event, EventPart
from lab.model.event import EventId, EventKind, frame_id

_PARTS = tuple(EventPart)
_NUMBER_OF = {part: number for number, part in enumerate(_PARTS)}
_NOWHERE = -1


class Events(Sequence[Event]):
    """Events, each made when it is asked for; equal to any sequence of the same."""

    __slots__ = ("_host_numbers", "_hosts", "_ids", "_parts", "_times_ns")

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._times_ns: array[int] | list[int] = array("q")
        self._parts = bytearray()
        self._ids: list[EventId] = []
        self._hosts = array("H")
        self._host_numbers: dict[str, int] = {}
        for event in events:
            self.add(event.time_ns, event.part, event.id, event.host)

    def add(self, time_ns: int, part: EventPart, id: EventId, host: str) -> None:
        """Add one behind all others."""
        try:
            self._times_ns.append(time_ns)
        except OverflowError:  # no clock has such times, but a recording may
            self._times_ns = [*self._times_ns, time_ns]
        self._parts.append(_NUMBER_OF[part])
        self._ids.append(id)
        self._hosts.append(self._host_numbers.setdefault(host, len(self._host_numbers)))

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, place: int) -> Event: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Event, ...]: ...

    def __getitem__(self, place: int | slice) -> Event | tuple[Event, ...]:
        if isinstance(place, slice):
            return tuple([self[at] for at in range(*place.indices(len(self)))])
        host = self._names()[self._hosts[place]]
        return Event(self._times_ns[place], _PARTS[self._parts[place]], self._ids[place], host)

    def __iter__(self) -> Iterator[Event]:
        names = self._names()
        rows = zip(self._times_ns, self._parts, self._ids, self._hosts, strict=True)
        return (Event(ns, _PARTS[part], id, names[host]) for ns, part, id, host in rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Events | tuple):
            return NotImplemented
        return len(self) == len(other) and all(map(Event.__eq__, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Events({[*self]!r})"

    def time_ns(self, place: int) -> int:
        """When the one at a place happened."""
        return self._times_ns[place]

    def part(self, place: int) -> EventPart:
        """Which part the one at a place is."""
        return _PARTS[self._parts[place]]

    def host_number(self, place: int) -> int:
        """The same for two events where they are on the same host."""
        return self._hosts[place]

    def at(self, places: Sequence[int]) -> Events:
        """Those at these places, in that order."""
        found = Events()
        times_ns = map(self._times_ns.__getitem__, places)
        is_list = isinstance(self._times_ns, list)
        found._times_ns = [*times_ns] if is_list else array("q", times_ns)
        found._parts = bytearray(map(self._parts.__getitem__, places))
        found._ids = [*map(self._ids.__getitem__, places)]
        found._hosts = array("H", map(self._hosts.__getitem__, places))
        found._host_numbers = self._host_numbers
        return found

    def places_of(self, part: EventPart) -> Iterator[tuple[EventId, int]]:
        """The ids of the events that are such a part, each with its place."""
        number = _NUMBER_OF[part]
        for at, each in enumerate(self._parts):
            if each == number:
                yield self._ids[at], at

    def _names(self) -> tuple[str, ...]:
        return tuple(self._host_numbers)


class Edges(Sequence[tuple[int, int]]):
    """Pairs of places: a cause's and its effect's; equal to any sequence of the same."""

    __slots__ = ("_causes", "_effects")

    def __init__(self, causes: Iterable[int], effects: Iterable[int]) -> None:
        self._causes, self._effects = array("I", causes), array("I", effects)

    def __len__(self) -> int:
        return len(self._causes)

    @overload
    def __getitem__(self, place: int) -> tuple[int, int]: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[tuple[int, int], ...]: ...

    def __getitem__(self, place: int | slice) -> tuple[int, int] | tuple[tuple[int, int], ...]:
        if isinstance(place, slice):
            return tuple(zip(self._causes[place], self._effects[place], strict=True))
        return self._causes[place], self._effects[place]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._causes, self._effects, strict=True)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Edges | tuple):
            return NotImplemented
        return tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Edges({[*self]!r})"


class FramePlaces(Mapping[EventId, int]):
    """By the ids of frames, which are numbered through, the places of their events."""

    __slots__ = ("_first", "_places")

    def __init__(self, found: Iterable[tuple[EventId, int]]) -> None:
        self._first = 0
        self._places = array("i")
        for id, place in found:
            if not self._places:
                self._first = id.number
            at = id.number - self._first
            if at < 0:  # none comes before the first, but where who calls this has it so
                self._places = array("i", [_NOWHERE]) * -at + self._places
                self._first, at = id.number, 0
            if at >= len(self._places):
                self._places.extend([_NOWHERE] * (at + 1 - len(self._places)))
            self._places[at] = place

    def get(self, id: EventId, default: int | None = None) -> int | None:  # type: ignore[override]
        """The place; the default where there is none."""
        if id.kind is not EventKind.FRAME:
            return default
        at = id.number - self._first
        place = self._places[at] if 0 <= at < len(self._places) else _NOWHERE
        return default if place == _NOWHERE else place

    def __getitem__(self, id: EventId) -> int:
        place = self.get(id)
        if place is None:
            raise KeyError(id)
        return place

    def __iter__(self) -> Iterator[EventId]:
        return (frame_id(self._first + at) for at, place in enumerate(self._places) if place >= 0)

    def __len__(self) -> int:
        return sum(place >= 0 for place in self._places)
