from __future__ import annotations

import json

import pytest
from event_ids import event, named

from lab.report.document.ids import (
    Document,
    event_reference,
    event_references,
    known_event,
    known_frame,
)

REFERENCES: list[tuple[str, Document]] = [
    ("f3", {"kind": "frame", "number": 3}),
    ("client:2", {"kind": "printed call", "number": 2, "program": "client"}),
    ("client#4", {"kind": "system call", "number": 4, "program": "client"}),
    ("state 2", {"kind": "state", "number": 2}),
    ("drop 1", {"kind": "drop", "number": 1}),
    ("queue 3", {"kind": "queue", "number": 3}),
]


@pytest.mark.parametrize(("text", "reference"), REFERENCES)
def test_an_event_is_referred_to_by_kind_number_and_program(text: str, reference: Document) -> None:
    assert event_reference(event(text)) == reference
    assert named(json.loads(json.dumps(reference))) == text


def test_several_keep_their_order() -> None:
    events = [event(text) for text, _ in REFERENCES]
    assert event_references(events) == [reference for _, reference in REFERENCES]


def test_what_is_unknown_is_null() -> None:
    assert (known_event(None), known_frame(None)) == (None, None)
    assert known_event(event("f3")) == known_frame(3) == {"kind": "frame", "number": 3}
