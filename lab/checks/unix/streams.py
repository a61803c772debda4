"""Checks of unix sockets: no frames, two ends that are each other's peer, names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import reads_of, sends_of, sent_bytes
from lab.model.claim import Verdict, broken, claim, frame_ids, holds, skipped, undecided
from lab.model.counted import counted
from lab.records import InstrumentKind

if TYPE_CHECKING:
    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId
    from lab.records import ProgramRun, SocketSeen

WRITE_BITS = 0o222
ALL_BITS = 0o777


@claim(
    "Every byte sent is read, both ways, by programs on two hosts.",
    source="unix(7)",
    statements=("S1", "U1"),
    name="bytes",
)
def carries_every_byte(timeline: Timeline) -> Verdict:
    """Both ways, what one program sent and what the other read is the same."""
    findings: list[str] = []
    evidence: list[EventId] = []
    for way, sends, reads in _ways(timeline):
        if not sends or not reads:
            return undecided(f"the programs printed no calls for {way}")
        sent, read = sent_bytes(sends), b"".join(call.data for call in reads)
        evidence += [call.id for call in (*sends, *reads)]
        if sent != read:
            said = f"{way}: {counted(len(sent), 'byte')} sent, {len(read)} read, and they differ"
            return broken(said, evidence)
        findings.append(f"{way} {len(sent)}")
    if not findings:
        return undecided("there were not two programs")
    return holds(f"the same bytes sent and read: {', '.join(findings)}", evidence)


@claim(
    "The connection is two sockets, each the other's peer; what is sent waits in the other's.",
    source="sock_diag(7), UNIX_DIAG_PEER and UNIX_DIAG_RQLEN",
    statements=("U1",),
    name="two-ends",
)
def has_two_ends(timeline: Timeline) -> Verdict:
    """Each end's peer is the other's inode, and what was sent waits in the receiver's queue.

    What sock_diag(7) alone says otherwise than the programs' fstat(2), FIONREAD and sends decides
    nothing: one of the two is wrong.
    """
    if timeline.recording.unusable(InstrumentKind.UNIX_SOCKETS) is not None:
        return skipped("this kernel has no unix_diag (CONFIG_UNIX_DIAG), which shows the peers")
    ends = [call for call in _calls(timeline) if call.name == "fstat"]
    if len(ends) != 2 or not timeline.sockets:
        return undecided("the programs printed no inodes, or their sockets were not looked up")
    sends = [send for way in list(_ways(timeline))[:1] for send in way[1]]
    evidence = [call.id for call in (*ends, *sends)]
    by_inode = {seen.inode: seen for seen in timeline.sockets}
    server, client = (by_inode.get(_number(call, "st_ino")) for call in ends)
    if server is None or client is None:
        return undecided(
            "fstat and sock_diag contradict each other: the kernel shows no sockets with the "
            "programs' inodes",
            evidence,
        )
    # Linux makes the accepted end in the namespace that connect() came from.
    hosts = " and ".join(dict.fromkeys((client.host, server.host)))
    said = (
        f"{ends[1].program}'s end {client.inode} has peer {client.peer_inode}, "
        f"{ends[0].program}'s end {server.inode} has peer {server.peer_inode}, in the network "
        f"namespace of {hosts}; {counted(len(sent_bytes(sends)), 'byte')} sent and not read yet, "
        f"{server.receive_queue} in {ends[0].program}'s queue"
    )
    if _say_otherwise(timeline, client, server):
        return broken(said, evidence)
    fits = (
        client.peer_inode == server.inode
        and server.peer_inode == client.inode
        and client.state == server.state == "ESTABLISHED"
        and server.receive_queue == len(sent_bytes(sends)) > 0
    )
    if fits:
        return holds(said, evidence)
    return undecided(f"the programs' calls and sock_diag contradict each other: {said}", evidence)


def _say_otherwise(timeline: Timeline, client: SocketSeen, server: SocketSeen) -> bool:
    """Whether two witnesses say that these are no two ends, or that what was sent is not there.

    Each end is one of its peer, and the server's FIONREAD is one of its queue.
    """
    if client.peer_inode != server.inode and server.peer_inode != client.inode:
        return True
    if client.state == server.state != "ESTABLISHED":
        return True
    sent = sum(len(sent_bytes(way[1])) for way in list(_ways(timeline))[:1])
    waiting = [c for c in _calls(timeline) if c.name == "ioctl" and "FIONREAD" in c.arguments]
    counted_by_both = [call.argument(-1) for call in waiting[:1]] == [server.receive_queue]
    return counted_by_both and not server.receive_queue == sent > 0


@claim(
    "A path is reached from another network namespace, an abstract name is not.",
    source="unix(7), Address format; network_namespaces(7)",
    statements=("U1",),
    name="reach",
)
def reaches_a_path_from_another_host(conversation: Timeline, abstract: Timeline) -> Verdict:
    """A path is found by the other host; an abstract name by its own host alone."""
    path = _attempts(conversation)
    name = _attempts(abstract)
    evidence = [call.id for _, call in (*path, *name)]
    across = [call for is_near, call in path if not is_near]
    near = [call for is_near, call in name if is_near]
    far = [call for is_near, call in name if not is_near]
    if not across or not near or not far:
        return undecided("the programs printed no connect() from both hosts", evidence)
    if any(call.result for call in across):
        return broken(f"the path was not reached: {across[0].text} failed", evidence)
    if any(call.result for call in near):
        return broken(f"the name was not reached on its own host: {near[0].text}", evidence)
    if any(call.error != "ECONNREFUSED" for call in far):
        said = far[0].error or "success"
        return broken(f"another host's {far[0].text} met {said}, not ECONNREFUSED", evidence)
    if not _was_before(abstract, far[0], near[0]):
        return undecided("the server may have ended before the other host tried", evidence)
    return holds(
        f"{across[0].text} works from another host; {near[0].text} on the server's host only, "
        "ECONNREFUSED from the other while the server listens",
        evidence,
    )


@claim(
    "A bound path is a socket inode with mode bits: connect needs write permission.",
    source="unix(7), Pathname socket ownership and permissions",
    statements=("U2",),
    name="mode",
)
def is_guarded_by_mode_bits(timeline: Timeline) -> Verdict:
    """The path is a socket inode with mode 0777 less the umask; no write bit, no connect."""
    calls = _calls(timeline)
    masks = [call for call in calls if call.name == "umask"]
    seen = [call for call in calls if call.name == "stat"]
    forbidden = [i for i, c in enumerate(calls) if c.name == "chmod" and not _bits(c) & WRITE_BITS]
    if not masks or not seen or not forbidden:
        return undecided("the programs printed no umask, stat and chmod")
    before, after = calls[: forbidden[0]], calls[forbidden[0] :]
    allowed = next((call for call in before if call.name == "connect"), None)
    refused = next((call for call in after if call.name == "connect"), None)
    if allowed is None or refused is None:
        return undecided("the programs printed no connect before and after the chmod")
    evidence = [c.id for c in (masks[0], seen[0], allowed, calls[forbidden[0]], refused)]
    mode, expected = _number(seen[0], "mode"), ALL_BITS & ~_bits(masks[0])
    if _field(seen[0], "type") != "S_IFSOCK" or mode != expected:
        return broken(f"{seen[0].text}: not a socket with mode {expected:#o}", evidence)
    if allowed.result or refused.error != "EACCES":
        said = f"{allowed.error or 'success'}, and without {refused.error or 'success'}"
        return broken(f"connect with the write bit met {said}", evidence)
    return holds(
        f"S_IFSOCK with mode {mode:#o}; connect works, and gets EACCES once no write bit is set",
        evidence,
    )


@claim(
    "A path is in use as long as it exists; close does not remove it, unlink does.",
    source="unix(7), Pathname sockets; bind(2), EADDRINUSE",
    statements=("U2",),
    name="path-stays",
)
def keeps_its_path_until_it_is_removed(timeline: Timeline) -> Verdict:
    """A bound path refuses a second bind, even after its socket's close, until unlink."""
    calls = [call for call in _calls(timeline) if call.name != "bind" or _path(call)]
    found = _first_binding(calls)
    gone = next((i for i, call in enumerate(calls) if call.name == "unlink"), None)
    if found is None or gone is None or found[1] > gone:
        return undecided("the programs printed no bind, close and unlink of a path")
    bound, closed = found
    open_, dead, free = (
        _names(calls[a:b], "bind")
        for a, b in ((bound + 1, closed), (closed, gone), (gone, len(calls)))
    )
    evidence = [
        call.id for call in (calls[bound], *open_, calls[closed], *dead, calls[gone], *free)
    ]
    there = _names(calls[closed:gone], "stat")
    nobody = _names(calls[closed:gone], "connect")
    if not (open_ and dead and free and there and nobody):
        return undecided("not every bind that it takes was printed", evidence)
    if any(call.error != "EADDRINUSE" for call in (*open_, *dead)):
        return broken("a bind to a path that exists met no EADDRINUSE", evidence)
    if there[0].result or nobody[0].error != "ECONNREFUSED":
        said = f"{there[0].error or 'success'} and {nobody[0].error or 'success'}"
        return broken(f"stat and connect after the close met {said}", evidence)
    if free[0].result:
        return broken(f"after unlink, {free[0].text} met {free[0].error}", evidence)
    return holds(
        "EADDRINUSE while the socket is open and after its close, when the path is there with "
        "nobody behind it (ECONNREFUSED); bind works again after unlink",
        [*evidence, there[0].id, nobody[0].id],
    )


