"""Events by their texts, as reports have them: event("client#4"), event("f3"), event("state 2")."""

from __future__ import annotations

from typing import Any

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


def named(reference: dict[str, Any] | None) -> str | None:
    """The text of an event that a report refers to."""
    if reference is None:
        return None
    program = reference.get("program", "")
    return str(EventId(EventKind(reference["kind"]), reference["number"], program))


def all_named(references: list[dict[str, Any]]) -> list[str | None]:
    """The texts of several."""
    return [*map(named, references)]
