"""Checks of how TCP finds a size of segments that a smaller link on their way lets pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.packets.fragments import piece_of
from lab.analysis.packets.packet import IPv4
from lab.analysis.tcp.segment import UNTAKEN
from lab.checks.connections.waits import check_doubling
from lab.checks.counters import check_counted
from lab.checks.networks.too_big import ip_bytes, named_mtu, quotes, too_big_messages
from lab.checks.tcp import on_the_connection
from lab.model.claim import Verdict, broken, claim, first_of, holds, undecided
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.tcp.segment import Segment
    from lab.analysis.timeline import Timeline
    from lab.checks.tcp import Connection
    from lab.model.event import EventId

PROBING, BASE_MSS = "net.ipv4.tcp_mtu_probing", "net.ipv4.tcp_base_mss"
NOTHING_LOST = "no segment of the client's was too large for a link on its way"


@claim(
    "Each segment says that no router may cut it: DF is set.",
    source="RFC 1191, 3; ip(7), IP_MTU_DISCOVER",
    ipv6="No segment is cut: over IPv6 no router may, and the sender does not.",
    name="uncut",
)
@on_the_connection
def forbids_to_cut_it(connection: Connection) -> Verdict:
    """DF in every segment of both; over IPv6 no fragment of any."""
    sent = [crossing for crossing in connection.crossings.values() if not crossing.is_made]
    for crossing in sent:
        ip = crossing.packet.ip
        if isinstance(ip, IPv4) and not ip.dont_fragment:
            return broken(f"{crossing.id} has no DF", [crossing.id])
    if pieces := [each.id for each in connection.timeline.crossings if piece_of(each.packet)]:
        return broken(f"{pieces[0]} is a fragment", pieces)
    return holds(f"{len(sent)} segments", [crossing.id for crossing in sent])


@claim(
    "Once told the MTU, TCP sends the same bytes again in segments that fit.",
    source="RFC 1191, 6.4; RFC 8201, 5.4",
    name="told",
)
@on_the_connection
def sends_less_once_told(connection: Connection) -> Verdict:
    """What leaves behind the message begins where the lost segment did, fits, and arrives."""
    lost = _too_large(connection)
    message = _message_about(connection, lost[0]) if lost else None
    if not lost:
        return undecided(NOTHING_LOST)
    first = frame_id(lost[0].crossing)
    if message is None or message.received_ns is None:
        return undecided(f"nobody told the client what became of {first}", [first])
    mtu, evidence = named_mtu(message), [first, message.id]
    copies = [
        (each, connection.crossings[each.crossing])
        for each in _clients(connection)
        if each.seq < _end(lost[0]) and _end(each) > lost[0].seq
        and connection.crossings[each.crossing].time_ns > message.received_ns
    ]  # fmt: skip
    evidence += [crossing.id for _, crossing in copies]
    if not copies or mtu is None:
        return broken(f"{first} was not sent again once {message.id} had come", evidence)
    sizes = [ip_bytes(crossing.packet) for _, crossing in copies]
    if max(sizes) > mtu:
        return broken(f"a copy of {first} has {max(sizes)} bytes, not {mtu} at most", evidence)
    if gone := [crossing.id for _, crossing in copies if crossing.lost]:
        return broken(f"{gone[0]} did not arrive", evidence)
    at = lost[0].seq
    for each, _ in sorted(copies, key=lambda copy: copy[0].seq):
        at = max(at, _end(each)) if each.seq <= at else at
    if at < _end(lost[0]):
        return broken(f"not all of {first} was sent again", evidence)
    waited_ns = copies[0][1].time_ns - message.received_ns
    whole = ip_bytes(connection.crossings[lost[0].crossing].packet)
    cut = " and ".join(map(str, sizes))
    said = f"{message.id} names {mtu}; {waited_ns / 1e6:.2f} ms later {first}'s bytes go again"
    return holds(f"{said}, in packets of {cut} bytes for one of {whole}", evidence)


@claim(
    "Then the kernel knows the MTU of the path: IP_MTU, TCP_MAXSEG.",
    source="ip(7), IP_MTU; ipv6(7), IPV6_MTU; tcp(7), TCP_MAXSEG",
    name="known",
)
@on_the_connection
def knows_the_mtu(connection: Connection) -> Verdict:
    """IP_MTU was larger before and is what the message named; TCP_MAXSEG has become less."""
    messages = [each for each in too_big_messages(connection.timeline) if not each.lost]
    known, sizes = _asked(connection, "MTU"), _asked(connection, "TCP_MAXSEG")
    if len(known) < 2 or len(sizes) < 2:
        return undecided("the client did not print what it knew before and behind")
    evidence = [call.id for call in (known[0], known[-1], sizes[0], sizes[-1])]
    if not messages:
        return undecided("no message named an MTU", evidence)
    evidence.insert(0, messages[0].id)
    (before, after), (most, less) = _both(known), _both(sizes)
    said = f"IP_MTU was {before} and is {after}, TCP_MAXSEG was {most} and is {less}"
    if before > after == named_mtu(messages[0]) and less < min(most, after):
        return holds(said, evidence)
    return broken(f"{said}; {messages[0].id} names {named_mtu(messages[0])}", evidence)


@claim(
    "Where the message is lost the sender is told nothing: IP_MTU stays.",
    source="RFC 2923, 2.1; ip(7), IP_MTU",
    name="untold",
)
@on_the_connection
def is_told_nothing(connection: Connection) -> Verdict:
    """No message about any lost segment came, and IP_MTU is the same behind all."""
    lost = _too_large(connection)
    if not lost:
        return undecided(NOTHING_LOST)
    evidence = [frame_id(each.crossing) for each in lost]
    messages = too_big_messages(connection.timeline)
    evidence += [message.id for message in messages]
    if came := [message.id for message in messages if not message.lost]:
        return broken(f"{came[0]} came", evidence)
    if not messages:
        return undecided("no message was sent", evidence)
    known = _asked(connection, "MTU")
    said = f"{first_of([str(message.id) for message in messages])} were lost"
    if len(known) < 2:
        return holds(said, evidence)
    evidence += [known[0].id, known[-1].id]
    before, after = _both(known)
    if before != after:
        return broken(f"{said}; IP_MTU was {before} and is {after}", evidence)
    return holds(f"{said}; IP_MTU is {after}, as before", evidence)


@claim(
    "The same bytes are sent again in vain, each time after twice the wait.",
    source="RFC 6298, 5.5; RFC 2923, 2.1",
    name="hangs",
)
@on_the_connection
def times_out_again_and_again(connection: Connection) -> Verdict:
    """Between the copies of the first lost segment, up to the first that fits."""
    lost, fitting = _in_vain(connection)
    if not lost:
        return undecided(NOTHING_LOST)
    if len(lost) < 2:
        return broken("it was lost once alone", [frame_id(lost[0].crossing)])
    frames = [connection.crossings[each.crossing] for each in (*lost, *fitting)]
    evidence = [frame.id for frame in frames]
    timeouts = connection.timeline.counters(frames[0].sender)["TcpExtTCPTimeouts"]
    if timeouts is None or timeouts != len(frames) - 1:
        return undecided(f"TcpExtTCPTimeouts is {timeouts}, copies {len(frames) - 1}", evidence)
    return check_doubling([frame.time_ns for frame in frames], evidence)


@claim(
    "Then TCP tries segments of tcp_base_mss bytes, and these arrive.",
    source="RFC 4821, 7.2 and 7.7; Linux, networking/ip-sysctl.rst, tcp_mtu_probing",
    name="probes",
)
@on_the_connection
def tries_less_untold(connection: Connection) -> Verdict:
    """The first copy that arrives is that small, where the host's kernel probes so."""
    lost, fitting = _in_vain(connection)
    if not lost:
        return undecided(NOTHING_LOST)
    evidence = [frame_id(each.crossing) for each in (*lost, *fitting)]
    timeline, frames = connection.timeline, connection.crossings
    first = frames[lost[0].crossing]
    probing, base = (timeline.sysctl(first.sender, name) for name in (PROBING, BASE_MSS))
    if probing == "0" or base is None:
        return undecided(f"it is not known whether {first.sender} probes", evidence)
    if not fitting:
        return broken(f"no copy of {first.id} arrived", evidence)
    told = [each for each in too_big_messages(timeline) if not each.lost]
    if told:
        return undecided(f"{told[0].id} told it", [*evidence, told[0].id])
    again = frames[fitting[0].crossing]
    waited_ms = (again.time_ns - first.time_ns) / 1e6
    sizes = f"{fitting[0].length} bytes of data for {lost[0].length}"
    said = f"{again.id} has {sizes}, {waited_ms:.0f} ms after {first.id}; tcp_base_mss is {base}"
    right = fitting[0].length <= int(base) < lost[0].length
    return (holds if right else broken)(said, evidence)


