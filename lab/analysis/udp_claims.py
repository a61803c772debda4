"""Checks of what UDP promises and what it does not, each on the one exchange of a step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise, permutations
from typing import TYPE_CHECKING

from lab.analysis.claims import Verdict, broken, frame_ids, holds, undecided
from lab.analysis.fragments import Piece, piece_of
from lab.analysis.packet import Ethernet, Icmp, IPv4, IPv6, Payload, Udp
from lab.analysis.transcript import reads_of, sends_of

if TYPE_CHECKING:
    from lab.analysis.crossing import Crossing
    from lab.analysis.timeline import Timeline
    from lab.analysis.transcript import Call

ETHERTYPES = {4: 0x0800, 6: 0x86DD}
PORT_UNREACHABLE = frozenset({(4, 3, 3), (6, 1, 4)})
MTU_BYTES = 1500
"""Of the lab's links, as of Ethernet. Source: RFC 894; RFC 2464, 2."""
UDP_HEADER_BYTES = 8
FRAGMENT_UNIT_BYTES = 8

Way = tuple[str, list["Call"], list["Call"], list["Crossing"]]
"""Its name, the calls that sent, the calls that read, the datagrams between."""


def begins_with_data(timeline: Timeline) -> Verdict:
    """The first frame after the neighbour is found is a datagram with payload."""
    first = next((c for c in timeline.crossings if not c.packet.resolves_neighbour), None)
    if first is None:
        return broken("no frame was seen but those that find the neighbour")
    event = frame_ids([first.number])
    if first.packet.udp is None or not first.packet.payload:
        return broken(f"f{first.number} comes first and carries no datagram's payload", event)
    size = len(first.packet.payload)
    return holds(f"f{first.number} comes first, and carries {size} bytes of payload", event)


def keeps_message_boundaries(timeline: Timeline) -> Verdict:
    """One send, one datagram, one read: the same bytes in each, both ways."""
    told: list[str] = []
    evidence: list[str] = []
    for way, sends, reads, datagrams in _ways(timeline):
        if not sends or not reads:
            return undecided(f"the programs printed no calls for {way}")
        evidence += [call.id for call in (*sends, *reads)] + _ids(datagrams)
        counts = f"{way}: {len(sends)} sends, {len(datagrams)} datagrams, {len(reads)} reads"
        # Sorted, because UDP does not promise to keep the order.
        sent, read = (sorted(call.data for call in calls) for calls in (sends, reads))
        if not sent == sorted(_payloads(datagrams)) == read:
            return broken(f"{counts}, and they are not cut alike", evidence)
        told.append(counts)
    return holds(f"{'; '.join(told)}: cut alike", evidence)


def delivers_the_empty_datagram(timeline: Timeline) -> Verdict:
    """A datagram without payload crosses; a read returns 0, and later ones return more."""
    for way, sends, reads, datagrams in _ways(timeline):
        if not sends or not reads:
            return undecided(f"the programs printed no calls for {way}")
        sent = [call for call in sends if not call.result]
        if not sent:
            continue
        empty = [c for c in datagrams if c.packet.udp and not c.packet.udp.payload_bytes]
        read = next((call for call in reads if not call.result), None)
        evidence = [call.id for call in sent] + _ids(empty)
        if not empty or empty[0].lost:
            return broken(f"{way}: no empty datagram arrived", evidence)
        if read is None:
            return broken(f"{way}: no read returned 0", evidence)
        later = [call for call in reads if call.number > read.number and call.result]
        evidence.append(read.id)
        if not later:
            return broken(f"{way}: nothing was read after the empty datagram", evidence)
        return holds(
            f"{sent[0].id} sends nothing in f{empty[0].number}, {read.id} returns 0, and "
            f"{later[0].id} returns {later[0].result}: it is not the end",
            [*evidence, later[0].id],
        )
    return broken("no program sent an empty datagram")


