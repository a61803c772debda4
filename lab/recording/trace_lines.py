"""A run's trace as lines of its recording: JSON objects, each with its `kind`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lab.recording.line import Line, number_of, number_or_none_of, text_of, truth_of
from lab.records import (
    DropNotice,
    KernelEvent,
    Memory,
    Obtained,
    QueueSample,
    SocketState,
    Syscall,
    TaskEvent,
    Trace,
)

KINDS = frozenset({"syscall", "task", "state", "drop", "event", "queue", "trace"})


def trace_lines(trace: Trace) -> Iterator[Line]:
    """The trace's lines, none for an empty one; the last says how many events were lost."""
    if trace == Trace():
        return
    for call in trace.syscalls:
        yield _plain("syscall", call) | {"memory": [_memory_line(m) for m in call.memory]}
    for task in trace.tasks:
        yield _plain("task", task) | {"kind": "task", "event": task.kind}
    for state in trace.states:
        yield _plain("state", state) | {"obtained": state.obtained.value}
    for drop in trace.drops:
        yield _plain("drop", drop)
    for event in trace.events:
        yield _plain("event", event)
    for queue in trace.queues:
        yield _plain("queue", queue)
    yield {"kind": "trace", "lost": trace.lost}


def parse_trace(lines: Mapping[str, Sequence[Line]]) -> Trace:
    """The trace of a recording's lines, which are given by kind.

    Raises KeyError, ValueError, TypeError.
    """
    if not lines.get("trace"):
        return Trace()
    (end,) = lines["trace"]
    return Trace(
        syscalls=tuple(map(_syscall, lines.get("syscall", ()))),
        tasks=tuple(map(_task, lines.get("task", ()))),
        states=tuple(map(_state, lines.get("state", ()))),
        drops=tuple(map(_drop, lines.get("drop", ()))),
        events=tuple(map(_event, lines.get("event", ()))),
        lost=number_of(end, "lost"),
        queues=tuple(map(_queue, lines.get("queue", ()))),
    )


def _plain(kind: str, record: Any) -> Line:  # noqa: ANN401  any of the records
    return {"kind": kind} | {name: getattr(record, name) for name in record.__slots__}


def _memory_line(memory: Memory) -> Line:
    return {
        "argument": memory.argument,
        "part": memory.part,
        "at_exit": memory.at_exit,
        "data": memory.data.hex(),
        "length": memory.length,
    }


def _memory(line: Line) -> Memory:
    return Memory(
        argument=number_of(line, "argument"),
        part=text_of(line, "part"),
        at_exit=truth_of(line, "at_exit"),
        data=bytes.fromhex(text_of(line, "data")),
        length=number_of(line, "length"),
    )


def _syscall(line: Line) -> Syscall:
    arguments = line["arguments"]
    if not all(type(value) is int and 0 <= value < 1 << 64 for value in arguments):
        raise TypeError(f"a call's arguments are {arguments!r}, no unsigned 64-bit integers")
    return Syscall(
        program=text_of(line, "program"),
        pid=number_of(line, "pid"),
        tid=number_of(line, "tid"),
        name=text_of(line, "name"),
        arguments=tuple(arguments),
        memory=tuple(map(_memory, line["memory"])),
        entry_ns=number_of(line, "entry_ns"),
        exit_ns=number_or_none_of(line, "exit_ns"),
        result=number_or_none_of(line, "result"),
        socket=text_of(line, "socket"),
        step=text_of(line, "step"),
    )


def _task(line: Line) -> TaskEvent:
    kind = text_of(line, "event")
    if kind not in ("start", "exec", "exit"):
        raise ValueError(f"a task's event is {kind!r}")
    return TaskEvent(
        time_ns=number_of(line, "time_ns"),
        program=text_of(line, "program"),
        kind=kind,
        pid=number_of(line, "pid"),
        tid=number_of(line, "tid"),
        parent_tid=number_of(line, "parent_tid"),
        shares_files=truth_of(line, "shares_files"),
        step=text_of(line, "step"),
    )


def _state(line: Line) -> SocketState:
    return SocketState(
        time_ns=number_of(line, "time_ns"),
        obtained=Obtained(text_of(line, "obtained")),
        socket=text_of(line, "socket"),
        old=text_of(line, "old"),
        new=text_of(line, "new"),
        local_address=text_of(line, "local_address"),
        local_port=number_of(line, "local_port"),
        remote_address=text_of(line, "remote_address"),
        remote_port=number_of(line, "remote_port"),
        tid=number_of(line, "tid"),
        step=text_of(line, "step"),
    )


def _drop(line: Line) -> DropNotice:
    return DropNotice(
        time_ns=number_of(line, "time_ns"),
        reason=text_of(line, "reason"),
        interface=text_of(line, "interface"),
        arrived_ns=number_or_none_of(line, "arrived_ns"),
        length=number_of(line, "length"),
        step=text_of(line, "step"),
    )


def _event(line: Line) -> KernelEvent:
    fields = line["fields"]
    for name, value in fields.items():
        if type(value) is not int and not isinstance(value, str):
            raise TypeError(f"the event's field {name} is {value!r}, neither number nor text")
    return KernelEvent(
        time_ns=number_of(line, "time_ns"),
        name=text_of(line, "name"),
        tid=number_of(line, "tid"),
        fields=fields,
        step=text_of(line, "step"),
    )


def _queue(line: Line) -> QueueSample:
    return QueueSample(
        time_ns=number_of(line, "time_ns"),
        socket=text_of(line, "socket"),
        type=text_of(line, "type"),
        unread_bytes=number_of(line, "unread_bytes"),
        tid=number_of(line, "tid"),
        step=text_of(line, "step"),
    )