@claim(
    "The router counts the packets that were too large to go on.",
    source="RFC 4293, ipSystemStatsOutFragFails; proc(5), /proc/net/snmp",
    ipv6="The router counts the packets that were too big to go on.",
    name="counted",
)
def counts_what_was_too_large(timeline: Timeline) -> Verdict:
    """IpFragFails, over IPv6 Ip6InTooBigErrors, of each router is what ended there."""
    counter = "Ip6InTooBigErrors"
    seen: dict[str, list[EventId]] = {}
    for crossing in timeline.crossings:
        if any(quotes(message, crossing) for message in too_big_messages(timeline)):
            if isinstance(crossing.packet.ip, IPv4):
                counter = "IpFragFails"
            if crossing.lost and crossing.hops:
                seen.setdefault(crossing.hops[-1].receiver, []).append(crossing.id)
    return check_counted(timeline, counter, seen)


def _clients(connection: Connection) -> list[Segment]:
    """The client's segments with data that its kernel sent."""
    return [
        each
        for each in connection.conversation.segments
        if each.from_client and each.length and not connection.crossings[each.crossing].is_made
    ]


def _too_large(connection: Connection) -> list[Segment]:
    """Those that a router threw away, as a message says, be that lost too."""
    return [
        each
        for each in _clients(connection)
        if connection.crossings[each.crossing].lost and _message_about(connection, each) is not None
    ]


