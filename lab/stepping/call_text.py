"""System calls as they are made: what is known of them so far, and what they wait for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from lab.analysis.calls.call_text import entered
from lab.analysis.calls.decode import decode
from lab.analysis.calls.system_call import SystemCall
from lab.errors import printable
from lab.records import Syscall, Trace
from lab.stepping.scene import CallShown
from lab.syscalls.descriptors import follow

_KEPT = 1024
_WAITS = (
    (("accept",), "a connection"),
    (("connect",), "the handshake"),
    (("recv", "read", "preadv"), "data, or the peer's close"),
    (("send", "write", "pwritev", "splice"), "room to send"),
    (("poll", "ppoll", "select", "pselect", "epoll"), "one of its descriptors"),
    (("close", "shutdown"), "the close"),
)


@lru_cache(_KEPT)
def decoded(call: Syscall, machine: str) -> SystemCall:
    """One call by itself."""
    trace = Trace(syscalls=(call,))
    (found,) = decode(trace, follow(trace), (), machine)
    return found


def shown(call: SystemCall) -> CallShown:
    """A call in a line."""
    if call.exit_ns is None:
        return CallShown(printable(entered(call)), True)
    return CallShown(printable(f"{call.text} = {call.returned}"), False)


def waits_for(calls: Iterable[SystemCall]) -> str:
    """What a program waits for by the last of its calls that has not returned; "" for nothing."""
    inside = [call for call in calls if call.exit_ns is None]
    if not inside:
        return ""
    name = inside[-1].name
    found = (what for names, what in _WAITS if name.startswith(names))
    return f"{name}: waits for {next(found, 'its end')}"
