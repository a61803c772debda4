"""The calls of a step by the socket or pipe that they act upon, and what each is good for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.syscalls.i386 import I386_MOVING, I386_NAMES
from lab.syscalls.memory import descriptor_of
from lab.syscalls.table import HIDING, MOST_MESSAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lab.analysis.calls.system_call import SystemCall
    from lab.model.event import EventId

_SENDS = frozenset({"sendto", "sendmsg", "sendmmsg", "write", "writev", "pwritev2"}) | {"sendfile"}
_READS = frozenset({"recvfrom", "recvmsg", "recvmmsg", "read", "readv", "preadv2"})
_SEVERAL = {"sendmmsg": "sends", "recvmmsg": "receives"}
_HIDDEN = {
    "io_submit": "the requests that it submits are",
    "pidfd_getfd": "what it takes from another process is",
}
_SHUT_RD, _SHUT_WR, _SHUT_RDWR = 0, 1, 2
_SHUTS_WRITING = (_SHUT_WR, _SHUT_RDWR)
_SHUTS_READING = (_SHUT_RD, _SHUT_RDWR)
_MSG_OOB, _MSG_PEEK, _MSG_TRUNC = 0x1, 0x2, 0x20
_MSG_ERRQUEUE, _MSG_FASTOPEN, _MSG_ZEROCOPY = 0x2000, 0x20000000, 0x4000000


class SocketCalls:
    """A step's calls, by socket, in order of entry."""

    __slots__ = ("_by_socket", "by_id")

    def __init__(self, calls: Iterable[SystemCall]) -> None:
        self.by_id: dict[EventId, SystemCall] = {}
        self._by_socket: dict[str, list[SystemCall]] = defaultdict(list)
        for call in calls:
            self.by_id[call.id] = call
            if call.socket:
                self._by_socket[call.socket].append(call)

    def on(self, socket: str) -> Sequence[SystemCall]:
        """All calls on a socket."""
        return self._by_socket.get(socket, ())

    def sends(self, socket: str) -> list[SystemCall]:
        """Calls that sent, or that may have sent something before their program ended."""
        return [call for call in self.on(socket) if is_send(call)]

    def reads(self, socket: str) -> list[SystemCall]:
        """Calls that returned something or the end of the stream, and took it away."""
        return [call for call in self.on(socket) if is_read(call)]

    def ends_sending(self, socket: str) -> SystemCall | None:
        """The call after which nothing more is sent, where there was one.

        The first shutdown(2) for writing; else the last close(2): while a duplicate of the
        descriptor is open, closing one does nothing.
        """
        last = None
        for call in self.on(socket):
            if _shuts(call, _SHUTS_WRITING):
                return call
            if call.name == "close" and not call.error:
                last = call
        return last

    def stopped_reading(self, socket: str, before_ns: int) -> bool:
        """Whether the program itself ended the reading, by shutdown(2), before a time."""
        return any(
            call.entry_ns < before_ns and _shuts(call, _SHUTS_READING) for call in self.on(socket)
        )


def is_send(call: SystemCall) -> bool:
    """Whether it puts bytes into its socket or pipe, and did not fail."""
    if call.error:
        return False
    return call.name in _SENDS or (call.name == "splice" and _is_descriptor(call, "fd_out"))


def is_read(call: SystemCall) -> bool:
    """Whether it returned and took bytes out of its socket or pipe; MSG_PEEK leaves them there."""
    if call.error or call.result is None:
        return False
    if call.name == "splice":
        return _is_descriptor(call, "fd_in")
    if call.name not in _READS:
        return False
    return not _flags(call) & (_MSG_PEEK | _MSG_ERRQUEUE)


def moves_unknown(call: SystemCall) -> bool:
    """Whether it moves several messages at once of which not all lengths were read."""
    return call.name in _SEVERAL and call.lengths is None


