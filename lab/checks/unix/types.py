"""Checks of what each type of unix socket keeps, loses and passes.

Where several programs did the same with sockets of another name, each has to show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import reads_of, sends_of, sent_bytes
from lab.model.claim import Verdict, broken, claim, holds, undecided
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId


@claim(
    "SOCK_STREAM keeps every byte and no message boundary.",
    source="socket(2), SOCK_STREAM; unix(7)",
    statements=("T1", "U3"),
    name="stream",
)
def keeps_bytes_and_no_boundaries(timeline: Timeline) -> Verdict:
    """Every byte is read in order, in other pieces than were sent."""
    findings: list[str] = []
    evidence: list[EventId] = []
    for program, calls in timeline.calls.items():
        sends, reads = sends_of(calls), _full_reads(calls)
        if not sends or not reads:
            return undecided(f"{program} printed no sends and reads")
        evidence += [call.id for call in (*sends, *reads)]
        sent, read = sent_bytes(sends), b"".join(call.data for call in reads)
        if sent != read:
            sizes = f"{counted(len(sent), 'byte')} sent, {len(read)} read"
            said = f"{program}: {sizes}, and they differ"
            return broken(said, evidence)
        if [call.data for call in sends] == [call.data for call in reads]:
            return broken(f"{program}: every read returned just one send", evidence)
        findings.append(f"{program} {counted(len(sends), 'send')}, {counted(len(reads), 'read')}")
    return _shown(f"all bytes in order: {'; '.join(findings)}", evidence)


@claim(
    "SOCK_SEQPACKET and SOCK_DGRAM keep boundaries and order: a read for each message.",
    source="unix(7), SOCK_DGRAM and SOCK_SEQPACKET",
    statements=("T3", "U3"),
    name="messages",
)
def keeps_boundaries_and_order(*timelines: Timeline) -> Verdict:
    """Each read returns the beginning of the next message, whole where there was room for it."""
    evidence: list[EventId] = []
    programs: list[str] = []
    for program, calls in _all_printed(timelines):
        sends, reads = sends_of(calls), _full_reads(calls)
        if not sends or not reads:
            return undecided(f"{program} printed no sends and reads")
        evidence += [call.id for call in (*sends, *reads)]
        if len(sends) != len(reads):
            return broken(
                f"{program}: {counted(len(sends), 'message')}, {counted(len(reads), 'read')}",
                evidence,
            )
        for number, (send, read) in enumerate(zip(sends, reads, strict=True), start=1):
            room = _size(read)
            if read.data != send.data[: send.result][:room]:
                return broken(f"{program}: read {number} is not message {number}", evidence)
        programs.append(f"{program} {len(sends)}")
    return _shown(f"a read for each message, in order: {', '.join(programs)}", evidence)


@claim(
    "Of a message longer than the reader's buffer the rest is lost, and MSG_TRUNC says so.",
    source="recv(2), MSG_TRUNC; socket(2), SOCK_SEQPACKET",
    statements=("T3", "U3"),
    name="short-read",
)
def loses_the_rest_of_a_short_read(*timelines: Timeline) -> Verdict:
    """A message longer than the reader's room is cut with MSG_TRUNC; the next comes whole."""
    evidence: list[EventId] = []
    findings: list[str] = []
    for program, calls in _all_printed(timelines):
        sends, reads = sends_of(calls), _full_reads(calls)
        pairs = list(zip(sends, reads, strict=False))
        cut = [(i, s, r) for i, (s, r) in enumerate(pairs) if s.result > _size(r)]
        if not cut or cut[0][0] + 1 == len(sends):
            return undecided(f"{program} printed no short read with a message after it")
        position, send, read = cut[0]
        evidence += [send.id, read.id]
        if "MSG_TRUNC" not in read.arguments:
            return broken(f"{program}: {read.text} says nothing of MSG_TRUNC", evidence)
        if position + 1 >= len(reads) or reads[position + 1].data != sends[position + 1].data:
            return broken(f"{program}: the read after {read.text} is not the next one", evidence)
        evidence.append(reads[position + 1].id)
        findings.append(f"{program} {send.result - read.result} of {send.result}")
    return _shown(f"bytes lost, MSG_TRUNC set: {', '.join(findings)}", evidence)


