"""Checks of what unix sockets, pipes and FIFOs hold, each way, and of how they are opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import READ_CALLS, SEND_CALLS, reads_of, sends_of
from lab.model.claim import Verdict, broken, claim, holds, undecided
from lab.model.counted import counted
from lab.model.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

    PrintedWay = tuple[int, int]
    """The descriptor that is written to, and the one that is read from."""
    Round = tuple[int, int, int]
    """A write's size, and the bytes that one way and the other then took."""

LIMITS = ("SO_SNDBUF", "F_GETPIPE_SZ")
SOCKETPAIR, PIPES, FIFOS = "a socketpair", "two pipes", "two FIFOs"
_MAKERS = {"socketpair": SOCKETPAIR, "pipe": PIPES, "mkfifo": FIFOS}


@claim(
    "A socket's descriptor goes both ways: each end is written to and read from.",
    source="socketpair(2); unix(7)",
    statements=("S1",),
    name="two-way",
)
def carries_both_ways_on_one_descriptor(timeline: Timeline) -> Verdict:
    """Each end of the socketpair is written to and read from, and nothing is lost."""
    calls = _sections(timeline).get(SOCKETPAIR, [])
    ways = _ways(calls)
    if not ways:
        return undecided("the programs printed no socketpair()")
    findings: list[str] = []
    evidence: list[EventId] = []
    for writer, reader in ways:
        sent, got, ids = _moved(calls, (writer, reader))
        evidence += ids
        written = counted(len(sent), "byte")
        findings.append(f"{written} written to {writer}, {len(got)} read from {reader}")
        if not sent or sent != got:
            return broken(findings[-1], evidence)
    return holds("; ".join(findings), evidence)


@claim(
    "A pipe's descriptor goes one way: the other way fails with EBADF.",
    source="pipe(7); write(2), EBADF; read(2), EBADF",
    statements=("S1",),
    name="pipe-one-way",
)
def goes_one_way_through_a_pipe(timeline: Timeline) -> Verdict:
    """A pipe's ends refuse the other's work with EBADF, and do their own."""
    calls = _sections(timeline).get(PIPES, [])
    ways = _ways(calls)
    if not ways:
        return undecided("the programs printed no pipe()")
    writer, reader = ways[0]
    wrong = [
        call
        for call in calls
        if (call.name in SEND_CALLS and _on(call, reader))
        or (call.name in READ_CALLS and _on(call, writer))
    ]
    evidence = [call.id for call in wrong]
    if {call.name in SEND_CALLS for call in wrong} != {True, False}:
        return undecided("the programs printed no try of the wrong way", evidence)
    if allowed := [call for call in wrong if call.error != "EBADF"]:
        return broken(f"{allowed[0].text} was not refused with EBADF", evidence)
    sent, got, ids = _moved(calls, ways[0])
    if not sent or sent != got:
        return broken(f"{counted(len(sent), 'byte')} written, {len(got)} read the right way", ids)
    return holds(
        f"write to {reader} and read from {writer}: EBADF; from {writer} to {reader}: "
        f"{counted(len(sent), 'byte')}",
        (*evidence, *ids),
    )


@claim(
    "The same exchange goes over an unnamed socket pair and over two pipes.",
    source="socketpair(2); pipe(7)",
    statements=("U5",),
    name="pipe-exchange",
)
def exchanges_alike_over_pipes(timeline: Timeline) -> Verdict:
    """The request and reply of the socketpair, over two pipes."""
    return _exchanges_alike(timeline, PIPES)


@claim(
    "The same exchange goes over two FIFOs.",
    source="fifo(7)",
    statements=("U6",),
    name="fifo-exchange",
)
def exchanges_alike_over_fifos(timeline: Timeline) -> Verdict:
    """The request and reply of the socketpair, over two FIFOs."""
    return _exchanges_alike(timeline, FIFOS)


@claim(
    "A unix socket has two buffers, one a direction: filling one until EAGAIN leaves the other "
    "free.",
    source="socket(7), SO_SNDBUF; send(2), EAGAIN",
    statements=("U4",),
    name="apart",
)
def fills_each_way_of_a_socketpair(timeline: Timeline) -> Verdict:
    """One way full, the other takes as much, delivers it, and leaves the first one full."""
    return _fills_each_way(timeline, SOCKETPAIR)


@claim(
    "Two pipes fill as the two directions of a socket do: each by itself.",
    source="pipe(7), Pipe capacity",
    statements=("U5",),
    name="pipe-fill",
)
def fills_each_way_of_pipes(timeline: Timeline) -> Verdict:
    """The same with two pipes."""
    return _fills_each_way(timeline, PIPES)


