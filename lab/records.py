"""What was observed: frozen records, all times on one clock.

Every `*_ns` is an int of nanoseconds of CLOCK_REALTIME. Nothing here opens, reads or
asks anything; a recording on disk holds these values and nothing derived from them.
"""

from __future__ import annotations

import enum
from ipaddress import IPv4Interface, IPv6Interface
from typing import Annotated, Literal

from lab.frozen import frozen
from lab.model.family import Family

CANARY_TEXT = b"wirelab canary"
"""What every canary's payload begins with."""

MEMORY_LIMIT_BYTES = 128
"""The most that is kept of what one pointer of a system call points to."""

Unsigned64 = Annotated[int, range(1 << 64)]

CanaryBracket = Literal["opening", "closing"]

TaskKind = Literal["start", "exec", "exit"]


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
    IEEE802_5 = 6
    PPP = 9
    FDDI = 10
    PPP_HDLC = 50
    PPP_ETHER = 51
    ATM_RFC1483 = 100
    RAW = 101
    C_HDLC = 104
    IEEE802_11 = 105
    ATM_CLIP = 106
    FRELAY = 107
    LOOP = 108
    ENC = 109
    LINUX_SLL = 113
    IEEE802_11_PRISM = 119
    IP_OVER_FC = 122
    SUNATM = 123
    IEEE802_11_RADIOTAP = 127
    APPLE_IP_OVER_IEEE1394 = 138
    IEEE802_11_AVS = 163
    PPP_PPPD = 166
    PPI = 192
    PPP_WITH_DIR = 204
    C_HDLC_WITH_DIR = 205
    FRELAY_WITH_DIR = 206
    MPLS = 219
    IPV4 = 228
    IPV6 = 229
    NFLOG = 239
    IPOIB = 242
    PKTAP = 258
    LINUX_SLL2 = 276
    DSA_TAG_BRCM = 281
    DSA_TAG_BRCM_PREPEND = 282
    DSA_TAG_DSA = 284
    DSA_TAG_EDSA = 285


@frozen
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


@frozen
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


@frozen
class Canary:
    """A frame the lab itself sent to prove that the capture was alive."""

    bracket: CanaryBracket
    point: str
    """The capture point whose interface sent it."""
    payload: bytes
    """What follows the Ethernet header; unique to this canary."""
    step: str = ""
    """The scenario's step that it brackets."""


@frozen
class InterfaceSeen:
    """An interface as an ordinary program inside the namespace sees it."""

    host: str
    name: str
    addresses: tuple[IPv4Interface | IPv6Interface, ...]


@frozen
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
    """The exit status; -N where signal N ended it; 127 where it was never started."""
    stdout: str
    stderr: str
    step: str = ""
    """The scenario's step that it was part of."""
    failure: str = ""
    """What it did that a program should not, in one line: "was killed by SIGSEGV"."""
    remark: str = ""
    """What is to be said of its end that is no failure, in one line."""


@frozen
class KeyLog:
    """What one program's TLS library wrote to the file that SSLKEYLOGFILE names. Hostile text.

    Source: RFC 9850, The SSLKEYLOGFILE Format for TLS.
    """

    program: str
    text: str
    """Whole lines, if there is more of it than is kept."""
    beyond: int = 0
    """Bytes that are not kept."""
    step: str = ""


@frozen
class Disturbance:
    """What programs have done to the run itself."""

    step: str
    """The step that they did it in."""
    programs: tuple[str, ...]
    """Those that may have done it, by what they are allowed and where they run; one at least."""
    what: str
    """What the lab could not do, or has found changed, in one line."""
    blinds: bool = True
    """Whether the lab could not observe all of the step for that."""

    def __str__(self) -> str:
        *others, last = self.programs
        who = f"one of the programs {', '.join(others)} and {last}" if others else f"program {last}"
        return f"{who} disturbed the run: {self.what}"


@frozen
class RanAs:
    """As whom a run's programs ran, and what they were allowed (docs/isolation.md)."""

    user: str
    """The user's name, or the uid where there is no such user."""
    uid: int
    capabilities: tuple[str, ...]
    """By their names in capabilities(7)."""
    writable: tuple[str, ...]
    """The folders of the host's that they could write to, as far as the user can."""
    sockets: tuple[str, ...]
    """The host's unix sockets that they were allowed by their paths."""
    host_files: bool
    """Whether they had all of the host's files as they are; then `writable` is empty."""


