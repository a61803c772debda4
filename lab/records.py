"""What was observed: frozen records, all times on one clock.

Every `*_ns` is an int of nanoseconds of CLOCK_REALTIME. Nothing here opens, reads or
asks anything; a recording on disk holds these values and nothing derived from them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface

from lab.family import Family

CANARY_TEXT = b"wirelab canary"
"""What every canary's payload begins with."""

NO_UNIX_DIAG = "unix sockets: none, this kernel has no unix_diag"
"""The instrument of a run whose programs asked in vain to be looked at."""


class Direction(enum.Enum):
    """Which way a frame passed its capture point (packet(7), sll_pkttype)."""

    OUT = "out"
    IN = "in"
    UNKNOWN = "unknown"


class LinkType(enum.IntEnum):
    """What a frame begins with: the LINKTYPE_ values this lab dissects.

    Source: https://www.tcpdump.org/linktypes.html
    """

    NULL = 0
    ETHERNET = 1
    RAW = 101
    LOOP = 108
    LINUX_SLL = 113
    IPV4 = 228
    IPV6 = 229
    LINUX_SLL2 = 276


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as one capture point saw it."""

    time_ns: int
    """The kernel's stamp (SO_TIMESTAMPNS), or the file's."""
    point: str
    """Name of the capture point: "client/eth0"; in a foreign file the interface's."""
    direction: Direction
    data: bytes
    """The captured bytes, from the link-layer header on, VLAN tag included."""
    wire_bytes: int
    """Length on the wire; more than len(data) where the capture was cut short."""
    link_type: LinkType = LinkType.ETHERNET


@dataclass(frozen=True, slots=True)
class CapturePoint:
    """Where frames were captured, and how well."""

    name: str
    """ "host/interface" """
    host: str
    interface: str
    link: str
    """Points with the same link name see the same frames: two veth ends, or one `lo`."""
    frames: int
    """Frames the kernel counted for this point, canaries included (PACKET_STATISTICS)."""
    dropped: int
    """Frames the kernel dropped for lack of buffer (PACKET_STATISTICS)."""


@dataclass(frozen=True, slots=True)
class Canary:
    """A frame the lab itself sent to prove that the capture was alive."""

    bracket: str
    """ "opening" or "closing" """
    point: str
    """The capture point whose interface sent it."""
    payload: bytes
    """What follows the Ethernet header; unique to this canary."""
    step: str = ""
    """The scenario's step that it brackets."""


@dataclass(frozen=True, slots=True)
class InterfaceSeen:
    """An interface as an ordinary program inside the namespace sees it."""

    host: str
    name: str
    addresses: tuple[IPv4Interface | IPv6Interface, ...]


@dataclass(frozen=True, slots=True)
class ProgramRun:
    """One program's life, and all it wrote."""

    name: str
    host: str
    argv: tuple[str, ...]
    started_ns: int
    ready_ns: int | None
    """When it signalled readiness; None where it had nothing to signal."""
    ended_ns: int
    exit_status: int
    """The exit status; -N where signal N ended it."""
    stdout: str
    stderr: str
    step: str = ""
    """The scenario's step that it was part of."""


@dataclass(frozen=True, slots=True)
class SocketSeen:
    """A unix socket as the kernel's sock_diag showed it while a program waited to be looked at.

    Source: sock_diag(7), struct unix_diag_msg.
    """

    time_ns: int
    look: str
    """The program's own word for the moment."""
    host: str
    """Whose namespace the socket belongs to."""
    type: str
    """ "SOCK_STREAM" and so on."""
    state: str
    """ "ESTABLISHED", "LISTEN" or "CLOSE"."""
    name: str
    """The path it is bound to, "@" and an abstract name, or "" where it is unnamed."""
    inode: int
    """What /proc/PID/fd and fstat(2) give for the program's descriptor."""
    peer_inode: int | None
    """None where it has no peer; 0 where the peer is not accepted yet."""
    receive_queue: int
    """Bytes waiting to be read; of a listening socket, connections waiting to be accepted."""
    send_queue: int
    """Buffer memory held by what was sent; of a listening socket, its backlog."""
    step: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """Everything one run observed; enough to judge it again anywhere."""

    scenario: str
    family: Family | None
    """None where the scenario has no internet sockets."""
    started_ns: int
    kernel: str
    """`uname -sr` of the machine."""
    instruments: tuple[str, ...]
    """What observed this run, by name."""
    interfaces: tuple[InterfaceSeen, ...]
    points: tuple[CapturePoint, ...]
    canaries: tuple[Canary, ...]
    programs: tuple[ProgramRun, ...]
    unfinished: tuple[str, ...]
    """TCP connections that were still open when the capture ended, one line each."""
    frames: tuple[Frame, ...]
    """In order of time; canary frames included."""
    sockets: tuple[SocketSeen, ...] = ()
    clock_step_ns: int = 0
    """How far CLOCK_REALTIME moved against CLOCK_MONOTONIC during the run."""