def _in_vain(connection: Connection) -> tuple[list[Segment], list[Segment]]:
    """The copies of the first one too large, all of them lost; and the first that was not."""
    lost = _too_large(connection)
    copies = [each for each in _clients(connection) if lost and each.seq == lost[0].seq]
    taken = [each for each in copies if not each.notes & UNTAKEN]
    return [each for each in copies if each.notes & UNTAKEN], taken[:1]


def _message_about(connection: Connection, segment: Segment) -> Crossing | None:
    """The first message that quotes a segment and was sent behind it."""
    crossing = connection.crossings[segment.crossing]
    for message in too_big_messages(connection.timeline):
        if message.number > crossing.number and quotes(message, crossing):
            return message
    return None


def _asked(connection: Connection, option: str) -> list[PrintedCall]:
    """The client's getsockopt(2) of an option, with the value that it got."""
    names = (option, f"IP_{option}", f"IPV6_{option}")
    return [
        call
        for call in connection.client_calls
        if call.name == "getsockopt" and call.argument(2) in names and call.result == 0
    ]


def _both(calls: list[PrintedCall]) -> tuple[int, int]:
    """The first value and the last; 0 where none was printed."""
    first, last = (
        value[0] if isinstance(value := call.argument(3), list) and value else 0
        for call in (calls[0], calls[-1])
    )
    return first, last


def _end(segment: Segment) -> int:
    return segment.seq + segment.length