@frozen
class SysctlSet:
    """A sysctl of a host's network namespace, set before the first step."""

    host: str
    name: str
    """ "net.ipv4.tcp_syn_retries" """
    asked: str
    """The value that was written."""
    before: str | None
    """Its value until then; None, as `value`, where this kernel does not have it and the scenario
    can do without."""
    value: str | None
    """What the kernel had of it from then on."""

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.host}: {self.name} is none of this kernel's, and was not set"
        was = "as before" if self.before == self.value else f"{self.before} before"
        return f"{self.host}: {self.name} = {self.value} ({was})"


@frozen
class SocketSeen:
    """A unix socket as the kernel's sock_diag showed it while a program waited to be looked at.

    Source: sock_diag(7), struct unix_diag_msg.
    """

    time_ns: int
    checkpoint: str
    """The checkpoint the program waited at, by the name that the program gives it."""
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


@frozen
class Translation:
    """A connection to which a NAT gave other addresses or ports, as its kernel tracked it.

    Source: conntrack(8); include/uapi/linux/netfilter/nfnetlink_conntrack.h.
    """

    time_ns: int
    """When it was read: at the end of the step."""
    host: str
    """The NAT."""
    protocol: int
    """By its number in an IP header."""
    source: str
    """The address that the first packet came from."""
    source_port: int
    """Of ICMP the identifier; 0 where the protocol has neither."""
    destination: str
    """The address that it went to."""
    destination_port: int
    left_source: str
    """The address from which it left the NAT, and which the answers go to."""
    left_source_port: int
    left_destination: str
    left_destination_port: int
    step: str = ""


@frozen
class CountersSeen:
    """What a host's kernel counted in a step, between its opening canaries and its closing ones.

    Source: proc(5), /proc/net/netstat, snmp, snmp6 and dev.
    """

    host: str
    changes: dict[str, int]
    """By how much each counter changed that did, by nstat(8)'s names: "TcpExtTCPTimeouts";
    "eth0:rx_packets" of an interface."""
    step: str = ""


@frozen
class Memory:
    """The first bytes of what an argument of a system call pointed to."""

    argument: int
    """The argument's place, from 0."""
    part: str
    """"" for what the pointer points to; of a struct msghdr its "name", "data" or "control"."""
    at_exit: bool
    """Whether it was read when the call returned; else when it was made."""
    data: bytes
    """At most MEMORY_LIMIT_BYTES."""
    length: int
    """How long the whole is, as the call's arguments or its result say."""


@frozen
class Syscall:
    """One system call of a program, as it was made. Nothing of it is decoded."""

    program: str
    pid: int
    """The process: its number in the sandbox's pid namespace, if the instrument has that."""
    tid: int
    name: str
    """As in its man page's heading: "sendto"."""
    arguments: tuple[Unsigned64, ...]
    """As many as the call has."""
    memory: tuple[Memory, ...]
    """Empty where the instrument cannot read it."""
    entry_ns: int
    """Before anything that it did."""
    exit_ns: int | None
    """After everything that it did; None where it had not returned."""
    result: int | None
    """What it returned; -ERRNO where it failed."""
    socket: str = ""
    """The kernel's own name for the socket behind its descriptor ("inode 4026"); "" if
    unknown."""
    step: str = ""


@frozen
class SourceLine:
    """A line of a program's source, as the program's own interpreter had it. Hostile text."""

    file: str
    """Its name, as the interpreter has it; "<string>" for a text that no file has."""
    number: int
    """From 1."""
    function: str
    """ "<module>" for what is in none."""
    through: str
    """What of the library it had called when the calls were made: "accept, socket.py:294"; "" if
    nothing."""
    first: int
    """The number of the first line of `text`."""
    text: tuple[str, ...]
    """The line and some around it, cut if long; empty where its file could not be read."""


@frozen
class LineUse:
    """A time during which what a thread of a program did was done for one line of its source.

    The interpreter noted it, and a program can note what it likes.
    """

    program: str
    tid: int
    """As the program itself has it."""
    line: int
    """Its place among the recording's source lines."""
    entry_ns: int
    exit_ns: int | None
    """None where it had not returned."""
    step: str = ""


@frozen
class TaskEvent:
    """A process or thread of a program beginning, ending, or becoming another program."""

    time_ns: int
    program: str
    kind: TaskKind
    pid: int
    tid: int
    parent_tid: int = 0
    """Of a start: the thread that made it; 0 for the program's first."""
    shares_files: bool = False
    """Of a start: whether it shares the table of descriptors (clone(2), CLONE_FILES)."""
    step: str = ""


