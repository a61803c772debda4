"""What a stepped run says of itself while it lasts, and what it is asked besides decisions.

It says one update, and the next once that was UpdateSeen: neither side waits for the other to read.
"""

from __future__ import annotations

from typing import NamedTuple

from lab.frozen import frozen
from lab.kernel.links.holding import AtGates
from lab.records import LinkNow, ProgramNow, SocketNow, Syscall


@frozen
class Stepping:
    """How a run is stepped by hand."""

    deadline_s: float
    """So long after its beginning everything passes, and programs have FINISH_S to end."""
    neighbours: bool = False
    """Whether ARP and neighbour discovery wait as well."""


FINISH_S = 10.0
"""Of programs that still run once nothing waits any more: the time they have to end."""


class UpdateSeen(NamedTuple):
    """A request: the update was seen, the next one may come. Nothing is answered."""


class Finish(NamedTuple):
    """A request: from now on everything passes, and programs have FINISH_S. Nothing is answered."""

    drops: bool
    """Whether what waits now is dropped; else it goes on."""


class Bye(NamedTuple):
    """A request: Over was heard, and nothing is asked any more. Nothing is answered."""


class Update(NamedTuple):
    """What has changed since the update before; what has not is None."""

    time_ns: int
    step: str
    links: tuple[LinkNow, ...]
    gates: AtGates | None = None
    programs: tuple[ProgramNow, ...] | None = None
    sockets: tuple[SocketNow, ...] | None = None
    calls: tuple[Syscall, ...] = ()
    """That were entered or have returned since."""
    lost_calls: int = 0
    """So many more that were not reported."""
    left_s: float = 0.0
    """Until the deadline."""


class Answered(NamedTuple):
    """What a decision could not do; "" where it was done."""

    why: str


class Over(NamedTuple):
    """The steps are over; the recording follows."""
