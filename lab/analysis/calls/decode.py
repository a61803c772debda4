"""A trace's system calls, decoded. The sockets they act upon are in sockets/endpoints.py."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.analysis.calls.arguments import decode_arguments, result_flags
from lab.analysis.calls.constants import error_name
from lab.analysis.calls.system_call import SystemCall
from lab.model.event import EventId, EventKind
from lab.syscalls.descriptors import EPOLL, SPLICE_OUT, Followed
from lab.syscalls.memory import descriptor_of, message_lengths, pointer_argument
from lab.syscalls.table import CALLS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.records import ProgramRun, Syscall, Trace

SEND_CALLS = frozenset({"sendto", "sendmsg", "write", "writev", "pwritev2", "sendfile", "splice"})
READ_CALLS = frozenset({"recvfrom", "recvmsg", "read", "readv", "preadv2"})
"""The calls whose result is how many bytes they moved."""

_SEVERAL = frozenset({"sendmmsg", "recvmmsg"})
"""Those whose result is how many messages they moved."""

_LAST_ERROR = -4095
"""Results from here to -1 are errors. Source: include/linux/err.h, MAX_ERRNO."""


def of_step(trace: Trace, step: str) -> Trace:
    """What a trace holds of one step."""
    return replace(
        trace,
        syscalls=tuple(each for each in trace.syscalls if each.step == step),
        tasks=tuple(each for each in trace.tasks if each.step == step),
        states=tuple(each for each in trace.states if each.step == step),
        drops=tuple(each for each in trace.drops if each.step == step),
        events=tuple(each for each in trace.events if each.step == step),
        queues=tuple(each for each in trace.queues if each.step == step),
        closings=tuple(each for each in trace.closings if each.step == step),
    )


def decode(
    trace: Trace, followed: Followed, runs: Iterable[ProgramRun], machine: str = ""
) -> tuple[SystemCall, ...]:
    """One step's calls, decoded, in order of entry. `followed` is of the same trace.

    `machine` is what `uname -m` said where they were made, "" if unknown.
    """
    hosts = {run.name: run.host for run in runs}
    ids = socket_ids(followed)
    counts: Counter[str] = Counter()
    decoded: list[SystemCall] = []
    found = zip(trace.syscalls, followed.acts_on, followed.made, strict=True)
    for place, (call, acts_on, made) in enumerate(found):
        counts[call.program] += 1
        decoded.append(
            _decode_call(
                call,
                id=EventId(EventKind.SYSTEM_CALL, counts[call.program], call.program),
                host=hosts.get(call.program, ""),
                socket="" if acts_on is None else ids[acts_on],
                made=tuple(ids[number] for number in made if ids[number]),
                descriptor=_descriptor(call, place in followed.into),
                machine=machine,
            )
        )
    return tuple(decoded)


def socket_ids(followed: Followed) -> tuple[str, ...]:
    """Each object's id: "s1" and so on for sockets and pipe ends, "" for the others."""
    ids: list[str] = []
    count = 0
    for opened in followed.objects:
        count += opened.kind != EPOLL
        ids.append("" if opened.kind == EPOLL else f"s{count}")
    return tuple(ids)


def _decode_call(
    call: Syscall,
    *,
    id: EventId,
    host: str,
    socket: str,
    made: tuple[str, ...],
    descriptor: int | None,
    machine: str,
) -> SystemCall:
    error = call.result if call.result is not None and _LAST_ERROR <= call.result < 0 else None
    lengths = message_lengths(call) if call.name in _SEVERAL else None
    moved = _moved_bytes(call) if lengths is None else sum(lengths)
    return SystemCall(
        id=id,
        program=call.program,
        host=host,
        pid=call.pid,
        tid=call.tid,
        name=call.name,
        arguments=decode_arguments(call, machine),
        entry_ns=call.entry_ns,
        exit_ns=call.exit_ns,
        result=call.result if error is None else -1,
        error="" if error is None else error_name(-error),
        data=_moved_data(call, moved),
        moved=moved,
        descriptor=descriptor,
        socket=socket,
        made=made,
        lengths=lengths,
        flags=result_flags(call) if error is None else "",
        ring=call.ring,
    )


def _descriptor(call: Syscall, is_into: bool) -> int | None:
    shape = CALLS.get(call.name)
    if is_into:
        return descriptor_of(call.arguments[SPLICE_OUT])
    if shape is None or shape.descriptor is None or (call.ring and call.ring.is_fixed):
        return None
    return descriptor_of(call.arguments[shape.descriptor])


def _moved_bytes(call: Syscall) -> int:
    """The result of a call that sends or receives; with MSG_TRUNC no more than it had room for."""
    if call.name not in SEND_CALLS | READ_CALLS:
        return 0
    result = max(call.result or 0, 0)
    if call.ring is not None and call.ring.is_provided:
        return result
    return min(result, call.arguments[2]) if call.name == "recvfrom" else result


def _moved_data(call: Syscall, moved: int) -> bytes:
    if not moved or call.name in _SEVERAL:
        return b""
    memory = pointer_argument(call, 1) or pointer_argument(call, 1, "data")
    return memory.data[:moved] if memory else b""
