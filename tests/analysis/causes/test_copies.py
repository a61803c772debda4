"""Notices that a send with MSG_ZEROCOPY was copied; and what is near to them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trace_edits as t
from failed_call import TCP, found

from lab.records import Memory, Recording, Syscall

MSG_ERRQUEUE, MSG_ZEROCOPY = 0x2000, 0x4000000


def noticed(code: int, origin: int = 5, flags: int = MSG_ERRQUEUE) -> Recording:
    """The client's first send was to copy nothing, and its last read brought a notice."""

    def asks(call: Syscall) -> Syscall:
        *others, given, place, length = call.arguments
        return replace(call, arguments=(*others, given | MSG_ZEROCOPY, place, length))

    run = t.changed("client", "sendto", asks)(TCP)
    error = bytes((0, 0, 0, 0, origin, 0, code, 0)) + bytes(8)
    header = (48).to_bytes(8, "little") + bytes((0, 0, 0, 0, 11, 0, 0, 0))
    control = Memory(1, "control", True, header + error + bytes(16), 48)
    close = t.call_of(run, "client", "close")
    read = replace(
        close, name="recvmsg", arguments=(close.arguments[0], 1, flags), memory=(control,),
        entry_ns=close.entry_ns - 2, exit_ns=close.entry_ns - 1, result=0,
    )  # fmt: skip
    return t.with_calls(run, [*run.trace.syscalls, read])


def test_what_was_copied_is_named_with_its_send() -> None:
    text = found(noticed(1))["zerocopy-copied"].text
    assert "what client#3 (sendto) sent with MSG_ZEROCOPY was copied all the same" in text


@pytest.mark.parametrize(
    "run",
    [noticed(0), noticed(1, origin=2), noticed(1, flags=0)],
    ids=["not copied", "an ICMP error", "no notice"],
)
def test_what_was_not_copied_has_no_cause(run: Recording) -> None:
    assert "zerocopy-copied" not in found(run)
