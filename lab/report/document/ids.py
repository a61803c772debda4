"""How a document refers to events: by kind and number, and of calls by program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lab.model.event import EventId, EventKind, frame_id

Document = dict[str, Any]

_NAMES = {kind: kind.value for kind in EventKind}
"""Looked up in a third of the time that enum takes for a value."""


def event_reference(event: EventId) -> Document:
    """{"kind": "frame", "number": 3}, {"kind": "system call", "number": 4, "program": "client"}."""
    found: Document = {"kind": _NAMES[event.kind], "number": event.number}
    if event.program:
        found["program"] = event.program
    return found


def known_event(event: EventId | None) -> Document | None:
    """The same; null where there is none."""
    return None if event is None else event_reference(event)


def known_frame(number: int | None) -> Document | None:
    """The frame of that number; null where there is none."""
    return None if number is None else event_reference(frame_id(number))


def event_references(events: Iterable[EventId]) -> list[Document]:
    """The references to several events, in their order."""
    return [*map(event_reference, events)]
