"""What a run that is stepped by hand says of itself while it lasts; of this nothing is kept."""

from __future__ import annotations

from typing import NamedTuple

from lab.records.program import SourceLine


class ProgramNow(NamedTuple):
    """A program of the step that is under way."""

    name: str
    host: str
    argv: tuple[str, ...]
    pid: int
    exit_status: int | None
    """None while it runs."""
    written: str
    """What it has written to stdout last."""
    line: SourceLine | None
    """The line of its that has made a call last; None if unknown."""


class SocketNow(NamedTuple):
    """A TCP or UDP socket of a host, as its kernel has it now."""

    host: str
    protocol: str
    state: str
    """As the kernel names it: "SYN_SENT"."""
    local: str
    local_port: int
    remote: str
    remote_port: int
    receive_queue: int
    send_queue: int
    timer: str
    """ "retransmission", "keepalive", "TIME-WAIT", "zero window probe"; "" where none runs."""
    due_ns: int
    """When that runs out (CLOCK_REALTIME); 0 where none runs."""
    resent: int
    """How often the timer has run out in a row."""
    rto_us: int
    """The retransmission timeout; 0 where there is none."""
    inode: int


class LinkNow(NamedTuple):
    """A link, by the points of its ends: "client/eth0"."""

    name: str
    ends: tuple[str, str]