def answers_where_it_came_from(timeline: Timeline) -> Verdict:
    """recvfrom tells the source that the datagram has, and sendto goes where it says."""
    evidence: list[str] = []
    addresses: set[tuple[str, int]] = set()
    for way, sends, reads, datagrams in _ways(timeline):
        if not sends or not reads:
            return undecided(f"the programs printed no calls for {way}")
        for calls, side in ((sends, 1), (reads, 0)):
            for call in calls:
                told = _address(call)
                matching = [c for c in datagrams if _payloads([c]) == [call.data]]
                evidence += [call.id, *_ids(matching[:1])]
                if told is None or told not in {_ends(c)[side] for c in matching}:
                    what = "came from" if side == 0 else "went to"
                    return broken(f"no datagram {what} the address that {call.id} tells", evidence)
                addresses.add(told)
    pairs = " and ".join(f"{host} port {port}" for host, port in sorted(addresses))
    return holds(f"the datagrams' own addresses and the programs' are the same: {pairs}", evidence)


def is_not_acknowledged(timeline: Timeline) -> Verdict:
    """Every frame that does not find the neighbour is a datagram that a program sent."""
    ways = list(_ways(timeline))
    sends = [call for _, sends, _, _ in ways for call in sends]
    if not sends:
        return undecided("the programs printed no calls that send")
    datagrams = [crossing for *_, datagrams in ways for crossing in datagrams]
    if fault := _strangers(timeline, datagrams):
        return fault
    evidence = [call.id for call in sends] + _ids(datagrams)
    if len(datagrams) != len(sends):
        return broken(f"{len(sends)} sends and {len(datagrams)} datagrams", evidence)
    return holds(
        f"{len(sends)} sends and {len(datagrams)} frames: none acknowledges, none says farewell",
        evidence,
    )


def speaks_its_family_in_datagrams(*timelines: Timeline) -> Verdict:
    """Sockets of the domain, and every IP frame with its EtherType and version."""
    family = timelines[0].recording.family
    if family is None:
        return undecided("the scenario has no internet sockets")
    calls = [call for t in timelines for told in t.calls.values() for call in told]
    sockets = [call for call in calls if call.name == "socket"]
    if not sockets:
        return undecided("the programs printed no socket() call")
    evidence = [call.id for call in sockets]
    for call in sockets:
        if family.socket_domain not in call.arguments:
            return broken(f"{call.text} made a socket of another domain", evidence)
    frames = [c for t in timelines for c in t.crossings if not c.packet.resolves_neighbour]
    if not frames:
        return broken("no frame was seen but those that find the neighbour", evidence)
    for crossing in frames:
        ethernet, ip = crossing.packet.layers[0], crossing.packet.ip
        version = {IPv4: 4, IPv6: 6}.get(type(ip))
        typed = isinstance(ethernet, Ethernet) and ethernet.type == ETHERTYPES[family.value]
        if not typed or version != family.value:
            return broken(f"f{crossing.number} is no IPv{family.value} frame", _ids([crossing]))
    return holds(
        f"{len(sockets)} {family.socket_domain} sockets, and all {len(frames)} frames have "
        f"EtherType {ETHERTYPES[family.value]:#06x} and IP version {family.value}",
        [*evidence, *_ids(frames)],
    )


def loses_what_the_buffer_does_not_hold(timeline: Timeline) -> Verdict:
    """The wire carries all; the read a buffer full and MSG_TRUNC; the next read the next one."""
    way, sends, reads, datagrams = _only_way(timeline)
    if not sends or not reads:
        return undecided(f"the programs printed no calls for {way}")
    if fault := _strangers(timeline, datagrams):
        return fault
    evidence = [call.id for call in (*sends, *reads)] + _ids(datagrams)
    sent = [call.data for call in sends]
    if _payloads(datagrams) != sent:
        return broken("the datagrams on the wire are not what was sent", evidence)
    if len(reads) != len(sends):
        return broken(f"{len(sends)} datagrams were sent and {len(reads)} read", evidence)
    lost = 0
    for send, read in zip(sends, reads, strict=True):
        size = _buffer_bytes(read)
        if read.data != send.data[:size] or read.result != min(size, len(send.data)):
            return broken(f"{read.id} is not the beginning of what {send.id} sent", evidence)
        if ("MSG_TRUNC" in read.arguments) != (len(send.data) > size):
            return broken(f"{read.id}: MSG_TRUNC does not tell what was lost", evidence)
        lost += len(send.data) - read.result
    if not lost:
        return broken("no datagram was larger than the reader's buffer", evidence)
    return holds(
        f"{lost} bytes crossed the wire and were never read: {reads[0].id} got {reads[0].result} "
        f"of {len(sent[0])} and MSG_TRUNC, {reads[1].id} the next datagram",
        evidence,
    )


