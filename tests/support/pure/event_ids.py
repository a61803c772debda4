"""Events by their texts, as reports have them: event("client#4"), event("f3"), event("state 2")."""

from __future__ import annotations

from lab.model.event import EventId, EventKind

_MARKS = {"#": EventKind.SYSTEM_CALL, ":": EventKind.PRINTED_CALL}


def event(text: str) -> EventId:
    """The event of that text."""
    for mark, kind in _MARKS.items():
        if mark in text:
            program, _, number = text.rpartition(mark)
            return EventId(kind, int(number), program)
    if " " in text:
        kind_text, _, number = text.partition(" ")
        return EventId(EventKind(kind_text), int(number))
    return EventId(EventKind.FRAME, int(text.removeprefix("f")))
