"""Calls that a program printed, and the same calls as they were traced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.calls.transcript import PrintedCall
from lab.syscalls.table import CALLS

SYSTEM_CALLS = {
    "accept": frozenset({"accept", "accept4"}),
    "send": frozenset({"sendto"}),
    "recv": frozenset({"recvfrom"}),
}
"""What the C library, or Python, makes of a call whose system call has another name."""

SAME_ERRORS = {"ENOTSUP": "EOPNOTSUPP", "EWOULDBLOCK": "EAGAIN"}
"""Python's names of two errors, and the other names of the same numbers (errno(3))."""


def pair_printed(
    printed: Sequence[PrintedCall], traced: Sequence[SystemCall]
) -> Iterator[tuple[PrintedCall, SystemCall | None]]:
    """One program's printed calls, each with its traced one; with None where none agrees.

    Both are in order. What is never traced, unlink() say, is left out.
    """
    at = 0
    for call in printed:
        if not system_calls_of(call) & CALLS.keys():
            continue
        place = next((n for n in range(at, len(traced)) if _agrees(call, traced[n])), None)
        if place is None:
            yield call, None
        else:
            yield call, traced[place]
            at = place + 1


def system_calls_of(call: PrintedCall) -> frozenset[str]:
    """The names of the system calls that a printed call may be."""
    return SYSTEM_CALLS.get(call.name, frozenset({call.name}))


def _agrees(printed: PrintedCall, traced: SystemCall) -> bool:
    """Whether the traced call can be the one that was printed."""
    if traced.name not in system_calls_of(printed):
        return False
    descriptor = printed.argument(0)
    if isinstance(descriptor, int) and traced.descriptor not in (None, descriptor):
        return False
    error = SAME_ERRORS.get(printed.error, printed.error)
    if (traced.result, traced.error) != (printed.result, error):
        return False
    # Of long data only the first bytes are traced; none where memory cannot be read.
    data = printed.data[: max(printed.result, 0)]
    return not traced.data or data.startswith(traced.data[: len(data)])