@claim(
    "An abstract name is gone with its socket.",
    source="unix(7), Abstract sockets",
    statements=("U2",),
    name="abstract-goes",
)
def frees_an_abstract_name_by_close(timeline: Timeline) -> Verdict:
    """An abstract name refuses a second bind while its socket is open, and no longer."""
    calls = [call for call in _calls(timeline) if call.name != "bind" or not _path(call)]
    found = _first_binding(calls)
    if found is None:
        return undecided("the programs printed no bind and close of an abstract name")
    bound, closed = found
    taken, free = _names(calls[bound + 1 : closed], "bind"), _names(calls[closed:], "bind")
    if not taken or not free:
        return undecided("not every bind that it takes was printed")
    evidence = [call.id for call in (calls[bound], taken[0], calls[closed], free[0])]
    said = f"{taken[0].error or 'success'} while it is open, {free[0].error or 'success'} after"
    if taken[0].error == "EADDRINUSE" and not free[0].result:
        return holds(f"a second bind meets {said} the close, with nothing to unlink", evidence)
    return broken(f"a second bind met {said} the close", evidence)


@claim(
    "The two ends of a socketpair have no name.",
    source="unix(7), Address format; socketpair(2)",
    statements=("U2",),
    name="unnamed",
)
def has_no_name_from_socketpair(timeline: Timeline) -> Verdict:
    """Getsockname of both ends is empty, and they talk both ways all the same."""
    calls = _calls(timeline)
    start = next((i for i, call in enumerate(calls) if call.name == "socketpair"), len(calls))
    names = _names(calls[start:], "getsockname")
    sends, reads = sends_of(calls[start:]), reads_of(calls[start:])
    evidence = [call.id for call in (*calls[start : start + 1], *names, *sends, *reads)]
    if len(names) != 2 or not sends:
        return undecided("the programs printed no socketpair, two getsockname and send", evidence)
    if any(call.arguments[1:] != ("",) for call in names):
        return broken(f"an end has a name: {names[0].text}, {names[1].text}", evidence)
    ways = {call.argument(0) for call in sends}
    if len(ways) != 2 or [c.data for c in sends] != [c.data for c in reads]:
        return broken("the ends did not talk both ways", evidence)
    return holds("both names are empty, and bytes went both ways", evidence)


