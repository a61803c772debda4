"""States beside segments, of which two witnesses may tell."""

from __future__ import annotations

from dataclasses import replace

from timeline_edits import timeline_of

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.state import State
from lab.checks.connections.states import receiver_fault, sender_fault
from lab.model.claim import Outcome
from lab.model.event import frame_id

(TALK,) = timeline_of("half-close4", "shutdown").conversations
FIN = next(s for s in TALK.segments if s.flags & TcpFlags.FIN)
WANTED = (State.CLOSE_WAIT, State.FIN_WAIT_1)


def test_a_side_in_one_of_the_states_is_no_fault() -> None:
    assert receiver_fault(FIN, WANTED, []) is None
    assert sender_fault(FIN, WANTED, []) is None


def test_another_state_is_a_fault_with_its_frame() -> None:
    for fault in (receiver_fault(FIN, [State.LISTEN], []), sender_fault(FIN, [State.LISTEN], [])):
        assert fault is not None
        assert fault.outcome is Outcome.BROKEN
        assert fault.evidence == (frame_id(FIN.crossing),)


def test_a_receiver_that_is_gone_is_one_too() -> None:
    fault = receiver_fault(replace(FIN, receiver_state=None), WANTED, [frame_id(1)])
    assert fault is not None
    assert "gone" in fault.why
    assert fault.evidence == (frame_id(1), frame_id(FIN.crossing))


def test_where_the_kernel_and_the_frames_differ_nothing_is_decided() -> None:
    torn = replace(
        FIN,
        receiver_state=State.ESTABLISHED,
        implied_receiver_state=State.CLOSE_WAIT,
        sender_state=State.ESTABLISHED,
        implied_sender_state=State.FIN_WAIT_1,
    )
    for fault in (receiver_fault(torn, WANTED, []), sender_fault(torn, WANTED, [])):
        assert fault is not None
        assert fault.outcome is Outcome.UNDECIDED
    neither = replace(torn, implied_receiver_state=State.LISTEN)
    fault = receiver_fault(neither, WANTED, [])
    assert fault is not None
    assert fault.outcome is Outcome.BROKEN