@frozen
class SocketState:
    """A TCP socket's state, as the kernel has it."""

    time_ns: int
    obtained: Obtained
    socket: str
    """The kernel's own name for it: "inode 4026", "sk ffff8881..."."""
    old: str
    """The state before it, where that was measured; else ""."""
    new: str
    """By its name in include/net/tcp_states.h, without TCP_: "SYN_SENT"."""
    local_address: str
    local_port: int
    """0 where it had none yet."""
    remote_address: str
    remote_port: int
    tid: int
    """The thread that was running. Of a measured change often the peer's, or nobody's: the
    kernel works for others in soft interrupts."""
    step: str = ""


@frozen
class QueueSample:
    """What was left to read in a unix socket, when a call that reads or accepts had returned.

    It is that socket's own queue; what a send() added to its peer's is in a sample of the peer.
    A queue found empty that was empty before is not noted. Source: unix(7), SIOCINQ.
    """

    time_ns: int
    """While the thread still stood where its call had returned."""
    socket: str
    """The kernel's own name for it: "inode 4026"."""
    type: str
    """ "SOCK_STREAM" and so on."""
    unread_bytes: int
    """All of the queue; of a SOCK_DGRAM socket the next message alone, 0 where there is none."""
    tid: int
    """The thread whose call it was."""
    step: str = ""


@frozen
class DropNotice:
    """A packet that the kernel threw away, with its reason."""

    time_ns: int
    reason: str
    """By its name in enum skb_drop_reason: "NO_SOCKET"."""
    interface: str
    """Where it had come in, by the interface's name alone; "" if it had not, or if unknown."""
    arrived_ns: int | None
    """When the kernel took it up there, at or after the capture's own stamp; None if unknown."""
    length: int
    """Bytes from the network header on; 0 if unknown."""
    step: str = ""
    host: str = ""
    """Whose kernel threw it away; "" if unknown."""
    packet: bytes = b""
    """Its first bytes, from the network header on; empty if unknown."""


@frozen
class KernelEvent:
    """Any other tracepoint of the kernel's, with its fields."""

    time_ns: int
    name: str
    """ "sock:sock_send_length"."""
    tid: int
    """The thread that was running."""
    fields: dict[str, int | str]
    """By the names in the event's format file; a socket's address as "sk ffff8881..."."""
    step: str = ""


@frozen
class WireRule:
    """A rule of a link's wire in a step (docs/wire.md)."""

    step: str
    text: str
    """As it was written: "client>server drop SYN 1"."""
    action: str
    """Its action's word: "drop"."""
    link: str
    """The link's name, as a capture point has it."""
    matched: int
    """How many frames it was about, or how often it took the link down or up."""
    strikes: int
    """How many strikes of it were recorded."""


@frozen
class WireStrike:
    """What one rule of a wire did to one frame, or to a link."""

    time_ns: int
    rule: int
    """Its place among the recording's wire rules, from 0."""
    point: str
    """The capture point that the frame had left by; of a link, that of an end."""
    checksum: int
    """CRC-32 of the frame as it came to the wire; 0 of a link."""
    occurrence: int
    """How many frames with these bytes had left by that point in the step before."""
    copy: int
    """0 for the frame itself, else the number of its copy."""
    is_end: bool
    """Whether it went no further."""
    copies: int
    """How many copies were made of it."""
    delay_ns: int
    """How long it was held, where that was known at once."""
    changed: bytes
    """The whole frame as it went on; empty where it went on as it was, or not at all."""
    step: str = ""


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
    frames: tuple[Frame, ...]
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
    key_logs: tuple[KeyLog, ...] = ()
    """Of the programs that wrote one, where they were to."""
    sysctls: tuple[SysctlSet, ...] = ()
    """Those that the scenario or the command line asked for, in the order of the hosts."""
    wire_rules: tuple[WireRule, ...] = ()
    """The rules of all steps, in their order."""
    wire_strikes: tuple[WireStrike, ...] = ()
    """What they did, in order of time."""
    wire_lost: int = 0
    """Frames that what carries them over such links has lost itself."""

    def unusable(self, kind: InstrumentKind) -> Instrument | None:
        """The instrument of that kind that obtained nothing, or None."""
        found = (each for each in self.instruments if each.kind is kind and each.obtained is None)
        return next(found, None)
