"""Calls of a recording changed as an instrument that sees them may have them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from lab.records import Recording, Syscall
from tests.blind.disturbance import Disturbed, Manner, Name
from tests.blind.instruments.records import in_trace

with_calls = in_trace("syscalls")


def every(_: Syscall) -> bool:
    """The choice of all calls."""
    return True


def until(
    seen: Iterable[Syscall], moment_ns: int, is_chosen: Callable[[Syscall], bool] = every
) -> Iterator[Syscall]:
    """Of those chosen what was entered until then; what had not returned has no result."""
    for call in seen:
        if not is_chosen(call):
            yield call
        elif call.entry_ns < moment_ns:
            if call.exit_ns is not None and call.exit_ns >= moment_ns:
                memory = tuple(each for each in call.memory if not each.at_exit)
                yield replace(call, exit_ns=None, result=None, memory=memory)
            else:
                yield call


def made(
    name: Name,
    manner: Manner,
    what: str,
    recording: Recording,
    seen: Iterable[Syscall],
    steps: frozenset[str] | None = None,
) -> Disturbed:
    """With those calls, in order of entry, as a tracer has them."""
    ordered = sorted(seen, key=lambda call: call.entry_ns)
    return Disturbed(name, manner, what, with_calls(recording, ordered), steps)
