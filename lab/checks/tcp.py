"""Checks of what TCP promises, each on the one connection of a timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import reads_of, sends_of, sent_bytes
from lab.analysis.packets.packet import Ethernet, IPv4, Tcp, TcpFlags
from lab.analysis.tcp.conversation import Teardown
from lab.analysis.tcp.segment import UNTAKEN
from lab.frozen import frozen
from lab.model.claim import Verdict, broken, claim, frame_ids, holds, undecided
from lab.model.counted import counted
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.stream import Stream
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

MOST_PIECES = 8
"""As many sizes are named; of more calls, how many more there are."""


@frozen
class Connection:
    """The one TCP connection of a timeline, with what its two programs said of it."""

    timeline: Timeline
    conversation: TcpConversation
    crossings: dict[int, Crossing]
    client_calls: tuple[PrintedCall, ...]
    server_calls: tuple[PrintedCall, ...]

    def tcp(self, number: int) -> Tcp:
        """The TCP header of a crossing of this connection."""
        header = self.crossings[number].packet.tcp
        assert header is not None, "a conversation's crossings carry TCP"
        return header

    def directions(
        self,
    ) -> Iterator[tuple[str, Stream, tuple[PrintedCall, ...], tuple[PrintedCall, ...]]]:
        """For each way: its name, the bytes on the wire, the sends and the reads."""
        client, server = self.client_calls, self.server_calls
        talk = self.conversation
        yield "client to server", talk.client_to_server, sends_of(client), reads_of(server)
        yield "server to client", talk.server_to_client, sends_of(server), reads_of(client)


def on_the_connection(
    check: Callable[[Connection], Verdict],
) -> Callable[[Timeline], Verdict]:
    """A check of one connection as a check of a timeline, broken where there is not just one."""

    @wraps(check)
    def check_timeline(timeline: Timeline) -> Verdict:
        connection = connection_of(timeline)
        if connection is None:
            return broken(f"{len(timeline.conversations)} TCP connections were seen, not 1")
        return check(connection)

    return check_timeline


def connection_of(timeline: Timeline) -> Connection | None:
    """The connection of a timeline; None where it has none, or several."""
    if len(timeline.conversations) != 1:
        return None
    conversation = timeline.conversations[0]
    first = conversation.flow.crossings[0]
    from_client = conversation.segments[0].from_client
    client_host, server_host = (
        (first.sender, first.receiver) if from_client else (first.receiver, first.sender)
    )
    return Connection(
        timeline,
        conversation,
        {crossing.number: crossing for crossing in conversation.flow.crossings},
        _calls_on(timeline, client_host),
        _calls_on(timeline, server_host),
    )


@claim(
    "The connection opens with SYN, SYN-ACK and ACK, whose numbers fit.",
    source="RFC 9293, 3.5",
    statements=("T1", "I3"),
    name="opens",
    by_headers=True,
)
@on_the_connection
def opens_with_three_segments(connection: Connection) -> Verdict:
    """SYN, SYN-ACK, ACK, each acknowledging the other's number plus one."""
    handshake = connection.conversation.handshake
    if handshake is None:
        return broken("no whole handshake was seen", frame_ids(connection.crossings))
    numbers = (handshake.syn, handshake.syn_ack, handshake.ack)
    syn, syn_ack, ack = map(connection.tcp, numbers)
    evidence = frame_ids(numbers)
    fits = (
        _only(syn, TcpFlags.SYN)
        and _only(syn_ack, TcpFlags.SYN | TcpFlags.ACK)
        and _only(ack, TcpFlags.ACK)
        and syn_ack.ack == _next(syn.seq)
        and ack.seq == _next(syn.seq)
        and ack.ack == _next(syn_ack.seq)
    )
    said = (
        f"SYN {syn.seq}; SYN-ACK {syn_ack.seq} acknowledges {syn_ack.ack}; "
        f"ACK {ack.seq} acknowledges {ack.ack}"
    )
    return holds(said, evidence) if fits else broken(f"the numbers do not fit: {said}", evidence)


@claim(
    "No payload travels before the connection is open.",
    source="RFC 9293, 3.5",
    statements=("I3",),
    name="no-early-payload",
    by_headers=True,
)
@on_the_connection
def sends_no_payload_before_it_is_open(connection: Connection) -> Verdict:
    """The first segment with payload leaves after the handshake's last."""
    handshake = connection.conversation.handshake
    with_payload = [s.crossing for s in connection.conversation.segments if s.length]
    if handshake is None:
        return broken("the connection was not seen to open", frame_ids(with_payload[:1]))
    if not with_payload:
        return broken("no payload travelled at all", frame_ids([handshake.ack]))
    first = with_payload[0]
    evidence = frame_ids([handshake.ack, first])
    if first < handshake.ack:
        return broken(f"f{first} carries payload before the handshake's ACK", evidence)
    return holds(
        f"the handshake ends with f{handshake.ack}, payload begins with f{first}", evidence
    )


