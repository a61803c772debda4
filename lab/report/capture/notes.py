"""What recording.pcapng says between its packets: system calls, TCP states, queues, drops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.analysis.calls.address import socket_address
from lab.analysis.calls.call_text import entered, left_to_read, took
from lab.analysis.calls.system_call import SystemCall
from lab.analysis.sockets.unix_queues import QueueSeen
from lab.analysis.timeline import Timeline
from lab.model.counted import counted
from lab.pcap.upper_pdu import CaptureNote
from lab.records import DropNotice, Obtained, SocketState

CALL, STATE, QUEUE, DROP = "system call", "TCP state", "unix queue", "drop"
STRIKE = "wire"


def trace_notes(timelines: Sequence[Timeline]) -> tuple[CaptureNote, ...]:
    """Notes in order of time: one where a call is entered, one where it returns.

    Calls are on an interface for each program, "client calls"; states on "states", unix sockets'
    queues on "queues", drops on "drops", what wires did on "wires". Evidence names events as the
    texts do: "client#4".
    """
    notes = (note for timeline in timelines for note in _notes(timeline))
    return tuple(sorted(notes, key=lambda note: note.time_ns))


def _notes(timeline: Timeline) -> Iterator[CaptureNote]:
    for call in timeline.system_calls:
        yield from _call_notes(call)
    for seen in timeline.states:
        text = f"{seen.id}: {_state_text(seen.state)}"
        yield CaptureNote(seen.state.time_ns, "states", STATE, text)
    for queue in timeline.queues:
        yield CaptureNote(
            queue.sample.time_ns, "queues", QUEUE, f"{queue.id}: {_queue_text(queue)}"
        )
    for drop in timeline.drops:
        text = f"{drop.id}: {_drop_text(drop.notice)}, frame {drop.frame}"
        yield CaptureNote(drop.notice.time_ns, "drops", DROP, text)
    for struck in timeline.struck:
        frame = f"frame {struck.frame} " if struck.frame else ""
        text = f"{struck.id}: the wire: {frame}{struck.text}, by the rule {struck.rule.text!r}"
        yield CaptureNote(struck.strike.time_ns, "wires", STRIKE, text)


def _call_notes(call: SystemCall) -> Iterator[CaptureNote]:
    interface = f"{call.program} calls"
    yield CaptureNote(call.entry_ns, interface, CALL, f"{call.id}: {entered(call)}")
    if call.exit_ns is not None:
        text = f"{call.id}: {call.text} = {call.returned} <{took(call)}>"
        yield CaptureNote(call.exit_ns, interface, CALL, text)


def _state_text(state: SocketState) -> str:
    local = socket_address(state.local_address, state.local_port)
    remote = socket_address(state.remote_address, state.remote_port)
    change = f"{state.old or '?'} -> " if state.obtained is Obtained.MEASURED else ""
    return f"{local or '?'} to {remote or '?'}: {change}{state.new} ({state.obtained.value})"


def _queue_text(queue: QueueSeen) -> str:
    socket = f"{queue.socket} " if queue.socket else ""
    return f"{socket}after {queue.call.id}: {left_to_read(queue.sample)} (sampled)"


def _drop_text(drop: DropNotice) -> str:
    where = f" from {drop.interface}" if drop.interface else ""
    return f"the kernel dropped a packet of {counted(drop.length, 'byte')}{where}: {drop.reason}"
