from __future__ import annotations

import threading

import pytest
from event_ids import event

from lab.model import event as module
from lab.model.event import EventId, EventKind, frame_id


@pytest.mark.parametrize(
    ("id", "text"),
    [
        (frame_id(3), "f3"),
        (EventId(EventKind.PRINTED_CALL, 2, "client"), "client:2"),
        (EventId(EventKind.SYSTEM_CALL, 4, "client"), "client#4"),
        (EventId(EventKind.STATE, 2), "state 2"),
        (EventId(EventKind.DROP, 1), "drop 1"),
        (EventId(EventKind.QUEUE, 3), "queue 3"),
    ],
)
def test_an_events_text_names_it_alone(id: EventId, text: str) -> None:
    assert str(id) == f"{id}" == text
    assert event(text) == id


def test_events_of_two_kinds_are_never_the_same() -> None:
    assert len({EventId(kind, 1, "client") for kind in EventKind}) == len(EventKind)


def test_a_frames_event_is_one_object_however_often_it_is_asked_for() -> None:
    frame_id(1)  # the first numbers come first
    for number in (1, 3, 60_000, 2):
        assert frame_id(number) is frame_id(number)
    for number in (1, 60_000, -1, 10**15):
        assert frame_id(number) == EventId(EventKind.FRAME, number)


def test_threads_that_ask_at_once_get_each_frames_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else every later frame of the process is called by its neighbour's number."""
    monkeypatch.setattr(module, "_FRAME_IDS", [])
    others: list[threading.Thread] = []

    class Slow(EventId):
        """While the first is made another thread asks, and has time to be answered."""

        def __init__(self, kind: EventKind, number: int) -> None:
            super().__init__(kind, number)
            if not others:
                others.append(threading.Thread(target=frame_id, args=(5,)))
                others[0].start()
                others[0].join(0.05)

    monkeypatch.setattr(module, "EventId", Slow)
    assert frame_id(3).number == 3
    others[0].join()
    assert [frame_id(number).number for number in range(10)] == [*range(10)]
