"""Checks of what the calls on a socket have in common, and what only some of them can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import reads_of, sends_of
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import Note
from lab.model.claim import Verdict, broken, claim, frame_ids, holds, undecided
from lab.model.counted import counted
from lab.model.event import frame_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Segment
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

    Sign = tuple[object, ...]
    """What of a frame or call has to be the same."""
    Select = Callable[[Sequence[PrintedCall]], tuple[PrintedCall, ...]]

_CONTROL = TcpFlags.SYN | TcpFlags.FIN | TcpFlags.RST


@claim(
    "The segments on the wire are the same by write as by send without flags, and by sendto and "
    "sendmsg.",
    source="send(2); write(2)",
    statements=("S3",),
    name="same-segments",
)
def puts_the_same_segments_on_the_wire(
    first: Timeline, second: Timeline, *others: Timeline
) -> Verdict:
    """Flags, relative numbers, payload and options of all segments but bare ACKs.

    When and how often a side acknowledges without data depends on timers (RFC 9293, 3.8.6.3);
    initial numbers, ports, times and windows are no call's doing either.
    """
    timelines = (first, second, *others)
    if fault := _same_calls(timelines, sends_of):
        return fault
    shown: list[list[tuple[EventId, Sign]]] = []
    for timeline in timelines:
        if len(timeline.conversations) != 1:
            return broken(f"{timeline.step}: {len(timeline.conversations)} TCP connections, not 1")
        shown.append(_segment_signs(timeline.conversations[0]))
    what = "segments with SYN, FIN or payload: flags, relative numbers, payload and options"
    return _compare(timelines, shown, what)


@claim(
    "On a connected datagram socket write and send put the same datagrams on the wire as sendto "
    "and sendmsg, which name the destination.",
    source="send(2); udp(7)",
    statements=("S3",),
    name="same-datagrams",
)
def puts_the_same_datagrams_on_the_wire(
    first: Timeline, second: Timeline, *others: Timeline
) -> Verdict:
    """Sender, length and payload of all UDP datagrams."""
    timelines = (first, second, *others)
    if fault := _same_calls(timelines, sends_of):
        return fault
    shown: list[list[tuple[EventId, Sign]]] = []
    for timeline in timelines:
        datagrams = [c for c in timeline.crossings if c.packet.udp is not None]
        shown.append(
            [
                (c.id, (c.sender, c.packet.udp and c.packet.udp.length, c.packet.payload))
                for c in datagrams
            ]
        )
    return _compare(timelines, shown, "datagrams: sender, length and payload")


@claim(
    "On a connection read returns what recv returns, and recvfrom and recvmsg.",
    source="recv(2); read(2)",
    statements=("S3",),
    name="same-reads",
)
def reads_the_same(first: Timeline, second: Timeline, *others: Timeline) -> Verdict:
    """What each host's reads returned, one by one, whatever the call."""
    timelines = (first, second, *others)
    if fault := _same_calls(timelines, _takes_of):
        return fault
    shown: list[list[tuple[EventId, Sign]]] = []
    for timeline in timelines:
        takes = [
            (call.id, (run.host, call.result, call.data))
            for run in timeline.programs
            for call in _takes_of(timeline.calls[run.name])
        ]
        shown.append(sorted(takes, key=lambda take: str(take[1][0])))
    return _compare(timelines, shown, "reads: bytes and result")


@claim(
    "MSG_PEEK returns what is there and leaves it there.",
    source="recv(2), MSG_PEEK",
    statements=("S4",),
    name="peek",
)
def peeks_without_taking(*timelines: Timeline) -> Verdict:
    """What MSG_PEEK returned, the next read returns again."""
    findings: list[str] = []
    evidence: list[EventId] = []
    for timeline in timelines:
        peeks = list(_flagged(timeline, "MSG_PEEK"))
        if not peeks:
            return undecided(f"{timeline.step}: the programs printed no call with MSG_PEEK")
        for peek in peeks:
            taken = next(iter(_after(timeline, peek)), None)
            evidence += [peek.id] if taken is None else [peek.id, taken.id]
            if taken is None or not peek.data or not taken.data.startswith(peek.data):
                return broken(f"{peek.text} returned what no read returned again", evidence)
        findings.append(f"{timeline.step}: {peeks[0].data!r}")
    return holds(f"returned twice: {'; '.join(findings)}", evidence)


