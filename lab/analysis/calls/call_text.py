"""Traced calls in text: at entry and at return, their durations, their addresses."""

from __future__ import annotations

from lab.analysis.calls.system_call import Argument, SystemCall
from lab.model.counted import counted
from lab.records import QueueSample
from lab.syscalls.table import CALLS

SHOWN_NS = 1_000_000
"""A call that took longer says how long, even where nothing else happened meanwhile."""


def entered(call: SystemCall) -> str:
    """The call with what is known at its entry: "recvfrom(4, buf, 16, 0, NULL, NULL)".

    What the kernel is to fill in is shown by its name.
    """
    filled = _filled(call)
    texts = (
        argument.name if place in filled and argument.number else argument.text
        for place, argument in enumerate(call.arguments)
    )
    return f"{call.title}({', '.join(texts)})"


def returned(call: SystemCall) -> str:
    """The call's result, and what the kernel filled in: "recvfrom = 7, buf 'Hello. '"."""
    return ", ".join([f"{call.title} = {call.returned}", *map(_filled_text, _outcomes(call))])


def brings_more(call: SystemCall) -> bool:
    """Whether `returned` says more than the result."""
    return bool(_outcomes(call))


def took(call: SystemCall) -> str:
    """How long it was inside the kernel: "0.040 ms"; "" where it did not return."""
    return "" if call.exit_ns is None else duration(call.exit_ns - call.entry_ns)


def took_long(call: SystemCall) -> bool:
    """Whether it took long enough for its duration to be printed."""
    return call.exit_ns is not None and call.exit_ns - call.entry_ns >= SHOWN_NS


def duration(time_ns: int) -> str:
    """A time in milliseconds, or in seconds where it is long."""
    if abs(time_ns) >= 10_000_000_000:
        return f"{time_ns / 1e9:.3f} s"
    return f"{time_ns / 1e6:.3f} ms"


def left_to_read(sample: QueueSample) -> str:
    """What a unix socket's queue held: "9 bytes left to read", "9 bytes in the next message"."""
    count = counted(sample.unread_bytes, "byte") if sample.unread_bytes else "no bytes"
    if sample.type != "SOCK_DGRAM":
        return f"{count} left to read"
    return f"{count} in the next message" if sample.unread_bytes else "nothing in a next message"


def _filled(call: SystemCall) -> frozenset[int]:
    """The places of the arguments that the kernel writes to."""
    shape = CALLS.get(call.name)
    pointers = () if shape is None else shape.pointers
    return frozenset(pointer.argument for pointer in pointers if pointer.at_exit)


def _outcomes(call: SystemCall) -> list[Argument]:
    """The arguments that the kernel filled in and that could be read."""
    filled = () if call.error else _filled(call)
    return [
        argument
        for place, argument in enumerate(call.arguments)
        if place in filled and not argument.is_pointer
    ]


def _filled_text(argument: Argument) -> str:
    return f"{argument.name} {argument.text}"