@claim(
    "SOCK_STREAM and SOCK_SEQPACKET need connect and accept; SOCK_DGRAM needs an address.",
    source="socket(2); send(2), ENOTCONN; listen(2), EOPNOTSUPP",
    statements=("T1", "T3"),
    name="connection",
)
def needs_a_connection(stream: Timeline, datagram: Timeline, seqpacket: Timeline) -> Verdict:
    """Before connect a stream or seqpacket sends nothing; a datagram needs an address only."""
    evidence: list[EventId] = []
    for timeline in (stream, seqpacket, datagram):
        connects = timeline is not datagram
        for program, calls in timeline.calls.items():
            if _find(calls, "socketpair") is not None:
                continue
            first, listen = _find(calls, "send"), _find(calls, "listen")
            sent = sends_of(calls)
            if first is None or listen is None or not sent:
                return undecided(f"{program} printed no sends and listen")
            joined = {call.name for call in calls if not call.result or call.name == "accept"}
            evidence += [first.id, listen.id, sent[0].id]
            if first.error != "ENOTCONN":
                met = first.error or "success"
                return broken(f"{first.program}: the first send met {met}, not ENOTCONN", evidence)
            if connects and not {"connect", "accept"} <= joined:
                return broken(f"{first.program} sent without connect and accept", evidence)
            if not connects and ("connect" in joined or listen.error != "EOPNOTSUPP"):
                return broken(f"{first.program}: a datagram socket listened or connected", evidence)
    return _shown(
        "ENOTCONN before connect and accept for SOCK_STREAM and SOCK_SEQPACKET; SOCK_DGRAM gets "
        "it without an address only, and cannot listen (EOPNOTSUPP)",
        evidence,
    )


@claim(
    "SOCK_STREAM and SOCK_SEQPACKET come to an end with their peer; SOCK_DGRAM has none.",
    source="recv(2), Return value",
    statements=("T3", "U3"),
    name="end",
)
def ends_with_its_connection(stream: Timeline, datagram: Timeline, seqpacket: Timeline) -> Verdict:
    """Once the sender has closed, a connection's reader meets the end, a datagram's does not."""
    evidence: list[EventId] = []
    for timeline in (stream, seqpacket, datagram):
        for program, calls in timeline.calls.items():
            closed = next((i for i, call in enumerate(calls) if call.name == "close"), len(calls))
            read = _find(calls[closed:], "recvmsg")
            if read is None:
                return undecided(f"{program} printed no read after close")
            evidence += [calls[closed].id, read.id]
            met = read.error or str(read.result)
            expected = "EAGAIN" if timeline is datagram else "0"
            if met != expected:
                return broken(f"{read.program}: the read after close met {met}", evidence)
    return _shown(
        "after the sender's close the reader gets 0, end of file, from SOCK_STREAM and "
        "SOCK_SEQPACKET; from SOCK_DGRAM it gets EAGAIN, as if more might come",
        evidence,
    )


@claim(
    "Datagrams between unix sockets are reliable: a full queue blocks, and none is lost.",
    source="unix(7), SOCK_DGRAM; send(2), EAGAIN",
    statements=("U3",),
    name="queue",
)
def blocks_when_the_queue_is_full(timeline: Timeline) -> Verdict:
    """EAGAIN after n datagrams, a wait without MSG_DONTWAIT, room after a read, none lost."""
    findings: list[str] = []
    evidence: list[EventId] = []
    for program, calls in timeline.calls.items():
        verdict = _full_queue(program, calls)
        if isinstance(verdict, Verdict):
            return verdict
        evidence += verdict[1]
        findings.append(f"{program} {verdict[0]}")
    return _shown(
        f"datagrams until it is full: {'; '.join(findings)}; all were read in order", evidence
    )