@claim(
    "MSG_DONTWAIT makes one call fail with EAGAIN where it would wait.",
    source="recv(2), MSG_DONTWAIT",
    statements=("S4",),
    name="dont-wait",
)
def fails_where_it_would_wait(*timelines: Timeline) -> Verdict:
    """MSG_DONTWAIT: EAGAIN where nothing is there; the same descriptor waits without it."""
    evidence: list[EventId] = []
    for timeline in timelines:
        call = next(_flagged(timeline, "MSG_DONTWAIT"), None)
        if call is None:
            return undecided(f"{timeline.step}: the programs printed no call with MSG_DONTWAIT")
        later = next(iter(_after(timeline, call)), None)
        evidence += [call.id] if later is None else [call.id, later.id]
        if call.error != "EAGAIN":
            return broken(f"{call.text} did not fail with EAGAIN", evidence)
        if later is None:
            return broken("nothing was read from that descriptor later", evidence)
    return holds(
        "EAGAIN for that one call; the descriptor itself is as it was, and a later read waits",
        evidence,
    )


@claim(
    "MSG_WAITALL waits until the buffer is full, however many segments that takes.",
    source="recv(2), MSG_WAITALL",
    statements=("S4",),
    name="wait-for-all",
)
def waits_for_all(timeline: Timeline) -> Verdict:
    """MSG_WAITALL fills the buffer from several segments; the same read without it does not."""
    call = next(_flagged(timeline, "MSG_WAITALL"), None)
    if call is None or len(timeline.conversations) != 1:
        return undecided("the programs printed no call with MSG_WAITALL on one connection")
    size = call.argument(2)
    without = [
        c
        for calls in timeline.calls.values()
        for c in _takes_of(calls)
        if c.arguments[2:] == (size,) and c.program == call.program
    ]
    segments = _carriers(timeline.conversations[0], call.data)
    evidence = [*(c.id for c in (*without, call)), *frame_ids(s.crossing for s in segments)]
    if call.result != size:
        return broken(f"{call.text} returned {call.result}, not {size}", evidence)
    pieces = [c.data for c in without]
    if len(segments) < 2 or len(pieces) < 2 or b"".join(pieces) != call.data:
        return broken("not shown to have waited: the bytes did not come in pieces", evidence)
    return holds(
        f"{size} bytes in one call, from {len(segments)} segments; without the flag the same "
        f"bytes came as {' and '.join(str(c.result) for c in without)}",
        evidence,
    )


@claim(
    "MSG_MORE holds bytes back until the next send: two sends, one segment.",
    source="send(2), MSG_MORE; tcp(7), TCP_CORK",
    statements=("S4",),
    name="more",
)
def holds_back_for_more(timeline: Timeline) -> Verdict:
    """What was sent with MSG_MORE leaves in one segment with what was sent next."""
    first = next(_flagged(timeline, "MSG_MORE"), None)
    if first is None or len(timeline.conversations) != 1:
        return undecided("the programs printed no call with MSG_MORE on one connection")
    sends = [c for c in sends_of(timeline.calls[first.program]) if c.number > first.number]
    if not sends:
        return undecided("nothing was sent after it", [first.id])
    data = first.data + sends[0].data
    segments = _carriers(timeline.conversations[0], data)
    evidence = [first.id, sends[0].id, *frame_ids(s.crossing for s in segments)]
    if len(segments) != 1 or segments[0].length != len(data):
        return broken(f"the two sends left in {counted(len(segments), 'segment')}", evidence)
    return holds(f"two sends, one segment: {data!r} in f{segments[0].crossing}", evidence)


@claim(
    "MSG_OOB sends one byte out of band: URG and the urgent pointer mark it on the wire, and it "
    "is read apart.",
    source="tcp(7); RFC 9293, 3.8.5; RFC 6093, 2.2; sockatmark(3)",
    statements=("S4",),
    name="out-of-band",
)
def sends_out_of_band(timeline: Timeline) -> Verdict:
    """URG and the urgent pointer mark the last byte, which a read with MSG_OOB gets alone."""
    flagged = list(_flagged(timeline, "MSG_OOB"))
    sent = next((call for call in flagged if call.name == "send"), None)
    got = next((call for call in flagged if call.name == "recv"), None)
    if sent is None or got is None or len(timeline.conversations) != 1:
        return undecided("the programs printed no send and recv with MSG_OOB on one connection")
    talk = timeline.conversations[0]
    urgent = [s for s in _first_copies(talk) if s.flags & TcpFlags.URG]
    evidence = [sent.id, got.id, *frame_ids(s.crossing for s in urgent)]
    if got.data != sent.data[-1:]:
        return broken(f"{got.text} did not get the last byte of {sent.text}", evidence)
    if not urgent:
        return broken("no segment has the URG flag", evidence)
    pointer = _urgent_pointer(talk, urgent[0])
    # Linux, as others, points behind the byte, not at it (RFC 6093, 2.2).
    at = urgent[0].seq + pointer - 1 - talk.client_to_server.start
    if not urgent[0].from_client or talk.client_to_server.data[at : at + 1] != got.data:
        return broken(f"urgent pointer {pointer} does not lead to {got.data!r}", evidence)
    return _at_the_mark(timeline, got, pointer, evidence)


