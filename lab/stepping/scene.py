"""What somebody who steps through a run is shown, whether it is under way or recorded."""

from __future__ import annotations

from lab.frozen import frozen
from lab.records import SourceLine


@frozen
class CallShown:
    """A system call of a program."""

    text: str
    """ "recvfrom(3, buf, 4096, 0, NULL, NULL)"; with " = 7" once it has returned."""
    is_in_it: bool
    """Whether it has not returned."""


@frozen
class ProgramShown:
    """A program of a host."""

    name: str
    state: str
    """ "runs", "exited with 0"."""
    line: SourceLine | None
    """The line of its source that has made a call last."""
    calls: tuple[CallShown, ...]
    """In order of entry."""
    waits_for: str
    """What the call that it is in waits for; "" where it is in none."""


@frozen
class SocketShown:
    """A socket of a host."""

    text: str
    """ "tcp 4242 LISTEN"."""
    timer: str
    """What its timer will do, and when: "resends in 0.8 s, RTO 1.6 s"; "" where none runs."""


@frozen
class HostShown:
    """One end of the link that is looked at."""

    host: str
    programs: tuple[ProgramShown, ...]
    sockets: tuple[SocketShown, ...]


@frozen
class FrameShown:
    """A frame on its way, or on none any more."""

    number: int
    to_right: bool
    """Whether the left end sent it."""
    text: str
    """ "ACK seq=1 ack=8 len=7"."""
    kind: str
    """What a prediction calls it: "client data"."""
    data: bytes
    note: str
    """What became of it, or for how long it waits: "dropped", "waits for 1.2 s"."""
    state: str
    """ "waits"; "delayed", "swapped", "dropped" of what can be recalled; "gone" of all others."""


@frozen
class StepScene:
    """One moment."""

    title: str
    left: HostShown
    right: HostShown
    frames: tuple[FrameShown, ...]
    """Those that wait, or are on their way, in the order in which they came."""
    past: tuple[FrameShown, ...]
    """Those before them."""
    status: str
    """The time: what is left of it, or where in the recording this is."""
    is_passing: bool = False
    """Whether frames pass without waiting."""
    undoable: int = 0
    """The number of the frame whose last decision can be undone; 0 for none."""