@claim(
    "The options in force are those that both sides offered in their SYN.",
    source="RFC 9293, 3.7.1; RFC 7323, 2.2 and 3.2; RFC 2018, 2",
    name="options",
    by_headers=True,
)
@on_the_connection
def uses_the_options_both_offered(connection: Connection) -> Verdict:
    """MSS kept; timestamps, SACK and window scaling only where both SYNs have them."""
    talk = connection.conversation
    if talk.agreed is None or talk.handshake is None:
        return broken("not both SYNs were seen")
    agreed = talk.agreed
    evidence = frame_ids([talk.handshake.syn, talk.handshake.syn_ack])
    for segment in talk.segments:
        header = connection.tcp(segment.crossing)
        is_syn = bool(header.flags & TcpFlags.SYN)
        limit = agreed.mss_to_server if segment.from_client else agreed.mss_to_client
        options_bytes = header.header_bytes - 20
        fault = None
        if segment.length + options_bytes > limit:
            fault = f"{counted(segment.length, 'byte')} of payload, over the MSS of {limit}"
        elif not is_syn and not header.flags & TcpFlags.RST:
            if (header.option("timestamps") is not None) != agreed.timestamps:
                fault = "timestamps are not as agreed (RFC 7323, 3.2)"
            elif header.option("sack") is not None and not agreed.sack_permitted:
                fault = "a SACK that was not agreed"
            elif header.option("window_scale") is not None:
                fault = "a window scale outside a SYN (RFC 7323, 2.2)"
        if fault:
            return broken(
                f"f{segment.crossing} has {fault}", (*evidence, frame_id(segment.crossing))
            )
    scale = agreed.window_scale
    in_force = [
        f"MSS {agreed.mss_to_server} to the server, {agreed.mss_to_client} to the client",
        f"window scale {scale[0]} (client) and {scale[1]} (server)" if scale else "",
        "SACK" if agreed.sack_permitted else "",
        "timestamps" if agreed.timestamps else "",
    ]
    return holds("in force: " + "; ".join(filter(None, in_force)), evidence)


@claim(
    "Every byte sent arrives, both ways: what is sent, seen and read is the same.",
    source="RFC 9293, 2.2; tcp(7)",
    statements=("S1", "S2", "I1"),
    name="bytes",
)
@on_the_connection
def delivers_every_byte(connection: Connection) -> Verdict:
    """What one program sent, what the wire carried and what the other read are the same."""
    findings: list[str] = []
    evidence: list[EventId] = []
    for way, stream, sends, reads in connection.directions():
        if not sends or not reads:
            return undecided(f"the programs printed no calls for {way}")
        sent, read = sent_bytes(sends), b"".join(call.data for call in reads)
        evidence += [call.id for call in (*sends, *reads)]
        if not sent == stream.data == read or stream.gaps:
            return broken(
                f"{way}: {counted(len(sent), 'byte')} sent, {len(stream.data)} on the wire, "
                f"{len(read)} read, and they differ",
                evidence,
            )
        findings.append(f"{way} {len(sent)}")
    return holds(f"the same bytes sent, on the wire and read: {', '.join(findings)}", evidence)


@claim(
    "A stream keeps no message boundaries: bytes are not read in the pieces that were sent.",
    source="RFC 9293, 3.9.1; socket(2), SOCK_STREAM",
    statements=("T1",),
    name="boundaries",
)
@on_the_connection
def keeps_no_message_boundaries(connection: Connection) -> Verdict:
    """The reads return other pieces of the stream than the sends made."""
    findings: list[str] = []
    evidence: list[EventId] = []
    kept = True
    for way, _, sends, reads in connection.directions():
        if not sends or not reads:
            return undecided(f"the programs printed no calls for {way}")
        to_server = way == "client to server"
        segments = [
            s for s in connection.conversation.segments if s.length and s.from_client == to_server
        ]
        full_reads = [call for call in reads if call.result > 0]
        read_bytes, sent_bytes = (sum(c.result for c in calls) for calls in (reads, sends))
        if read_bytes != sent_bytes:
            return broken(
                f"{way}: {counted(sent_bytes, 'byte')} sent, {read_bytes} read, so that the "
                "pieces cannot be compared",
                [call.id for call in (*sends, *reads)],
            )
        kept = kept and [c.result for c in sends] == [c.result for c in full_reads]
        findings.append(
            f"{way}: {counted(sent_bytes, 'byte')}, sent as {_pieces(sends)}, in "
            f"{counted(len(segments), 'segment')}, read as {_pieces(full_reads)}"
        )
        evidence += [call.id for call in (*sends, *full_reads)]
        evidence += frame_ids(s.crossing for s in segments)
    why = "; ".join(findings)
    return (
        broken(f"every read returned just one send. {why}", evidence)
        if kept
        else holds(why, evidence)
    )


