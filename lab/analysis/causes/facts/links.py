"""When a program of the run had set an interface of its host down. Source: rtnetlink(7)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.timeline import Timeline

_SET_LINK = struct.Struct("<IHHIIBxHiII")
"""struct nlmsghdr and struct ifinfomsg: length, type, flags, sequence, pid; family, type, index,
flags and which of them change. Source: netlink(7); rtnetlink(7)."""
_ANSWER = struct.Struct("<IHHIIi")
"""struct nlmsghdr and what struct nlmsgerr begins with, the error."""
_NEW_LINK, _SET_LINK_TYPE, _ERROR_TYPE = 16, 19, 2
_SENDS = frozenset({"sendmsg", "sendto"})
_UP, _FIRST_INDEX = 1, 101
"""IFF_UP; the lowest index of what a run's hosts have. What a program makes is numbered from 2."""


@frozen
class LinkDown:
    """An interface that a program had set down, at a time."""

    name: str
    down: SystemCall
    """What set it down."""
    up: SystemCall | None
    """What set it up again; None where none of the run did."""

    def lasts_at(self, time_ns: int) -> bool:
        """Whether it was down at that time."""
        is_down = (self.down.exit_ns or self.down.entry_ns) <= time_ns
        return is_down and (self.up is None or time_ns < self.up.entry_ns)


def downs(timeline: Timeline, host: str) -> Iterator[LinkDown]:
    """Each time that the host's only interface, besides `lo`, was set down by rtnetlink(7)."""
    names = {each.name for each in timeline.recording.interfaces if each.host == host}
    others = names - {"lo"}
    if len(others) != 1:
        return
    (name,) = others
    down: SystemCall | None = None
    for call in timeline.system_calls:
        to = _sets(timeline, call) if call.host == host and call.name in _SENDS else None
        if to is False and down is None:
            down = call
        elif to and down is not None:
            yield LinkDown(name, down, call)
            down = None
    if down is not None:
        yield LinkDown(name, down, None)


def _sets(timeline: Timeline, call: SystemCall) -> bool | None:
    """Whether a call set an interface up (True) or down (False); None where it did neither."""
    socket = timeline.endpoint_of.get(call.socket)
    if socket is None or socket.domain != "AF_NETLINK" or len(call.data) < _SET_LINK.size:
        return None
    _, kind, _, _, _, _, _, index, flags, change = _SET_LINK.unpack_from(call.data)
    if kind not in (_NEW_LINK, _SET_LINK_TYPE) or not change & _UP or index < _FIRST_INDEX:
        return None
    return bool(flags & _UP) if _was_done(timeline, call) else None


def _was_done(timeline: Timeline, call: SystemCall) -> bool:
    """Whether the kernel's answer, the next that is read there, says that it was done."""
    for read in timeline.evidence.calls.reads(call.socket):
        if read.entry_ns > call.entry_ns and len(read.data) >= _ANSWER.size:
            _, kind, *_, error = _ANSWER.unpack_from(read.data)
            return kind == _ERROR_TYPE and not error
    return False