def cuts_into_fragments(timeline: Timeline) -> Verdict:
    """Fragments that fit the link and each other, of which the first alone has the UDP header."""
    pieces = [(c, piece) for c in timeline.crossings if (piece := piece_of(c.packet))]
    if not pieces:
        return broken("no fragment was seen")
    evidence = _ids(c for c, _ in pieces)
    if lost := [c for c, _ in pieces if c.lost]:
        return broken(f"f{lost[0].number} never arrived", evidence)
    ordered = sorted((piece for _, piece in pieces), key=lambda piece: piece.start)
    whole = [c for c, _ in pieces if c.packet.reassembled and c.packet.udp]
    fault = _misfit(ordered) or next(filter(None, (_oversize(c) for c, _ in pieces)), "")
    if fault or len(whole) != 1:
        return broken(fault or "they do not make up one datagram", evidence)
    udp = whole[0].packet.udp
    assert udp is not None, "only crossings with UDP were taken"
    first = next(c for c, piece in pieces if not piece.start)
    # The whole comes with the fragment that came last, which keeps none of its own bytes.
    if first is not whole[0] and _ports(first.packet.payload) != (
        udp.source_port,
        udp.destination_port,
    ):
        return broken(f"f{first.number} does not begin with the UDP header", evidence)
    if udp.length != ordered[-1].end:
        return broken(f"the UDP length is {udp.length}, the fragments' {ordered[-1].end}", evidence)
    if fault := _strangers(timeline, [*(c for c, _ in pieces), *_datagrams(timeline)]):
        return fault
    places = ", ".join(f"{piece.start}-{piece.end - 1}" for piece in ordered)
    return holds(
        f"{len(pieces)} fragments of datagram {ordered[0].identification:#06x}: bytes {places}; "
        f"only f{first.number} has the UDP header, which says {udp.length} bytes",
        evidence,
    )


def reads_fragments_as_one(timeline: Timeline) -> Verdict:
    """One read returns what one send gave, though it crossed in several frames."""
    way, sends, reads, datagrams = _only_way(timeline)
    if not sends or not reads:
        return undecided(f"the programs printed no calls for {way}")
    pieces = [c for c in timeline.crossings if piece_of(c.packet)]
    evidence = [call.id for call in (*sends, *reads)] + _ids(pieces)
    sent, read = (sorted(call.data for call in calls) for calls in (sends, reads))
    if len(pieces) < 2:
        return broken("nothing crossed in fragments", evidence)
    if not sent == sorted(_payloads(datagrams)) == read:
        return broken("what was sent, reassembled and read differs", evidence)
    whole = [c.packet.payload for c in datagrams if c.packet.reassembled]
    returned = [call for call in reads if call.data in whole]
    if not returned:
        return broken("no read returned what the fragments carried", evidence)
    return holds(
        f"{len(pieces)} fragments, and {returned[0].id} returns all {returned[0].result} bytes",
        evidence,
    )


def answers_port_unreachable(timeline: Timeline) -> Verdict:
    """For each datagram the error that quotes it, and nothing else."""
    datagrams = _datagrams(timeline)
    if not datagrams:
        return broken("no datagram was seen")
    errors = {c.number: _error_for(timeline, c) for c in datagrams}
    evidence = _ids(datagrams)
    for number, error in errors.items():
        if error is None:
            return broken(f"no port unreachable came back that quotes f{number}", evidence)
        evidence.append(f"f{error.number}")
    answers = [error for error in errors.values() if error is not None]
    if fault := _strangers(timeline, [*datagrams, *answers]):
        return fault
    icmp = answers[0].packet.icmp
    assert icmp is not None, "errors were found by their ICMP header"
    protocol = "ICMP" if icmp.version == 4 else "ICMPv6"
    pairs = ", ".join(f"f{error.number} quotes f{n}" for n, error in errors.items() if error)
    return holds(f"{protocol} type {icmp.type}, code {icmp.code}: {pairs}", evidence)