@claim(
    "Each datagram's source is returned by recvfrom, its destination named by sendto.",
    source="recv(2); send(2); udp(7)",
    statements=("S4",),
    name="addresses",
)
def returns_each_datagrams_source(timeline: Timeline) -> Verdict:
    """One descriptor, several peers: source and destination as in the frames, call by call."""
    server = next((run for run in timeline.programs if run.host == "server"), None)
    calls = timeline.calls[server.name] if server else ()
    takes = [call for call in _takes_of(calls) if _address(call)]
    sends = [call for call in sends_of(calls) if _address(call)]
    if len(takes) < 2 or len(sends) < 2:
        return undecided("the server printed no addresses of two peers")
    evidence: list[EventId] = []
    for call, is_send in (*((c, False) for c in takes), *((c, True) for c in sends)):
        frame = _datagram_of(timeline, call, is_send)
        evidence.append(call.id)
        if frame is None:
            return broken(f"no frame has the address and bytes of {call.text}", evidence)
        evidence.append(frame.id)
    sources = {_address(call) for call in takes}
    if len(sources) < 2 or sources != {_address(call) for call in sends}:
        return broken(f"{len(sources)} peers, and not each was answered", evidence)
    ports = " and ".join(str(address[1]) for address in sorted(filter(None, sources)))
    # Of datagrams alike the first is the evidence.
    once = dict.fromkeys(evidence)
    return holds(f"datagrams from ports {ports}, each answered by address", once)


@claim(
    "MSG_TRUNC says that a datagram was longer than the buffer; read cuts it silently.",
    source="recv(2), MSG_TRUNC; udp(7)",
    statements=("S4",),
    name="truncation",
)
def says_what_was_cut(timeline: Timeline) -> Verdict:
    """MSG_TRUNC: the whole length where asked for, a flag in recvmsg; read says nothing."""
    flagged = list(_flagged(timeline, "MSG_TRUNC"))
    asked = next((call for call in flagged if call.name == "recvfrom"), None)
    flag = next((call for call in flagged if call.name == "recvmsg"), None)
    calls = [call for calls in timeline.calls.values() for call in calls]
    plain = next((call for call in reads_of(calls) if call.name == "read"), None)
    if asked is None or plain is None or not any(call.name == "recvmsg" for call in calls):
        return undecided("the programs printed no datagram cut by recvfrom, recvmsg and read")
    if flag is None:
        return broken("recvmsg did not return MSG_TRUNC", [asked.id, plain.id])
    cut = (asked, flag, plain)
    evidence = [call.id for call in cut]
    frames = [
        c
        for c in timeline.crossings
        if c.packet.udp and c.packet.payload.startswith(plain.data) and plain.data
    ]
    evidence += frame_ids(c.number for c in frames)
    lengths = {len(c.packet.payload) for c in frames}
    sizes = {len(call.data) for call in cut}
    if len(frames) != len(cut) or len(lengths) != 1 or len(sizes) != 1 or lengths <= sizes:
        return broken("the wire did not carry three longer datagrams alike", evidence)
    if {asked.result} != lengths or plain.result != len(plain.data):
        return broken(f"{asked.text} returned {asked.result}, not the length sent", evidence)
    return holds(
        f"the wire carried {counted(asked.result, 'byte')} each time, the programs read "
        f"{plain.result}: recvfrom with MSG_TRUNC returns {asked.result}, recvmsg gives the flag "
        "back, read says nothing",
        evidence,
    )


def _same_calls(timelines: Sequence[Timeline], select: Select) -> Verdict | None:
    """Why the steps cannot be compared: each has to be held with one call, its own."""
    names: list[str] = []
    for timeline in timelines:
        used = {c.name for calls in timeline.calls.values() for c in select(calls)}
        if not used:
            return undecided(f"{timeline.step}: the programs printed no such calls")
        if len(used) > 1 or used & set(names):
            evidence = [c.id for calls in timeline.calls.values() for c in select(calls)]
            return broken(f"{timeline.step} is not held with one call of its own", evidence)
        names += used
    return None


def _compare(
    timelines: Sequence[Timeline], shown: Sequence[Sequence[tuple[EventId, Sign]]], what: str
) -> Verdict:
    """Whether each step shows the same as the first."""
    if not shown[0]:
        return broken(f"{timelines[0].step}: there are none of the {what}")
    for timeline, events in zip(timelines[1:], shown[1:], strict=True):
        first = timelines[0].step
        if len(events) != len(shown[0]):
            why = f"{timeline.step} has {len(events)} {what}; {first} has {len(shown[0])}"
            return broken(why, [event for event, _ in (*shown[0], *events)])
        for (event, sign), (other, other_sign) in zip(shown[0], events, strict=True):
            if sign != other_sign:
                why = f"{other} of {timeline.step} differs from {event} of {first}: "
                return broken(f"{why}{other_sign} and {sign}", [event, other])
    steps = ", ".join(timeline.step for timeline in timelines)
    return holds(
        f"{steps}: the same {len(shown[0])} {what}", [e for events in shown for e, _ in events]
    )