@claim(
    "Two FIFOs fill as the two directions of a socket do: each by itself.",
    source="fifo(7); pipe(7), Pipe capacity",
    statements=("U6",),
    name="fifo-fill",
)
def fills_each_way_of_fifos(timeline: Timeline) -> Verdict:
    """The same with two FIFOs."""
    return _fills_each_way(timeline, FIFOS)


@claim(
    "A direction is full once the memory that the writes take up reaches SO_SNDBUF: each write "
    "has an overhead, so that fewer bytes fit in by small writes.",
    source="socket(7), SO_SNDBUF; unix(7), SIOCOUTQ as measured",
    statements=("U4", "U5"),
    name="socket-size",
)
def holds_what_its_memory_allows(timeline: Timeline) -> Verdict:
    """A socket is full once what its writes weigh, overhead included, reaches SO_SNDBUF."""
    calls = _sections(timeline).get(SOCKETPAIR, [])
    ways = _ways(calls)
    limits = [call for call in calls if call.name == "getsockopt" and "SO_SNDBUF" in call.arguments]
    weights = [call for call in calls if call.name == "ioctl" and "SIOCOUTQ" in call.arguments]
    rounds = _rounds(calls, ways)
    if not limits or not weights or not rounds:
        return undecided("the programs printed no SO_SNDBUF, SIOCOUTQ or filled socketpair")
    limit = limits[0].result
    there = [call for call in weights if _on(call, ways[0][0])]
    evidence = [call.id for call in (limits[0], *there)]
    if len(there) != 2 * len(rounds):
        return undecided("SIOCOUTQ was not asked after the first write and when full", evidence)
    findings: list[str] = []
    pairs = zip(there[::2], there[1::2], strict=True)
    for (size, taken, _), (first, full) in zip(rounds, pairs, strict=True):
        weight, held = first.result, full.result
        findings.append(f"a write of {size} takes up {weight}, room for {counted(taken, 'byte')}")
        if not (size < weight and held - weight < limit <= held and taken < held):
            why = f"full at {held} of {limit} bytes of memory: {findings[-1]}"
            return broken(why, [first.id, full.id])
    if sorted(rounds) != sorted(rounds, key=lambda each: each[1]):
        return broken(f"smaller writes left more room: {'; '.join(findings)}", evidence)
    return holds(f"SO_SNDBUF is {limit}: {'; '.join(findings)}", evidence)


