from __future__ import annotations

from lab.kernel.trace.tracefs import events
from lab.syscalls.table import CALLS


def test_each_call_has_a_tracepoint_at_its_entry_and_one_at_its_return() -> None:
    assert set(events.ENTRY_OF.values()) == set(events.EXIT_OF.values())
    assert set(events.ENTRY_OF.values()) == {*CALLS, events.RESTART}
    assert events.ENTRY_OF["syscalls:sys_enter_connect"] == "connect"
    assert events.EXIT_OF["syscalls:sys_exit_connect"] == "connect"


def test_sendfile_is_called_sendfile64_in_the_kernel() -> None:
    assert events.ENTRY_OF["syscalls:sys_enter_sendfile64"] == "sendfile"
    assert "syscalls:sys_enter_sendfile" not in events.ENTRY_OF


def test_what_is_needed_is_enabled_for_the_runs_processes_alone() -> None:
    assert set(events.NEEDED) <= set(events.OF_CALLS)
    assert not set(events.OF_CALLS) & set(events.OF_KERNEL)