def _segment_signs(talk: TcpConversation) -> list[tuple[EventId, Sign]]:
    signs: list[tuple[EventId, Sign]] = []
    crossings = {crossing.number: crossing for crossing in talk.flow.crossings}
    for segment in _first_copies(talk):
        packet = crossings[segment.crossing].packet
        if not segment.length and not segment.flags & _CONTROL:
            continue
        options = tuple(option.name for option in packet.tcp.options) if packet.tcp else ()
        side = "client" if segment.from_client else "server"
        flags = segment.flags.name
        sign = (side, flags, segment.seq, segment.ack, packet.payload, options)
        signs.append((frame_id(segment.crossing), sign))
    return signs


def _first_copies(talk: TcpConversation) -> list[Segment]:
    """The segments without what a timer repeated."""
    again = {Note.RETRANSMISSION, Note.DUPLICATED, Note.CHANGED}
    return [segment for segment in talk.segments if not segment.notes & again]


def _carriers(talk: TcpConversation, data: bytes) -> list[Segment]:
    """The client's segments that carried these bytes, where they last stand in its stream."""
    stream = talk.client_to_server
    at = stream.data.rfind(data)
    if at < 0 or not data:
        return []
    start = stream.start + at
    return [
        s
        for s in _first_copies(talk)
        if s.from_client and s.seq < start + len(data) and s.seq + s.length > start
    ]


def _urgent_pointer(talk: TcpConversation, segment: Segment) -> int:
    for crossing in talk.flow.crossings:
        if crossing.number == segment.crossing and crossing.packet.tcp is not None:
            return crossing.packet.tcp.urgent_pointer
    return 0


def _at_the_mark(
    timeline: Timeline, got: PrintedCall, pointer: int, evidence: list[EventId]
) -> Verdict:
    """The reads around the out-of-band byte: one ends before it, and SIOCATMARK says so."""
    before = [call for call in timeline.calls[got.program] if call.number < got.number]
    marks = [call for call in before if call.name == "ioctl" and "SIOCATMARK" in call.arguments]
    if len(marks) < 2:
        return undecided("the programs printed no SIOCATMARK before and after a read", evidence)
    first, last = marks[-2:]
    between = [c for c in reads_of(before) if first.number < c.number < last.number]
    evidence = [*evidence, first.id, *(c.id for c in between), last.id]
    if (first.argument(-1), last.argument(-1)) != (0, 1) or not between:
        return broken("SIOCATMARK did not turn from 0 to 1 with the read", evidence)
    if between[-1].data.endswith(got.data):
        return broken("the out-of-band byte was read in band", evidence)
    return holds(
        f"URG and urgent pointer {pointer} mark {got.data!r}; a read stops before it, at "
        f"{between[-1].data!r} (SIOCATMARK 0, then 1), and MSG_OOB gets it alone",
        evidence,
    )


def _takes_of(calls: Sequence[PrintedCall]) -> tuple[PrintedCall, ...]:
    """The reads that took what they returned."""
    return tuple(call for call in reads_of(calls) if "MSG_PEEK" not in call.arguments)


def _flagged(timeline: Timeline, flag: str) -> Iterator[PrintedCall]:
    return (c for calls in timeline.calls.values() for c in calls if flag in c.arguments)


def _after(timeline: Timeline, call: PrintedCall) -> list[PrintedCall]:
    """Later reads that took something from the same descriptor."""
    return [
        later
        for later in _takes_of(timeline.calls[call.program])
        if later.number > call.number and later.arguments[:1] == call.arguments[:1] and later.result
    ]


def _address(call: PrintedCall) -> tuple[str, int] | None:
    for argument in call.arguments:
        match argument:
            case (str(host), int(port)):
                return host, port
    return None


def _datagram_of(timeline: Timeline, call: PrintedCall, is_send: bool) -> Crossing | None:
    """A datagram that begins with the call's bytes and has its address at the far end."""
    for crossing in timeline.crossings:
        udp, ip = crossing.packet.udp, crossing.packet.ip
        if udp is None or ip is None or not crossing.packet.payload.startswith(call.data):
            continue
        far = (ip.destination, udp.destination_port) if is_send else (ip.source, udp.source_port)
        if _address(call) == (str(far[0]), far[1]):
            return crossing
    return None