def _full_queue(program: str, calls: Sequence[PrintedCall]) -> tuple[str, list[EventId]] | Verdict:
    """How many datagrams fitted and how long a send waited, with evidence; or why not."""
    sends = [call for call in calls if call.name == "send"]
    clocks = [call for call in calls if call.name == "clock_gettime"]
    patience = next((call for call in calls if "SO_SNDTIMEO" in call.arguments), None)
    refused = [call for call in sends if call.error]
    reads = _full_reads(calls)
    if len(clocks) != 2 or patience is None or len(refused) != 2 or not reads:
        return undecided(f"{program} printed no full queue and a send that waited")
    full, waited = refused
    evidence = [call.id for call in (full, *clocks, waited, *reads)]
    fitted = sends.index(full)
    wanted_us = _microseconds(patience.argument(-1))
    waited_us = (_nanoseconds(clocks[1]) - _nanoseconds(clocks[0])) // 1000
    if {call.error for call in refused} != {"EAGAIN"} or not fitted:
        return broken(f"{program}: {full.text} met {full.error}, not EAGAIN", evidence)
    # The kernel counts in ticks, and the first one is under way already.
    if not 0 < wanted_us <= 2 * waited_us:
        return broken(f"{program}: a send waited {waited_us} of {wanted_us} us", evidence)
    sent = sends_of(calls)
    if len(sent) != fitted + 1:
        return broken(f"{program}: after a read, there was room for {len(sent) - fitted}", evidence)
    if [call.data for call in sent] != [call.data for call in reads]:
        return broken(f"{program}: what was read is not what was sent, in order", evidence)
    return f"{fitted}, then a send waits ({waited_us / 1000:.0f} ms here)", evidence


@claim(
    "SOCK_RAW is accepted for AF_UNIX and made SOCK_DGRAM.",
    source="socket(7), SO_TYPE; Linux, net/unix/af_unix.c, unix_create()",
    statements=("T5",),
    name="raw",
)
def makes_raw_a_datagram_socket(timeline: Timeline) -> Verdict:
    """A socket(AF_UNIX, SOCK_RAW) succeeds, and SO_TYPE of it is SOCK_DGRAM."""
    calls = [call for printed in timeline.calls.values() for call in printed]
    made = next((call for call in calls if "SOCK_RAW" in call.arguments), None)
    asked = next((call for call in calls if "SO_TYPE" in call.arguments), None)
    if made is not None and made.error:
        return broken(f"{made.text} met {made.error}", [made.id])
    if made is None or asked is None:
        return undecided("the programs printed no socket with SOCK_RAW and its SO_TYPE")
    got = asked.argument(-1)
    said = f"{made.text} is granted, and SO_TYPE says {got}"
    verdict = holds if got == "SOCK_DGRAM" else broken
    return verdict(said, [made.id, asked.id])


@claim(
    "An open descriptor can be passed: the receiver reads what only the sender had.",
    source="unix(7), SCM_RIGHTS",
    name="descriptor",
)
def passes_a_descriptor(timeline: Timeline) -> Verdict:
    """The receiver reads from the sender's pipe, by a descriptor of its own for the same inode."""
    found = _pass(timeline)
    if found is None:
        return undecided("the programs printed no SCM_RIGHTS both ways")
    sent, received = found
    calls = {program: list(calls) for program, calls in timeline.calls.items()}
    sender, receiver = calls[sent.program], calls[received.program]
    inodes = [_find(c, "fstat") for c in (sender, receiver)]
    written, read = _find(sender, "write"), _find(receiver, "read")
    evidence = [c.id for c in (sent, received, *inodes, written, read) if c is not None]
    if not received.argument(-1):
        return broken("no descriptor came with the data", evidence)
    if written is None or read is None or None in inodes:
        return undecided("the programs printed no fstat, write and read", evidence)
    one, other = (call.argument(-1) for call in inodes if call is not None)
    if one != other or written.data != read.data:
        return broken(f"{read.text} in {other} is not {written.text} in {one}", evidence)
    hosts = {run.host for run in timeline.programs}
    return holds(
        f"{sent.program}'s descriptor {_descriptors(sent)} came as {received.program}'s "
        f"{_descriptors(received)}, the same inode ({one}), on {' and '.join(sorted(hosts))}; "
        f"{counted(len(read.data), 'byte')} read from it",
        evidence,
    )


