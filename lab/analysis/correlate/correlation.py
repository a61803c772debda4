"""Sends joined with what carried them and with the reads that returned them (records)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.frozen import frozen
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.flows.flow import FlowId
    from lab.model.event import EventId
    from lab.records import DropNotice


@frozen
class SentPart:
    """The bytes of one call that sent something."""

    call: EventId
    start: int
    """Place of its first byte in all that was sent this way, from 0."""
    end: int
    """Behind its last one."""
    segments: tuple[EventId, ...]
    """The frames that first carried them; empty for unix sockets and pipes."""
    reads: tuple[EventId, ...]
    """The calls that returned them, in order."""
    certain: bool = True
    """Whether its place in the stream is certain. It is not if another call wrote to the same
    socket at the same time, or if more bytes left than the calls account for."""


@frozen
class ReadPart:
    """The bytes of one call that read something."""

    call: EventId
    start: int
    """Place of its first byte in all that was sent this way, from 0."""
    end: int
    """Behind its last one."""
    segment: EventId | None
    """The frame whose arrival made them whole; None where no frame did."""
    certain: bool = True
    """Whether its place in the stream is certain, and not only where the reads ended."""


@frozen
class Channel:
    """One way of a conversation between two endpoints."""

    sender: str
    """Endpoint's id; "" where it is no traced program's."""
    receiver: str
    flow: FlowId | None
    """None for unix sockets and pipes."""
    parts: tuple[SentPart, ...]
    sent: int
    """Bytes, by the results of the calls that sent."""
    carried: int | None
    """Different payload bytes that arrived on the wire; None where there is no wire."""
    read: int
    """Bytes, by the results of the calls that read."""
    sends: int
    segments: int
    """The segments or datagrams that carried something new."""
    reads: int
    read_parts: tuple[ReadPart, ...] = ()
    unsent: tuple[EventId, ...] = ()
    """Messages on the wire that are no call's of a sender which is known, by their frames."""
    unbrought: tuple[EventId, ...] = ()
    """Calls of a receiver which is known that read something, and no message brought it."""
    uncounted: EventId | None = None
    """A call because of which the counts above are not those of all that was sent and read. At one
    of its ends it moved several messages at once (sendmmsg(2), recvmmsg(2)), which are not
    followed: then of messages there are no parts. Or the calls there account for less than went,
    and the socket may have been used by what is no call on it (lab.syscalls.table.HIDING). None
    where every call is counted."""

    @property
    def counts(self) -> str:
        """ "3 sends → 1 segment → 2 reads"."""
        carrier = "datagram" if self.flow is not None and self.flow.protocol == "udp" else "segment"
        numbers = [(self.sends, "send"), (self.segments, carrier), (self.reads, "read")]
        if self.carried is None:
            del numbers[1]
        return " → ".join(counted(n, what) for n, what in numbers)


@frozen
class Accepted:
    """A call of accept() and the connection it picked up."""

    call: EventId
    flow: FlowId
    ack: EventId
    """The handshake's last segment."""
    waited_ns: int
    """From that segment's arrival to the call's return; the connection waited or was waited for."""
    was_waiting: bool
    """Whether the connection was whole before accept() was called."""


@frozen
class Closed:
    """A call, or what else closed a socket, that made the kernel send a FIN or RST."""

    call: EventId | None
    """Of close(2) or shutdown(2); None where neither did: the process ended with the socket open,
    or gave it up by execve(2), dup2(2) or close_range(2)."""
    endpoint: str
    segment: EventId
    """The FIN or RST."""


@frozen
class Refusal:
    """A call that failed, and the ICMP error that made it fail."""

    call: EventId
    frame: EventId


@frozen
class Dropped:
    """A drop notice and the frame that it is about."""

    id: EventId
    """Of a drop notice that has been matched with its frame."""
    notice: DropNotice
    frame: EventId


@frozen
class Correlation:
    """What a step's calls and packets have to do with each other."""

    channels: tuple[Channel, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    closed: tuple[Closed, ...] = ()
    connects: tuple[tuple[EventId, FlowId], ...] = ()
    """Calls of connect() and the flows that they opened."""
    refusals: tuple[Refusal, ...] = ()
    remarks: tuple[tuple[EventId, str], ...] = ()
    """An event, and what may surprise about it, in a sentence."""