def _pieces(calls: Sequence[PrintedCall]) -> str:
    """What each call sent or read: "7 + 26 + 15", of many "7 + 8 + ... (4 more)"."""
    sizes = [str(call.result) for call in calls[:MOST_PIECES]]
    more = len(calls) - len(sizes)
    return " + ".join([*sizes, f"... ({more} more)"] if more else sizes)


@claim(
    "Every byte is acknowledged.",
    source="RFC 9293, 3.4",
    statements=("I3",),
    name="acknowledged",
    by_headers=True,
)
@on_the_connection
def acknowledges_every_byte(connection: Connection) -> Verdict:
    """The highest acknowledgement of each side covers all that the other sent."""
    findings: list[str] = []
    evidence: list[EventId] = []
    for to_server in (True, False):
        segments = connection.conversation.segments
        ends = [
            s.seq + s.length + bool(s.flags & (TcpFlags.SYN | TcpFlags.FIN))
            for s in segments
            if s.from_client == to_server
        ]
        acks = [
            s
            for s in segments
            if s.from_client != to_server and s.ack is not None and not s.notes & UNTAKEN
        ]
        if not ends or not acks:
            return broken("one side never acknowledged", evidence)
        last = max(acks, key=lambda s: (s.ack or 0, -s.crossing))
        evidence.append(frame_id(last.crossing))
        way = "client's" if to_server else "server's"
        if (last.ack or 0) < max(ends):
            return broken(
                f"the {way} bytes end at {max(ends)}, acknowledged up to {last.ack}", evidence
            )
        findings.append(f"the {way} by f{last.crossing} (ack {last.ack})")
    return holds("last byte and FIN acknowledged: " + ", ".join(findings), evidence)


@claim(
    "Each direction closes with a FIN and its acknowledgement.",
    source="RFC 9293, 3.6",
    statements=("I3",),
    name="closes",
    by_headers=True,
)
@on_the_connection
def closes_each_direction(connection: Connection) -> Verdict:
    """A FIN each way, each acknowledged."""
    talk = connection.conversation
    ways = [("client", talk.client_to_server), ("server", talk.server_to_client)]
    evidence = [
        frame_id(number) for _, s in ways for number in (s.fin, s.fin_acked) if number is not None
    ]
    if talk.teardown is not Teardown.FIN:
        return broken(f"the connection ended otherwise: {talk.teardown.value}", evidence)
    for who, stream in ways:
        if stream.fin_acked is None:
            return broken(f"the {who}'s FIN was not acknowledged", evidence)
    said = ", ".join(f"the {who}'s FIN f{s.fin} by f{s.fin_acked}" for who, s in ways)
    return holds(f"acknowledged: {said}", evidence)


@claim(
    "AF_INET puts EtherType 0x0800 and IP version 4 on the wire.",
    source="ip(7); ipv6(7); RFC 894; RFC 2464, 3",
    statements=("D1", "I2"),
    ipv6="AF_INET6 puts EtherType 0x86dd and IP version 6 on the wire.",
    name="family",
    by_headers=True,
)
@on_the_connection
def speaks_its_family(connection: Connection) -> Verdict:
    """Sockets of the domain, and every frame of the flow with its EtherType and version."""
    family = connection.timeline.recording.family
    if family is None:
        return undecided("the scenario has no internet sockets")
    expected = family.ethertype
    sockets = [
        call
        for calls in (connection.client_calls, connection.server_calls)
        for call in calls
        if call.name == "socket"
    ]
    wrong = [call for call in sockets if family.socket_domain not in call.arguments]
    if not sockets:
        return undecided("the programs printed no socket() call")
    evidence = [call.id for call in sockets]
    if wrong:
        return broken(f"{wrong[0].text} made a socket of another domain", evidence)
    for crossing in connection.crossings.values():
        ethernet, ip = crossing.packet.layers[0], crossing.packet.ip
        fits = isinstance(ethernet, Ethernet) and ethernet.type == expected
        version = 4 if isinstance(ip, IPv4) else 6
        if not fits or version != family.value:
            return broken(f"{crossing.id} is no IPv{family.value} frame", [crossing.id])
    return holds(
        f"{family.socket_domain} sockets, and every frame ({len(connection.crossings)}) has "
        f"EtherType {expected:#06x} and IP version {family.value}",
        (*evidence, frame_id(min(connection.crossings))),
    )


def _calls_on(timeline: Timeline, host: str) -> tuple[PrintedCall, ...]:
    return tuple(
        call for run in timeline.programs if run.host == host for call in timeline.calls[run.name]
    )


def _only(tcp: Tcp, flags: TcpFlags) -> bool:
    """Whether of SYN, ACK, FIN and RST just these are set."""
    mask = TcpFlags.SYN | TcpFlags.ACK | TcpFlags.FIN | TcpFlags.RST
    return tcp.flags & mask == flags


def _next(seq: int) -> int:
    return (seq + 1) % (1 << 32)
