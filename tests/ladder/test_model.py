from __future__ import annotations

from dataclasses import replace

import pytest
import traced_runs as t
from event_ids import event

from lab.ladder.build import build_ladder
from lab.ladder.model import (
    CallLabel,
    CallRow,
    DropRow,
    ElisionRow,
    FrameRow,
    Ladder,
    Lane,
    NoteRow,
    Part,
    QueueRow,
    StateRow,
)
from lab.records import Obtained

CALL = CallRow(
    event("client#2"), 0, Part.WHOLE, 7, False, CallLabel(2), "x", "", "x()", "0", False, 1, ""
)
LANES = (Lane("client"), Lane("server"))


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (CallLabel(4), "#4"),
        (CallLabel(4, "client"), "client#4"),
        (CallLabel(4, thread=7), "[7]#4"),
        (CallLabel(4, "client", 7), "client[7]#4"),
    ],
)
def test_a_label_is_a_number_with_its_owner(label: CallLabel, text: str) -> None:
    assert str(label) == text
    assert str(label) == f"{label.owner}#4"


@pytest.mark.parametrize(
    ("error", "is_fault"), [("", False), ("EAGAIN", False), ("EINTR", False), ("EPIPE", True)]
)
def test_an_error_that_says_not_yet_is_no_fault(error: str, is_fault: bool) -> None:
    assert replace(CALL, error=error).is_fault is is_fault


def test_an_error_that_programs_count_on_is_no_fault() -> None:
    assert not replace(CALL, error="ENOTCONN", is_expected_error=True).is_fault


def test_a_state_says_how_it_was_obtained() -> None:
    state = StateRow(event("state 1"), 0, 0, False, "", "CLOSE", "SYN_SENT", Obtained.MEASURED)
    assert state.text == "kernel: CLOSE → SYN_SENT"
    assert replace(state, old="").text == "kernel: ? → SYN_SENT"
    assert replace(state, connection="40858").text == "kernel: 40858: CLOSE → SYN_SENT"
    assert replace(state, obtained=Obtained.SAMPLED).text == "kernel: SYN_SENT, sampled"


def test_a_queue_names_its_caller_where_there_are_several() -> None:
    queue = QueueRow(event("queue 1"), 0, 0, False, event("client#2"), "", "9 bytes left to read")
    assert queue.text == "kernel: 9 bytes left to read, sampled"
    assert replace(queue, caller="[7]#2").text == "kernel: [7]#2: 9 bytes left to read, sampled"


def test_a_drop_names_its_reason_and_frame() -> None:
    drop = DropRow(event("drop 1"), 1, 0, False, event("f3"), "NO_SOCKET", "f3 SYN seq=0")
    assert drop.text == "dropped by the kernel: NO_SOCKET (f3 SYN seq=0)"
    assert replace(drop, label="").text == "dropped by the kernel: NO_SOCKET"


def test_a_frames_label_has_its_name_and_connection_where_they_are_needed() -> None:
    rows = [row for row in build_ladder(t.talk()).rows if isinstance(row, FrameRow)]
    syn = next(row for row in rows if row.text == "SYN seq=0 win=42340")
    assert syn.label == "f3 SYN seq=0 win=42340"
    assert replace(syn, connection="40858").label == "f3 40858: SYN seq=0 win=42340"
    assert replace(syn, name="").label == "SYN seq=0 win=42340"
    assert syn.delay_ns is not None and syn.delay_ns > 0
    assert replace(syn, received_ns=None).delay_ns is None
    assert syn.is_segment and not replace(syn, sender_state="").is_segment


def test_what_an_elision_leaves_out_is_there_all_the_same() -> None:
    later = replace(CALL, time_ns=9, event=event("client#3"))
    note = NoteRow(later.event, 0, "It blocked.")
    ladder = Ladder(LANES, (ElisionRow((CALL, later, note), "... 2 times more", 0), later))
    assert [*ladder.every_row()] == [CALL, later, note, later]
    assert ladder.zero_ns == 7
    assert ladder.has_calls


def test_a_ladder_without_events_begins_at_zero() -> None:
    assert Ladder(LANES, ()).zero_ns == 0
    assert not Ladder(LANES, ()).has_calls


def test_a_row_without_a_time_is_of_a_call_that_never_returned() -> None:
    assert replace(CALL, time_ns=None).is_unfinished and not CALL.is_unfinished
    assert Ladder(LANES, (replace(CALL, time_ns=None), CALL)).zero_ns == 7