@claim(
    "A pipe or FIFO holds whole pages (16 by default), to the last byte, by small writes as by "
    "large ones.",
    source="pipe(7), Pipe capacity; fcntl(2), F_GETPIPE_SZ",
    statements=("U5", "U6"),
    name="pipe-size",
)
def holds_whole_pages(timeline: Timeline) -> Verdict:
    """Pipes and FIFOs take F_GETPIPE_SZ bytes, whole pages, however they are written."""
    pages = [c for calls in timeline.calls.values() for c in calls if c.name == "sysconf"]
    findings: list[str] = []
    evidence: list[EventId] = []
    for kind in (PIPES, FIFOS):
        calls = _sections(timeline).get(kind, [])
        ways = _ways(calls)
        limits = [call for call in calls if "F_GETPIPE_SZ" in call.arguments]
        rounds = _rounds(calls, ways)
        if not limits or not rounds or not pages:
            return undecided(f"the programs printed no size of {kind}, or did not fill them")
        limit, page = limits[0].result, pages[0].result
        evidence.append(limits[0].id)
        odd = [each for each in rounds if each[1] != limit]
        if odd or page <= 0 or limit % page:
            return broken(
                f"{kind}: of {limit} bytes {[taken for _, taken, _ in rounds]} were taken",
                evidence,
            )
        sizes = " and of ".join(str(size) for size, _, _ in rounds)
        pages_held = counted(limit // page, "page")
        findings.append(f"{kind}: {limit} bytes, {pages_held}, by writes of {sizes} each")
    return holds("; ".join(findings), evidence)


@claim(
    "A FIFO's open waits until its peer comes; for writing, without waiting, it fails with ENXIO.",
    source="fifo(7); open(2), ENXIO",
    statements=("U6",),
    name="fifo-open",
)
def opens_once_the_peer_comes(timeline: Timeline) -> Verdict:
    """A FIFO's open sleeps until the other end is opened; ENXIO where it may not sleep."""
    calls = next(iter(timeline.calls.values()), ())
    pipe = next((call for call in calls if call.name == "pipe"), None)
    opens = [call for call in calls if call.name == "open" and "O_WRONLY" in _words(call)]
    if pipe is None or not opens:
        return undecided("the program printed no open of a FIFO")
    refused = next((call for call in opens if "O_NONBLOCK" in _words(call)), None)
    peer = next((call for call in opens if call.result >= 0), None)
    ends = _pair(pipe)
    heard = [call for call in reads_of(calls) if ends and _on(call, ends[0])]
    if refused is None or refused.error != "ENXIO":
        return broken("an open that may not wait was not refused with ENXIO", [opens[0].id])
    if peer is None or len(heard) != 2:
        return undecided("the programs did not say before and after their opens", [refused.id])
    before, after = heard
    states = [c for c in reads_of(calls) if before.number < c.number < peer.number]
    polls = [c for c in calls if c.name == "poll" and before.number < c.number < peer.number]
    evidence = [call.id for call in (refused, before, *states, *polls, peer, after)]
    asleep = bool(states) and states[-1].data.rpartition(b")")[2].split()[:1] == [b"S"]
    if not asleep or not polls or polls[-1].result or after.number < peer.number:
        return broken("the open did not wait for the other end's", evidence)
    return holds(
        "O_WRONLY | O_NONBLOCK fails with ENXIO; another process sleeps in open(), silent, "
        "until the other end is opened, and says so only then",
        evidence,
    )


@claim(
    "One FIFO mixes all writers, while each unix connection is its own.",
    source="fifo(7); unix(7); accept(2)",
    statements=("U6",),
    name="fifo-mixes",
)
def mixes_the_writers_of_a_fifo(timeline: Timeline) -> Verdict:
    """One read of the FIFO has what every writer wrote; each connection has its own's alone."""
    reader, *writers = timeline.calls.values() if timeline.calls else [()]
    accepted = [call.result for call in reader if call.name == "accept"]
    mixed = [call for call in reads_of(reader) if call.name == "read"]
    own = [c for c in reads_of(reader) if any(_on(c, number) for number in accepted)]
    written = [call for calls in writers for call in sends_of(calls) if call.name == "write"]
    sent = [call for calls in writers for call in sends_of(calls) if call.name == "send"]
    if len(written) < 2 or not mixed or not own:
        return undecided("the programs printed no reading of two writers")
    evidence = [call.id for call in (*written, *mixed, *own)]
    data = mixed[0].data
    if len(data) != sum(c.result for c in written) or not all(c.data in data for c in written):
        return broken(f"the FIFO's first read got {data!r}: not what all writers wrote", evidence)
    if sorted(call.data for call in own) != sorted(call.data for call in sent):
        return broken("the connections did not keep the writers apart", evidence)
    replies = [call for calls in writers for call in reads_of(calls)]
    if not all(
        any(r.data.endswith(s.data) for r in replies if r.program == s.program) for s in sent
    ):
        return broken("a reply went to another's connection", evidence)
    return holds(
        f"one read of the FIFO gets {data!r}, from {len(written)} writers, and nothing says "
        f"which wrote what; {counted(len(own), 'connection')}: one message each, and its reply",
        evidence,
    )


def sizes_of_buffers(_: Timeline, fill: Timeline, *__: Timeline) -> Table:
    """What each way took before EAGAIN, by the size of the writes; and the limit that was set."""
    sections = _sections(fill)
    rows: list[tuple[str, ...]] = []
    for kind in (SOCKETPAIR, PIPES, FIFOS):
        calls = sections.get(kind, [])
        limits = [c for c in calls if any(name in c.arguments for name in LIMITS)]
        for size, there, back in _rounds(calls, _ways(calls)) or ():
            limit = f"{limits[0].argument(-1)} {limits[0].result}" if limits else "-"
            rows.append((kind, str(size), str(there), str(back), limit))
    head = ("", "bytes a write", "held there", "held back", "limit")
    return Table(head, tuple(rows), ("Until EAGAIN; one way stays full while the other fills.",))


def _exchanges_alike(timeline: Timeline, kind: str) -> Verdict:
    sections = _sections(timeline)
    moved: list[list[bytes]] = []
    evidence: list[EventId] = []
    for each in (SOCKETPAIR, kind):
        calls = sections.get(each, [])
        ways = _ways(calls)
        if len(ways) < 2:
            return undecided(f"the programs printed no exchange over {each}")
        moved.append([])
        for way in ways:
            sent, got, ids = _moved(calls, way)
            evidence += ids
            moved[-1].append(got)
            if not sent or sent != got:
                why = f"over {each}: {counted(len(sent), 'byte')} written, {len(got)} read"
                return broken(why, evidence)
    if moved[0] != moved[1]:
        return broken(f"{kind} carried {moved[1]}, {SOCKETPAIR} {moved[0]}", evidence)
    there, back = moved[1]
    return holds(
        f"{counted(len(there), 'byte')} there and {len(back)} back, the same over {SOCKETPAIR} "
        f"(one descriptor at each end) and over {kind} (two at each)",
        evidence,
    )


def _fills_each_way(timeline: Timeline, kind: str) -> Verdict:
    calls = _sections(timeline).get(kind, [])
    ways = _ways(calls)
    if len(ways) != 2:
        return undecided(f"the programs filled not {kind}")
    rounds = _rounds(calls, ways)
    if rounds is None:
        evidence = [c.id for c in calls if c.name in ("read", "write")]
        return broken(f"{kind}: a full way did not leave the other one free", evidence)
    evidence = [c.id for c in calls if c.error == "EAGAIN" or (c.name == "read" and c.result > 0)]
    findings = [f"{there} and {back} bytes by writes of {size}" for size, there, back in rounds]
    return holds(
        f"one way full (EAGAIN), the other took all it could and delivered it, and the first was "
        f"still full: {'; '.join(findings)}",
        evidence,
    )


def _rounds(calls: Sequence[PrintedCall], ways: Sequence[PrintedWay]) -> list[Round] | None:
    """What each filling took; None where the calls do not show just that of two ways.

    A filling: one way until EAGAIN, the other until EAGAIN; the other drained; the one still
    EAGAIN; then drained too.
    """
    if len(ways) != 2:
        return None
    (writer, reader), (back_writer, back_reader) = ways
    wanted = [
        ("write", writer, True), ("write", writer, False),
        ("write", back_writer, True), ("write", back_writer, False),
        ("read", back_reader, True), ("read", back_reader, False),
        ("write", writer, False),
        ("read", reader, True), ("read", reader, False),
    ]  # fmt: skip
    steps: list[tuple[tuple[str, object, bool], list[PrintedCall]]] = []
    for call in calls:
        if call.name in ("read", "write") and (call.result > 0 or call.error == "EAGAIN"):
            step = call.name, call.argument(0), call.result > 0
            if not steps or steps[-1][0] != step:
                steps.append((step, []))
            steps[-1][1].append(call)
    if not steps or [step for step, _ in steps] != wanted * (len(steps) // len(wanted)):
        return None
    rounds: list[Round] = []
    for at in range(0, len(steps), len(wanted)):
        first, _, back_first, _, back, _, _, there, _ = (calls for _, calls in steps[at : at + 9])
        if _letters(first) != _letters(there) or _letters(back_first) != _letters(back):
            return None
        taken, taken_back = (sum(call.result for call in calls) for calls in (there, back))
        rounds.append((first[0].result, taken, taken_back))
    return rounds


def _letters(calls: Iterable[PrintedCall]) -> set[str]:
    """What the blocks consist of: the demo prints a block as b'>' * 512."""
    return {str(call.argument(1))[:4] for call in calls if len(call.arguments) > 1}


def _sections(timeline: Timeline) -> dict[str, list[PrintedCall]]:
    """The calls by the kind of channel: from the first one's making to the next kind's."""
    sections: dict[str, list[PrintedCall]] = {}
    for calls in timeline.calls.values():
        kind = ""
        for call in calls:
            kind = _MAKERS.get(call.name, kind)
            if kind:
                sections.setdefault(kind, []).append(call)
    return sections


def _ways(calls: Iterable[PrintedCall]) -> list[PrintedWay]:
    """The ways that these calls made, in order: there, and back."""
    ways: list[PrintedWay] = []
    readers: dict[object, int] = {}
    writers: dict[object, int] = {}
    for call in calls:
        pair = _pair(call)
        if call.name == "socketpair" and pair:
            ways += [pair, pair[::-1]]
        elif call.name == "pipe" and pair:
            ways.append(pair[::-1])
        elif call.name == "open" and call.result >= 0 and call.arguments:
            ends = readers if "O_RDONLY" in _words(call) else writers
            ends[call.argument(0)] = call.result
    return ways + [(writers[path], readers[path]) for path in writers if path in readers]


def _pair(call: PrintedCall) -> PrintedWay | None:
    """The two descriptors that a call returned in its last argument."""
    match call.arguments:
        case (*_, [int(first), int(second)]):
            return first, second
    return None


def _moved(calls: Iterable[PrintedCall], way: PrintedWay) -> tuple[bytes, bytes, list[EventId]]:
    """What was written one way, what was read, and the calls that did."""
    calls = list(calls)
    writes = [call for call in sends_of(calls) if _on(call, way[0])]
    reads = [call for call in reads_of(calls) if _on(call, way[1]) and call.result]
    sent = b"".join(call.data[: call.result] for call in writes)
    return sent, b"".join(call.data for call in reads), [c.id for c in (*writes, *reads)]


def _on(call: PrintedCall, descriptor: int) -> bool:
    return call.arguments[:1] == (descriptor,)


def _words(call: PrintedCall) -> str:
    return str(call.argument(-1)) if call.arguments else ""
