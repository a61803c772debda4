"""What observed a run, and how what it observed was learnt."""

from __future__ import annotations

import enum

from lab.frozen import frozen


class Obtained(enum.Enum):
    """How something was learnt."""

    MEASURED = "measured"
    """The kernel reported it when it happened."""
    SAMPLED = "sampled"
    """It was asked for at a later moment, and was so at that moment."""
    INFERRED = "inferred"
    """It was not observed; it follows from what was."""


class InstrumentKind(enum.Enum):
    """What an instrument observes."""

    FRAMES = "frames"
    INTERFACES = "interfaces"
    TRANSCRIPT = "transcript"
    """What programs print about their calls."""
    PRIVILEGE = "privilege"
    """Nothing: in whose name the lab works."""
    CALLS = "calls"
    STATES = "states"
    DROPS = "drops"
    POINTER_ARGUMENTS = "pointer arguments"
    """The memory behind them."""
    TRACEPOINTS = "tracepoints"
    UNIX_SOCKETS = "unix sockets"
    LISTENING_SOCKETS = "listening sockets"
    PACKET_FILTER = "packet filter"
    """What a program allowed to has changed of it."""
    SOURCE_LINES = "source lines"
    """The lines of programs that made calls."""
    TRANSLATIONS = "translations"
    """Which addresses and ports a NAT gave to what."""
    COUNTERS = "counters"
    """What each host's kernel counts."""
    RINGS = "rings"
    """What programs do by rings of io_uring(7)."""
    SOCKETS = "sockets"
    """The queues, timers and state of hosts' sockets."""


@frozen
class Instrument:
    """What observed a run, or what could not and why."""

    kind: InstrumentKind
    obtained: Obtained | None
    """None where it obtained nothing, and where the kernel is not asked: of TRANSCRIPT and
    PRIVILEGE."""
    slack_ns: int
    """Two of its times, or one of its and one of another's, that are closer leave open which was
    first; 0 where it gives no times."""
    text: str
    """For people: what it is, or why it obtained nothing."""

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.text}"
