"""What can befall an instrument of a run, as changes of what it recorded."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any, TypeVar

from lab.records import Recording

LATE_NS = 50_000_000
"""More than any exchange of the recordings takes."""

Record = TypeVar("Record")


class Name(enum.StrEnum):
    """The instruments of a run, a column of the table each."""

    CAPTURE = "capture"
    """The capture points and their frames."""
    CANARY = "canary"
    COUNTER = "counter"
    """PACKET_STATISTICS of each capture point: what came, and what was dropped."""
    CLOCK = "clock"
    """Whether CLOCK_REALTIME was set meanwhile."""
    WITNESS = "witness"
    """The interfaces that an ordinary program sees."""
    OUTPUT = "output"
    """The pipes that programs print into."""
    CALLS = "calls"
    """System calls, by BPF or ptrace."""
    TASKS = "tasks"
    """Starts and ends of processes, by the same."""
    MEMORY = "memory"
    """What pointer arguments point to, by BPF or process_vm_readv(2)."""
    RINGS = "rings"
    """Operations by rings of io_uring(7), by BPF."""
    STATES = "states"
    """TCP states, by BPF or sampled by TCP_INFO."""
    DROPS = "drops"
    QUEUES = "queues"
    """SIOCINQ at the ends of calls."""
    SOCK_DIAG = "sock_diag"
    CONNTRACK = "conntrack"
    """The tables of NATs, read at the end of each step."""
    WIRE = "wire"
    """What carries the frames of a link with rules, and tells which it struck."""
    NETSTAT = "netstat"
    """What the hosts' kernels counted."""
    HELD = "held"
    """The queues and states of sockets, by sock_diag."""
    CLOSING = "closing"
    """The same of TCP sockets as they are closed, by BPF or TCP_INFO."""


class Manner(enum.StrEnum):
    """What befalls an instrument."""

    GONE = "gone"
    """It was not there."""
    CUT = "cut"
    """It saw the beginning and not the end."""
    LATE = "late"
    """Its times are others than those of the rest."""
    FALSE = "false"
    """One field of one record is not what it was."""


@dataclass(frozen=True, slots=True)
class Disturbed:
    """A run with one instrument disturbed."""

    instrument: Name
    manner: Manner
    what: str
    """In one line, for people."""
    recording: Recording
    steps: frozenset[str] | None = None
    """The steps that it befalls; None for all."""
    cannot_be_told: str = ""
    """Why no other instrument could contradict it, so that it may as well be what happened; ""
    where one could."""


def recorded_by(recording: Recording) -> Iterator[Name]:
    """The instruments of which the recording has something."""
    trace = recording.trace
    records: dict[Name, object] = {
        Name.CAPTURE: recording.frames,
        Name.CANARY: recording.canaries,
        Name.COUNTER: recording.points,
        Name.CLOCK: recording.frames,
        Name.WITNESS: recording.interfaces,
        Name.OUTPUT: any(run.stdout for run in recording.programs),
        Name.CALLS: trace.syscalls,
        Name.TASKS: trace.tasks,
        Name.MEMORY: any(call.memory for call in trace.syscalls),
        Name.RINGS: any(call.ring and call.ring.operation for call in trace.syscalls),
        Name.STATES: trace.states,
        Name.DROPS: trace.drops,
        Name.QUEUES: trace.queues,
        Name.SOCK_DIAG: recording.sockets,
        Name.CONNTRACK: recording.translations,
        Name.WIRE: recording.wire_strikes,
        Name.NETSTAT: recording.counters,
        Name.HELD: recording.held_sockets,
        Name.CLOSING: trace.closings,
    }
    for name in Name:
        if records[name]:
            yield name


Disturb = Callable[[Recording], Iterator[Disturbed]]


def spread(items: Sequence[Record], most: int) -> list[tuple[int, Record]]:
    """At most so many of the items with their places, from all over."""
    step = max(1, -(-len(items) // most))
    return [(place, items[place]) for place in range(0, len(items), step)]


def cuts(recording: Recording) -> Iterator[tuple[int, frozenset[str]]]:
    """In each step a moment while its programs ran, and the steps that are not over then."""
    steps = list(dict.fromkeys(run.step for run in recording.programs))
    for place, step in enumerate(steps):
        runs = [run for run in recording.programs if run.step == step]
        first, last = min(run.started_ns for run in runs), max(run.ended_ns for run in runs)
        yield (first + last) // 2, frozenset(steps[place:])


def later(record: Record) -> Record:
    """The record with all of its times LATE_NS later."""
    times = {
        field.name: getattr(record, field.name) + LATE_NS
        for field in fields(record)  # type: ignore[arg-type]
        if field.name.endswith("_ns") and getattr(record, field.name) is not None
    }
    return replace(record, **times)  # type: ignore[type-var]


def falsified(record: Record, untouched: frozenset[str] = frozenset()) -> Iterator[tuple[str, Any]]:
    """The record with each of its fields changed, one at a time: (field's name, record).

    "step" is none of what was seen: the lab knows which step it is in.
    """
    for field in fields(record):  # type: ignore[arg-type]
        if field.name in untouched or field.name == "step":
            continue
        for value in other_values(getattr(record, field.name)):
            yield field.name, replace(record, **{field.name: value})  # type: ignore[type-var]


def other_values(value: object) -> Iterator[object]:
    """Values near that one, of its kind; none for what is no plain value."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, Enum):
        members = list(type(value))
        yield members[(members.index(value) + 1) % len(members)]
    elif isinstance(value, int):
        yield value + 1
        if value > 0:
            yield value - 1
    elif isinstance(value, bytes) and value:
        for place in sorted({0, len(value) // 2, len(value) - 1}):
            yield value[:place] + bytes([value[place] ^ 0x01]) + value[place + 1 :]
    elif isinstance(value, str):
        yield value[:-1] + ("x" if value[-1] != "x" else "y") if value else "x"
    elif isinstance(value, tuple) and value and all(isinstance(each, int) for each in value):
        for place, each in enumerate(value):
            yield (*value[:place], each + 1, *value[place + 1 :])
