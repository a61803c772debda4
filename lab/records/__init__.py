"""What was observed: frozen records, all times on one clock.

Every `*_ns` is an int of nanoseconds of CLOCK_REALTIME. Nothing here opens, reads or
asks anything; a recording on disk holds these values and nothing derived from them.
"""

from __future__ import annotations

from lab.records.call import (
    MEMORY_LIMIT_BYTES,
    Memory,
    RingUse,
    Syscall,
    TaskEvent,
    TaskKind,
    Unsigned64,
)
from lab.records.cell import CellRun, Enforcer, Finished, Limit, LimitKept
from lab.records.frame import (
    CANARY_TEXT,
    DIRECTIONS,
    Canary,
    CanaryBracket,
    CapturePoint,
    Direction,
    Frame,
    InterfaceSeen,
    LinkType,
    SharedBytes,
)
from lab.records.host import CountersSeen, SysctlSet, Translation
from lab.records.instrument import Instrument, InstrumentKind, Obtained
from lab.records.kernel_event import DropNotice, KernelEvent
from lab.records.now import LinkNow, ProgramNow, SocketNow
from lab.records.program import Disturbance, KeyLog, LineUse, ProgramRun, RanAs, SourceLine
from lab.records.recording import Recording, Trace
from lab.records.socket import (
    Held,
    HeldSocket,
    Holder,
    QueueSample,
    SocketSeen,
    SocketState,
    TcpInfo,
)
from lab.records.stored_frames import FrameColumns, StoredFrames
from lab.records.wire import WireRule, WireStrike

__all__ = (
    "CANARY_TEXT",
    "DIRECTIONS",
    "MEMORY_LIMIT_BYTES",
    "Canary",
    "CanaryBracket",
    "CapturePoint",
    "CellRun",
    "CountersSeen",
    "Direction",
    "Disturbance",
    "DropNotice",
    "Enforcer",
    "Finished",
    "Frame",
    "FrameColumns",
    "Held",
    "HeldSocket",
    "Holder",
    "Instrument",
    "InstrumentKind",
    "InterfaceSeen",
    "KernelEvent",
    "KeyLog",
    "Limit",
    "LimitKept",
    "LineUse",
    "LinkNow",
    "LinkType",
    "Memory",
    "Obtained",
    "ProgramNow",
    "ProgramRun",
    "QueueSample",
    "RanAs",
    "Recording",
    "RingUse",
    "SharedBytes",
    "SocketNow",
    "SocketSeen",
    "SocketState",
    "SourceLine",
    "StoredFrames",
    "Syscall",
    "SysctlSet",
    "TaskEvent",
    "TaskKind",
    "TcpInfo",
    "Trace",
    "Translation",
    "Unsigned64",
    "WireRule",
    "WireStrike",
)