@claim(
    "The same conversation over TCP inside one host does appear: on its lo, nowhere else.",
    source="RFC 1122, 3.2.1.3 (g); RFC 4291, 2.5.3",
    statements=("S2",),
    name="loopback",
)
def appears_on_loopback_alone(timeline: Timeline) -> Verdict:
    """One TCP connection, whose frames left and arrived on one host's `lo` and nowhere else."""
    ways = list(_ways(timeline))
    if not all(sends and reads for _, sends, reads in ways) or not ways:
        return undecided("the programs printed no calls both ways")
    if len(timeline.conversations) != 1:
        return broken(f"{len(timeline.conversations)} TCP connections were seen, not 1")
    evidence = frame_ids(numbers_of(timeline.crossings))
    loopbacks = {point.name for point in timeline.recording.points if point.interface == "lo"}
    for crossing in timeline.crossings:
        point = crossing.packet.frame.point
        if point not in loopbacks:
            return broken(f"{crossing.id} was seen at {point}", [crossing.id])
        if crossing.sent_ns is None or crossing.received_ns is None:
            return broken(f"{crossing.id} was seen once at {point}", [crossing.id])
    talk = timeline.conversations[0]
    for stream, (way, sends, _) in zip(
        (talk.client_to_server, talk.server_to_client), ways, strict=True
    ):
        if stream.data != sent_bytes(sends):
            sent = counted(len(sent_bytes(sends)), "byte")
            said = f"{way}: {sent} sent, {len(stream.data)} in frames"
            return broken(said, [*evidence, *(call.id for call in sends)])
    point = timeline.crossings[0].packet.frame.point
    return holds(
        f"{counted(len(timeline.crossings), 'frame')} at {point}, each seen as it left and as it "
        "arrived; none at any other device",
        evidence,
    )


