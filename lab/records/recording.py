"""Everything that a run observed."""

from __future__ import annotations

from collections.abc import Sequence

from lab.frozen import frozen
from lab.model.family import Family
from lab.records.call import Syscall, TaskEvent
from lab.records.frame import Canary, CapturePoint, Frame, InterfaceSeen
from lab.records.host import CountersSeen, SysctlSet, Translation
from lab.records.instrument import Instrument, InstrumentKind
from lab.records.kernel_event import DropNotice, KernelEvent
from lab.records.program import Disturbance, KeyLog, LineUse, ProgramRun, RanAs, SourceLine
from lab.records.socket import HeldSocket, QueueSample, SocketSeen, SocketState
from lab.records.wire import WireRule, WireStrike


@frozen
class Trace:
    """What the tracing instruments saw of one step or of a whole run."""

    syscalls: tuple[Syscall, ...] = ()
    """In order of entry."""
    tasks: tuple[TaskEvent, ...] = ()
    states: tuple[SocketState, ...] = ()
    drops: tuple[DropNotice, ...] = ()
    events: tuple[KernelEvent, ...] = ()
    lost: int = 0
    """Events that the instruments lost, by their own count."""
    queues: tuple[QueueSample, ...] = ()
    closings: tuple[HeldSocket, ...] = ()
    """TCP sockets as they were when they were closed, or gone; of each the last time."""


@frozen
class Recording:
    """Everything one run observed; enough to judge it again anywhere."""

    scenario: str
    family: Family | None
    """None where the scenario has no internet sockets."""
    started_ns: int
    kernel: str
    """`uname -srm` of the machine: "Linux 6.18 x86_64". Older recordings lack the last word."""
    instruments: tuple[Instrument, ...]
    interfaces: tuple[InterfaceSeen, ...]
    points: tuple[CapturePoint, ...]
    canaries: tuple[Canary, ...]
    programs: tuple[ProgramRun, ...]
    unfinished: tuple[str, ...]
    """TCP connections that were still open when the capture ended, one line each."""
    frames: Sequence[Frame]
    """In order of time; canary frames included."""
    sockets: tuple[SocketSeen, ...] = ()
    trace: Trace = Trace()
    clock_step_ns: int = 0
    """How far CLOCK_REALTIME moved against CLOCK_MONOTONIC during the run."""
    source: str = ""
    """The scenario's file; "" for one of wirelab's own and for an ad-hoc run, "-" for one that
    a Python program made and no file has."""
    ran_as: RanAs | None = None
    """None where the programs are wirelab's own, which are not confined."""
    disturbances: tuple[Disturbance, ...] = ()
    source_lines: tuple[SourceLine, ...] = ()
    """Those that made calls, where that was asked for."""
    line_uses: tuple[LineUse, ...] = ()
    """Those in which a call was made."""
    switches: tuple[str, ...] = ()
    """The hosts whose interfaces are the ports of a bridge."""
    routers: tuple[str, ...] = ()
    """The hosts that forward packets."""
    nats: tuple[str, ...] = ()
    """Those of the routers that change addresses and ports."""
    outside: tuple[str, ...] = ()
    """The capture points of their interfaces that lead outside."""
    translations: tuple[Translation, ...] = ()
    """Which those changed, at the end of each step; without what had been forgotten by then."""
    counters: tuple[CountersSeen, ...] = ()
    """One for each host of each step, but where they could not be read."""
    counter_names: tuple[str, ...] = ()
    """Those of all counters that the kernel has; of interfaces ":rx_packets"."""
    held_sockets: tuple[HeldSocket, ...] = ()
    """What the kernels of the programs' hosts held, at moments of each step."""
    key_logs: tuple[KeyLog, ...] = ()
    """Of the programs that wrote one, where they were to."""
    expected: tuple[str, ...] = ()
    """What was expected of the run on the command line, in its words (docs/expect.md)."""
    sysctls: tuple[SysctlSet, ...] = ()
    """Those that the scenario or the command line asked for, in the order of the hosts."""
    wire_rules: tuple[WireRule, ...] = ()
    """The rules of all steps, in their order."""
    wire_strikes: tuple[WireStrike, ...] = ()
    """What they did, in order of time."""
    capture_losses: tuple[str, ...] = ()
    """Why frames may be missing that the kernel has not counted as dropped, one line each."""
    snap_bytes: int | None = None
    """How many bytes of each frame were kept, where not all were to be."""
    wire_lost: int = 0
    """Frames that what carries them over such links has lost itself."""

    def unusable(self, kind: InstrumentKind) -> Instrument | None:
        """The instrument of that kind that obtained nothing, or None."""
        found = (each for each in self.instruments if each.kind is kind and each.obtained is None)
        return next(found, None)