@claim(
    "Each end learns the other's process, user and group from the kernel.",
    source="unix(7), SO_PEERCRED",
    name="credentials",
)
def names_its_peer(timeline: Timeline) -> Verdict:
    """SO_PEERCRED at each end gives the pid, uid and gid that the other end says it has."""
    asked: list[tuple[PrintedCall, tuple[object, ...], list[PrintedCall]]] = []
    for calls in timeline.calls.values():
        question = next((call for call in calls if "SO_PEERCRED" in call.arguments), None)
        own = [call for call in calls if call.name in ("getpid", "geteuid", "getegid")]
        if question is None or len(own) != 3:
            return undecided("the programs printed no SO_PEERCRED, getpid, geteuid and getegid")
        got = question.argument(-1)
        asked.append((question, got if isinstance(got, tuple) else (), own))
    if len(asked) != 2:
        return undecided("there were not two programs")
    evidence = [call.id for question, _, own in asked for call in (question, *own)]
    for (question, got, _), (_, _, own) in (asked, asked[::-1]):
        peer = tuple(call.result for call in own)
        if got != peer:
            return broken(f"{question.text}, but the peer is {peer}", evidence)
    credentials = " and ".join(f"{question.program} sees {got}" for question, got, _ in asked)
    return holds(f"pid, uid and gid as the peer itself says: {credentials}", evidence)


@claim(
    "An internet socket passes no descriptor, and knows of no peer's process.",
    source="unix(7), SCM_RIGHTS and SO_PEERCRED",
    name="internet",
)
def internet_passes_neither(timeline: Timeline) -> Verdict:
    """SCM_RIGHTS does not arrive, whether refused or ignored; SO_PEERCRED names nobody."""
    calls = [call for printed in timeline.calls.values() for call in printed]
    passed = [call for call in calls if call.name == "sendmsg"]
    came = [call for call in calls if call.name == "recvmsg"]
    who = [call for call in calls if "SO_PEERCRED" in call.arguments]
    if not passed or not who or len(came) < sum(not call.error for call in passed):
        return undecided("the programs printed no sendmsg, recvmsg and SO_PEERCRED")
    evidence = [call.id for call in (*passed, *came, *who)]
    arrived = [call for call in came if call.argument(-1)]
    if arrived:
        return broken(f"a descriptor arrived: {arrived[0].text}", evidence)
    known = [call for call in who if not call.error and not _is_nobody(call.argument(-1))]
    if known:
        return broken(f"the peer has a name: {known[0].text}", evidence)
    rights = sorted({call.error or "ignored, the data arrives" for call in passed})
    names = sorted({call.error or f"{call.argument(-1)}" for call in who})
    return holds(
        f"SCM_RIGHTS: {', '.join(rights)}; SO_PEERCRED: {', '.join(names)}, nobody", evidence
    )


def _shown(why: str, evidence: list[EventId]) -> Verdict:
    """It holds, unless there was nobody to show it."""
    return holds(why, evidence) if evidence else undecided("no program printed anything")


def _all_printed(timelines: Sequence[Timeline]) -> list[tuple[str, tuple[PrintedCall, ...]]]:
    return [item for timeline in timelines for item in timeline.calls.items()]


def _full_reads(calls: Sequence[PrintedCall]) -> list[PrintedCall]:
    """The reads that returned something."""
    return [call for call in reads_of(calls) if call.result]


def _size(read: PrintedCall) -> int:
    """How many bytes a read asked for: its argument after the data."""
    room = read.argument(2) if len(read.arguments) > 2 else 0
    return room if isinstance(room, int) else 0


def _find(calls: Sequence[PrintedCall], name: str) -> PrintedCall | None:
    return next((call for call in calls if call.name == name), None)


def _pass(timeline: Timeline) -> tuple[PrintedCall, PrintedCall] | None:
    """The calls that passed a descriptor and took it."""
    calls = [call for printed in timeline.calls.values() for call in printed]
    sent, received = _find(calls, "sendmsg"), _find(calls, "recvmsg")
    return (sent, received) if sent is not None and received is not None else None


def _descriptors(call: PrintedCall) -> str:
    return str(call.argument(-1)).strip("[]")


def _microseconds(value: object) -> int:
    """A struct timeval in microseconds."""
    seconds, rest = value if isinstance(value, tuple) and len(value) == 2 else (0, 0)
    return int(seconds) * 1_000_000 + int(rest)


def _nanoseconds(clock: PrintedCall) -> int:
    value = clock.argument(-1)
    return value if isinstance(value, int) else 0


def _is_nobody(credentials: object) -> bool:
    """Whether a struct ucred names no process and no user. Source: unix(7), SO_PEERCRED."""
    return credentials == (0, -1, -1)