def tells_only_the_connected_socket(timeline: Timeline) -> Verdict:
    """ECONNREFUSED on the connected one; no error and no data on the other, which asked later."""
    calls = [call for told in timeline.calls.values() for call in told]
    connected = {_descriptor(c) for c in calls if c.name == "connect" and not c.result}
    sends = {_descriptor(call): call for call in sends_of(calls)}
    others = sends.keys() - connected
    if not connected or not others:
        return undecided("the programs printed no sends on a connected and an unconnected socket")
    refused = [c for c in calls if c.error == "ECONNREFUSED" and _descriptor(c) in connected]
    if not refused:
        return broken("no call on the connected socket said ECONNREFUSED", _call_ids(sends))
    asked = [c for c in calls if _asks_for_an_error(c) and _descriptor(c) in others]
    evidence = [*_call_ids(sends), refused[0].id, *(call.id for call in asked)]
    if {call.name for call in asked} < {"getsockopt", "recv"}:
        return undecided("the unconnected socket was not asked for its error", evidence)
    for call in asked:
        if call.error not in ("", "EAGAIN") or (call.name == "getsockopt" and [0] not in call.arguments):
            return broken(f"the unconnected socket was told by {call.id}", evidence)
    errors = {fd: _error_of(timeline, call) for fd, call in sends.items()}
    if missing := [sends[fd].id for fd, error in errors.items() if error is None]:
        return broken(f"no port unreachable came back for {missing[0]}", evidence)
    arrivals = {fd: error.time_ns for fd, error in errors.items() if error is not None}
    evidence += frame_ids(sorted(error.number for error in errors.values() if error))
    early = asked[0].number < refused[0].number
    if early or max(arrivals[fd] for fd in others) > max(arrivals[fd] for fd in connected):
        return undecided("the unconnected socket was asked before its error was there", evidence)
    return holds(
        f"{refused[0].id} fails with ECONNREFUSED; the unconnected socket, whose error came "
        "before, has SO_ERROR 0 and nothing to read",
        evidence,
    )


def _ways(timeline: Timeline) -> Iterator[Way]:
    """Both ways between each two hosts that have programs in the step."""
    hosts = list(dict.fromkeys(point.host for point in timeline.recording.points))
    datagrams = _datagrams(timeline)
    for near, far in permutations(hosts, 2):
        sends, reads = sends_of(_calls_on(timeline, near)), reads_of(_calls_on(timeline, far))
        between = [c for c in datagrams if (c.sender, c.receiver) == (near, far)]
        yield f"{near} to {far}", list(sends), list(reads), between


def _only_way(timeline: Timeline) -> Way:
    """The way of a step in which all is sent one way: the one with most in it."""
    return max(_ways(timeline), key=lambda way: sum(map(len, way[1:])))


def _calls_on(timeline: Timeline, host: str) -> list[Call]:
    runs = (run for run in timeline.programs if run.host == host)
    return [call for run in runs for call in timeline.calls[run.name]]


def _datagrams(timeline: Timeline) -> list[Crossing]:
    return [c for c in timeline.crossings if c.packet.udp is not None]


def _payloads(datagrams: Iterable[Crossing]) -> list[bytes]:
    """What each brought; a lost one brought nothing."""
    return [c.packet.payload for c in datagrams if not c.lost]


def _strangers(timeline: Timeline, known: Iterable[Crossing]) -> Verdict | None:
    """Broken, if there is a frame that neither is known nor finds a neighbour."""
    numbers = {crossing.number for crossing in known}
    strange = [
        c for c in timeline.crossings
        if c.number not in numbers and not c.packet.resolves_neighbour
    ]
    if not strange:
        return None
    return broken(f"f{strange[0].number} is a frame that has no part in it", _ids(strange))


def _ids(crossings: Iterable[Crossing]) -> list[str]:
    return [f"f{crossing.number}" for crossing in crossings]