def numbers_of(crossings: Iterable[Crossing]) -> list[int]:
    """The crossings' numbers."""
    return [crossing.number for crossing in crossings]


def _ways(
    timeline: Timeline,
) -> Iterable[tuple[str, tuple[PrintedCall, ...], tuple[PrintedCall, ...]]]:
    """Each way between the step's server and client: its name, sends and reads."""
    if len(timeline.programs) == 2:
        server, client = (timeline.calls[run.name] for run in timeline.programs)
        yield "client to server", sends_of(client), reads_of(server)
        yield "server to client", sends_of(server), reads_of(client)


def _calls(timeline: Timeline) -> list[PrintedCall]:
    """What all programs printed, one after the other."""
    return [call for run in timeline.programs for call in timeline.calls[run.name]]


def _attempts(timeline: Timeline) -> list[tuple[bool, PrintedCall]]:
    """Each connect(), and whether it was made on the host of the program that bound a name."""
    binders = {
        run.host
        for run in timeline.programs
        if any(call.name == "bind" for call in timeline.calls[run.name])
    }
    return [
        (run.host in binders, call)
        for run in timeline.programs
        for call in _names(timeline.calls[run.name], "connect")
    ]


def _was_before(timeline: Timeline, first: PrintedCall, second: PrintedCall) -> bool:
    """Whether the one's program said that it had tried before the other's began."""
    runs: dict[str, ProgramRun] = {run.name: run for run in timeline.programs}
    tried_ns = runs[first.program].ready_ns
    return tried_ns is not None and tried_ns <= runs[second.program].started_ns


def _first_binding(calls: Sequence[PrintedCall]) -> tuple[int, int] | None:
    """Where the first bind is, and where its descriptor is closed."""
    bound = next((i for i, call in enumerate(calls) if call.name == "bind"), None)
    if bound is None:
        return None
    number = calls[bound].arguments[:1]
    for i, call in enumerate(calls[bound:], start=bound):
        if call.name == "close" and call.arguments == number:
            return bound, i
    return None


def _names(calls: Iterable[PrintedCall], name: str) -> list[PrintedCall]:
    return [call for call in calls if call.name == name]


def _path(call: PrintedCall) -> bool:
    """Whether a bind is to a path."""
    return not str(call.arguments[-1:]).startswith("('@")


def _bits(call: PrintedCall) -> int:
    """The mode that is a call's last argument."""
    last = call.argument(-1) if call.arguments else None
    return last if isinstance(last, int) else 0


def _field(call: PrintedCall, name: str) -> object:
    """A field of the structure that a call's last argument is."""
    last = call.argument(-1) if call.arguments else None
    return last.get(name) if isinstance(last, dict) else None


def _number(call: PrintedCall, name: str) -> int:
    value = _field(call, name)
    return value if isinstance(value, int) else -1