def by_message(calls: Iterable[SystemCall]) -> Iterator[SystemCall]:
    """The calls; one that moved several messages comes once for each, with its length.

    What they say was not read: they are recognized by their lengths.
    """
    for call in calls:
        if call.lengths is None:
            yield call
        else:
            yield from (replace(call, moved=length) for length in call.lengths)


def hiding(calls: Iterable[SystemCall]) -> Iterator[SystemCall]:
    """Calls after which sockets may have been used by what is no call on them.

    Those that make a ring of io_uring(7) and enter it are none where its operations are followed;
    then such of these are that say too little of themselves.
    """
    return (call for call in calls if not call.error and _hides(call))


def _hides(call: SystemCall) -> bool:
    if call.ring is None or not call.ring.operation:
        return call.name in HIDING and call.ring is None
    return not call.ring.is_whole or (call.ring.is_fixed and not call.socket)


def moves_descriptors(call: SystemCall) -> bool:
    """Whether, of those that hide, descriptors may be other files after it than is known."""
    return call.name in I386_MOVING


def why_uncounted(call: SystemCall) -> str:
    """Why a channel's bytes are not counted: "sendmmsg(2) sends several messages at once, ..."."""
    if call.ring is not None and call.ring.is_whole:
        what = "uses a registered file of its ring, and which that is was not seen"
        return f"{call.title} of {call.program} {what}"
    if call.ring is not None:
        return f"{call.title} of {call.program} is not followed"
    if call.name in I386_NAMES:
        page = I386_NAMES[call.name]
        return f"{call.program} called {page}(2) by the i386 table, whose calls are not followed"
    if call.name in HIDING:
        what = _HIDDEN.get(call.name, "what the ring of io_uring(7) does is")
        return f"{call.program} called {call.name}(2), and {what} not traced"
    what = _SEVERAL[call.name]
    if call.result is not None and call.result > MOST_MESSAGES:
        read = f"of which the lengths of {MOST_MESSAGES} are read"
        return f"{call.name}(2) {what} {call.result} messages at once, {read}"
    return f"{call.name}(2) {what} several messages at once, which are not followed"


def is_urgent(call: SystemCall) -> bool:
    """Whether it moves a byte out of band, which is not in the stream where it was sent."""
    return bool(_flags(call) & _MSG_OOB)


def asks_whole_length(call: SystemCall) -> bool:
    """Whether it is a read that returns a message's length, however little of it it takes."""
    return call.name in _READS and bool(_flags(call) & _MSG_TRUNC)


def reads_errors(call: SystemCall) -> bool:
    """Whether it reads its socket's error queue. Source: recv(2), MSG_ERRQUEUE."""
    return call.name == "recvmsg" and not call.error and bool(_flags(call) & _MSG_ERRQUEUE)


def sends_without_copy(call: SystemCall) -> bool:
    """Whether it is a send that is to copy nothing. Source: send(2), MSG_ZEROCOPY."""
    return call.name in _SENDS and bool(_flags(call) & _MSG_ZEROCOPY)


def ends_stream(call: SystemCall) -> bool:
    """Whether it is a read that returned 0 although it asked for something."""
    if call.result != 0 or not is_read(call) or call.name in ("recvmmsg", "splice"):
        return False
    return room_of(call) != 0


def room_of(call: SystemCall) -> int | None:
    """How many bytes a read or a send was called for; None where none of its arguments says."""
    if call.ring is not None and call.ring.is_provided:
        return None
    room = call.number("len")
    return call.number("count") if room is None else room


def opens_fast(call: SystemCall) -> bool:
    """Whether it is a send that opens its connection itself. Source: RFC 7413; tcp(7)."""
    return call.name in ("sendto", "sendmsg") and bool(_flags(call) & _MSG_FASTOPEN)


def _flags(call: SystemCall) -> int:
    return call.number("flags") or 0


def _is_descriptor(call: SystemCall, name: str) -> bool:
    number = call.number(name)
    return number is not None and descriptor_of(number) == call.descriptor


def _shuts(call: SystemCall, how: Sequence[int]) -> bool:
    return call.name == "shutdown" and not call.error and call.number("how") in how
