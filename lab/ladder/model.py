"""A ladder as plain values: a lane for each host, and rows in order of time.

Renderers only render: nothing here is wrapped, cut, coloured or escaped, and texts from programs
and packets are as hostile as they were.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

from lab.analysis.story import Phase
from lab.analysis.tcp.segment import Note
from lab.frozen import frozen
from lab.ladder.background import Background
from lab.model.event import EventId
from lab.records import Obtained


@frozen
class Lane:
    """One column: a host, some programs of a host, or one end of a flow."""

    name: str
    """ "client"; of programs "server, on client"; of a flow's end "198.51.100.1:40858"."""
    host: str = ""
    """The host's name; "" in a capture file."""
    addresses: tuple[str, ...] = ()
    """The host's addresses on its links, of the IP version that the step's packets have."""
    programs: tuple[str, ...] = ()
    """The programs whose calls stand here."""


class Part(enum.Enum):
    """Which part of a call or frame a row shows: it is entered or leaves, returns or arrives."""

    WHOLE = "whole"
    """Both at once: nothing came between them. Also an end whose other end was never seen."""
    START = "start"
    END = "end"


@frozen
class CallLabel:
    """A call's number, and whose it is where its lane has several programs or threads."""

    number: int
    program: str = ""
    thread: int | None = None

    @property
    def owner(self) -> str:
        """ "client[7]", "client", "[7]" or ""."""
        return self.program + ("" if self.thread is None else f"[{self.thread}]")

    def __str__(self) -> str:
        """ "#4", "client[7]#4"."""
        return f"{self.owner}#{self.number}"


@frozen
class CallRow:
    """A system call, or one end of it."""

    event: EventId
    lane: int
    part: Part
    time_ns: int | None
    """None of a call that had not returned when its program ended."""
    is_concurrent: bool
    """Whether it may have come before the row above."""
    label: CallLabel
    name: str
    """ "sendto"."""
    connection: str
    """The client's port, where several connections are between the same lanes; else ""."""
    text: str
    """At its start "connect(3, 198.51.100.2:4242, 16)", at its end "accept4 = 4, addr unnamed",
    as a whole the call alone."""
    result: str
    """ "7", "-1 EAGAIN"; "" at its start, unless a brief ladder has its end there as well."""
    brings_more: bool
    """Whether it returned more than its result: bytes, an address."""
    duration_ns: int | None
    """From entry to exit; None at its start and where it never returned."""
    error: str
    """The errno's name where it failed, unless this is its start."""
    is_expected_error: bool = False
    """Whether that is an answer that programs count on: getpeername(2) on what has no peer."""

    @property
    def is_unfinished(self) -> bool:
        """Whether it had not returned when its program ended, of the row that says so."""
        return self.time_ns is None

    @property
    def is_fault(self) -> bool:
        """Whether it failed, and not in a way that programs count on."""
        return bool(self.error) and not self.is_expected_error and self.error not in NO_FAULTS


NO_FAULTS = frozenset({"EINPROGRESS", "EAGAIN", "EINTR", "EALREADY"})
"""Errors by which a call only says that something is not over yet."""


class FrameKind(enum.Enum):
    """What a frame does, as far as it is drawn differently."""

    SYN = "syn"
    FIN = "fin"
    RST = "rst"
    DATA = "data"
    """A segment with payload and none of these flags."""
    ACK = "ack"
    """A segment without payload and none of these flags."""
    ERROR = "error"
    """An ICMP message that quotes a packet."""
    OTHER = "other"


@frozen
class FrameRow:
    """A frame's way from lane to lane, or one end of it."""

    event: EventId
    source: int
    """The lane that it left."""
    target: int
    """The lane that it goes to; the same where it never leaves its host."""
    is_forward: bool
    """Whether it goes to a later lane; on one lane, whether the client sent it."""
    part: Part
    time_ns: int
    is_concurrent: bool
    sent_ns: int | None
    """None where no point saw it leave."""
    received_ns: int | None
    """None where none saw it arrive."""
    name: str
    """ "f3"; "" in a capture file."""
    connection: str
    """The client's port, where several connections are between the same lanes; else ""."""
    text: str
    """ "SYN seq=0 win=42340", "ARP who has 198.51.100.2?"."""
    kind: FrameKind
    is_lost: bool
    """Whether it was seen leaving and not arriving."""
    phase: Phase
    notes: tuple[Note, ...]
    """What is remarkable about the segment."""
    details: tuple[str, ...]
    """TCP options; what a fragment completes, or an ICMP error quotes."""
    payload: bytes
    """Of a TCP segment or UDP datagram; empty where it is said in words."""
    sender_state: str
    """The sender's TCP state once it sent this, by RFC 9293; "" where it is no segment."""
    receiver_state: str
    """The receiver's once this arrived; "" where it did not, or is no segment."""
    sender_differs: bool = False
    """Whether the sender's state is the kernel's, and the frames imply another."""
    receiver_differs: bool = False
    hop: int = 0
    """Which link of its way it is, from 1, where it goes over several; else 0."""
    is_as_it_was: bool = False
    """Of a later link, whether the frame goes on unchanged, and to nobody else."""
    on_the_way: tuple[str, ...] = ()
    """In a brief ladder, where one arrow stands for all of its links: what devices did to it."""
    says: str = ""
    """What a segment's payload says in words, which are shown in place of its bytes."""
    closes: CallRow | None = None
    """In a brief ladder, the end of a call that returns after it and has no row of its own."""

    @property
    def label(self) -> str:
        """All that stands on the arrow: "f3 40858: SYN seq=0 win=42340"."""
        name = f"{self.name} " if self.name else ""
        return f"{name}{self.connection}: {self.text}" if self.connection else name + self.text

    @property
    def is_segment(self) -> bool:
        """Whether it is one of a TCP conversation."""
        return bool(self.sender_state)

    @property
    def delay_ns(self) -> int | None:
        """How long it was on its way; None where one end was not seen."""
        if self.sent_ns is None or self.received_ns is None:
            return None
        return self.received_ns - self.sent_ns


@frozen
class StateRow:
    """A TCP socket's state, as the kernel has it."""

    event: EventId
    lane: int
    time_ns: int
    is_concurrent: bool
    connection: str
    """The client's port, where several connections are between the same lanes; else ""."""
    old: str
    """ "" where it was not measured."""
    new: str
    obtained: Obtained

    @property
    def text(self) -> str:
        """ "kernel: SYN_SENT → ESTABLISHED", "kernel: ESTABLISHED, sampled"."""
        mark = f"{self.connection}: " if self.connection else ""
        if self.obtained is Obtained.MEASURED:
            return f"kernel: {mark}{self.old or '?'} → {self.new}"
        return f"kernel: {mark}{self.new}, {self.obtained.value}"


@frozen
class QueueRow:
    """What was left to read in a unix socket after a call."""

    event: EventId
    lane: int
    time_ns: int
    is_concurrent: bool
    call: EventId
    """The call that had just returned."""
    caller: str
    """The call's label, where its lane has several programs or threads; else ""."""
    left: str
    """ "9 bytes left to read"."""

    @property
    def text(self) -> str:
        """ "kernel: 9 bytes left to read, sampled"."""
        mark = f"{self.caller}: " if self.caller else ""
        return f"kernel: {mark}{self.left}, {Obtained.SAMPLED.value}"


@frozen
class DropRow:
    """A packet that the kernel dropped."""

    event: EventId
    lane: int
    time_ns: int
    is_concurrent: bool
    frame: EventId
    """The frame that it was in."""
    reason: str
    """By its name in enum skb_drop_reason."""
    label: str
    """What stands on the frame's arrow."""

    @property
    def text(self) -> str:
        """ "dropped by the kernel: NO_SOCKET (f3 SYN seq=0)"."""
        what = f" ({self.label})" if self.label else ""
        return f"dropped by the kernel: {self.reason}{what}"


@frozen
class StrikeRow:
    """What a rule of a wire did to a frame, or to a link."""

    event: EventId
    lane: int
    """That of the host which sent the frame; of a link, of one of its ends."""
    time_ns: int
    is_concurrent: bool
    frame: EventId | None
    """The frame; None of a link."""
    what: str
    """ "dropped"."""
    rule: str
    """As it was written."""
    is_end: bool
    """Whether the frame went no further, as it was: what a wire changes is another from then on."""
    is_late: bool
    """Whether it was held back and nothing else, which its arrow shows."""

    @property
    def text(self) -> str:
        """ "wire: f3 dropped (client>server drop SYN 1)"."""
        frame = f"{self.frame} " if self.frame else ""
        return f"wire: {frame}{self.what} ({self.rule})"


@frozen
class TransferRow:
    """Bytes that one read returned and no wire carried: a local transfer."""

    source: int
    target: int
    read: EventId
    """The call that returned them, in the row below."""
    writes: tuple[EventId, ...]
    """The calls that sent them."""
    moved: int
    """Bytes."""


@frozen
class PhaseRow:
    """A heading: what the frames below are for."""

    phase: Phase
    explanation: str
    """ "" where the ladder has explained it before."""


@frozen
class NoteRow:
    """What may surprise about the event above, in a sentence."""

    event: EventId
    lane: int
    text: str


@frozen
class ElisionRow:
    """Rows that are left out where a ladder is to fit a page; what they open stays open."""

    rows: tuple[Row, ...]
    """All of them; of a ladder that is far too long, the calls that they open and close."""
    text: str
    """ "... 298 times more"."""
    lane: int | None
    """Where all of them are; None where they are in several."""


EventRow = CallRow | FrameRow | StateRow | QueueRow | DropRow | StrikeRow
"""A row that is an event at a time."""

Row = EventRow | TransferRow | PhaseRow | NoteRow | ElisionRow


@frozen
class Ladder:
    """One step of a run, or one flow of a capture file."""

    lanes: tuple[Lane, ...]
    rows: tuple[Row, ...]
    background: tuple[Background, ...] = ()
    """Calls that are beside the matter and left out."""
    violations: tuple[str, ...] = ()
    """Effects seen before their causes: errors of an instrument, a sentence each."""
    is_brief: bool = False
    """Whether rows are joined and left out that say nothing new (`lab.ladder.brief`)."""

    @property
    def zero_ns(self) -> int:
        """The time of the first event; 0 where there is none."""
        times = (getattr(row, "time_ns", None) for row in self.every_row())
        return next((time_ns for time_ns in times if time_ns is not None), 0)

    @property
    def has_calls(self) -> bool:
        """Whether system calls were traced."""
        return any(isinstance(row, CallRow) for row in self.every_row())

    def every_row(self) -> Iterator[Row]:
        """The rows, with those that an elision leaves out in its place."""
        return _every(self.rows)


def _every(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        if isinstance(row, ElisionRow):
            yield from _every(row.rows)
        else:
            yield row
