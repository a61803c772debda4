"""Checks of which sockets a kernel grants, and of what the rarer ones put on the wire."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv6Address
from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import reads_of, sends_of, sent_bytes
from lab.analysis.packets.packet import Ethernet, IPv4
from lab.model.claim import Verdict, broken, claim, frame_ids, holds, skipped, undecided
from lab.model.counted import counted
from lab.model.family import Family
from lab.model.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

INTERNET_DOMAINS = ("AF_INET", "AF_INET6")
SCTP = 132
SCTP_COMMON_HEADER_BYTES, SCTP_DATA_HEADER_BYTES = 12, 16
DATA_CHUNK, WHOLE_MESSAGE = 0, 0b11
NO_SUCH_TYPE = "ESOCKTNOSUPPORT"
MPTCP_OPTION, MP_CAPABLE = "multipath_tcp", 0


class Answer:
    """What the kernel answered to one socket(2), and what the socket then said of itself."""

    __slots__ = ("call", "options")

    def __init__(self, call: PrintedCall) -> None:
        self.call = call
        self.options: dict[str, str] = {}
        """By option (SO_TYPE), as names."""

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of domain, type and protocol."""
        return tuple(map(str, self.call.arguments))

    @property
    def granted(self) -> bool:
        """Whether there was a socket."""
        return self.call.result >= 0


@claim(
    "AF_UNIX grants SOCK_STREAM, SOCK_DGRAM and SOCK_SEQPACKET.",
    source="unix(7)",
    statements=("T4",),
    name="unix",
)
def grants_all_unix_types(timeline: Timeline) -> Verdict:
    """AF_UNIX: stream, datagram and seqpacket, and each is what was asked for."""
    wanted = ("SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET")
    answers = {a.asked[1]: a for a in _answers(timeline) if a.asked[0] == "AF_UNIX"}
    found = [answers[kind] for kind in wanted if kind in answers]
    if len(found) < len(wanted):
        return _nothing_printed("AF_UNIX")
    evidence = [answer.call.id for answer in found]
    for answer in found:
        if not answer.granted or answer.options.get("SO_TYPE") != answer.asked[1]:
            return broken(f"{answer.call.text} gave {_given(answer)}", evidence)
    return holds(f"AF_UNIX grants {', '.join(wanted)}", evidence)


@claim(
    "AF_INET and AF_INET6 grant SOCK_STREAM, which is TCP, and SOCK_DGRAM, which is UDP.",
    source="ip(7); ipv6(7)",
    statements=("T4",),
    name="internet",
)
def grants_internet_streams_and_datagrams(timeline: Timeline) -> Verdict:
    """Both internet domains: without a protocol named, a stream is TCP, datagrams are UDP."""
    own = {"SOCK_STREAM": "IPPROTO_TCP", "SOCK_DGRAM": "IPPROTO_UDP"}
    answers = {a.asked: a for a in _answers(timeline)}
    evidence: list[EventId] = []
    for domain in INTERNET_DOMAINS:
        for kind, protocol in own.items():
            answer = answers.get((domain, kind, "0"))
            if answer is None:
                return _nothing_printed(domain)
            evidence.append(answer.call.id)
            if (
                answer.options.get("SO_PROTOCOL") != protocol
                or answer.options.get("SO_TYPE") != kind
            ):
                return broken(f"{answer.call.text} gave {_given(answer)}", evidence)
    return holds("AF_INET and AF_INET6: SOCK_STREAM is TCP, SOCK_DGRAM is UDP", evidence)


@claim(
    "They grant SOCK_SEQPACKET only with SCTP; without it there is ESOCKTNOSUPPORT.",
    source="socket(2); RFC 6458, 3.1.1",
    statements=("T4",),
    name="seqpacket",
)
def grants_internet_seqpacket_with_sctp_only(timeline: Timeline) -> Verdict:
    """An internet SOCK_SEQPACKET socket speaks SCTP, or there is none: ESOCKTNOSUPPORT."""
    answers = [
        a
        for a in _answers(timeline)
        if a.asked[0] in INTERNET_DOMAINS and a.asked[1] == "SOCK_SEQPACKET"
    ]
    if not answers:
        return _nothing_printed("AF_INET, SOCK_SEQPACKET")
    granted = [answer for answer in answers if answer.granted]
    for answer in granted:
        if answer.options.get("SO_PROTOCOL") != "IPPROTO_SCTP":
            return broken(f"{answer.call.text} gave {_given(answer)}", [answer.call.id])
    # With SCTP there is the type, and what is wrong is the other protocol.
    expected = {"ESOCKTNOSUPPORT", "EPROTONOSUPPORT"} if granted else {"ESOCKTNOSUPPORT"}
    for answer in answers:
        if not answer.granted and answer.call.error not in expected:
            return undecided(
                f"{answer.call.text} was refused for another reason: {answer.call.error}",
                [answer.call.id],
            )
    evidence = [answer.call.id for answer in granted or answers]
    if granted:
        return holds("every SOCK_SEQPACKET socket granted is of IPPROTO_SCTP", evidence)
    return holds("this kernel has no SCTP, and each is refused with ESOCKTNOSUPPORT", evidence)


@claim(
    "SO_DOMAIN, SO_TYPE and SO_PROTOCOL say what was granted.",
    source="socket(7)",
    name="granted",
)
def says_what_it_granted(timeline: Timeline) -> Verdict:
    """SO_DOMAIN, SO_TYPE and SO_PROTOCOL are what was asked for, and the choice for 0."""
    granted = [answer for answer in _answers(timeline) if answer.granted]
    if not granted or not any(answer.options for answer in granted):
        return undecided("the programs printed no getsockopt() of a socket granted")
    exceptions: list[Answer] = []
    for answer in granted:
        domain, kind, protocol = answer.asked
        options = answer.options
        evidence = [answer.call.id]
        if options.get("SO_DOMAIN") != domain or protocol not in ("0", options.get("SO_PROTOCOL")):
            return broken(f"{answer.call.text} gave {_given(answer)}", evidence)
        if options.get("SO_TYPE") != kind:
            if (domain, kind) != ("AF_UNIX", "SOCK_RAW"):
                return broken(f"{answer.call.text} gave {_given(answer)}", evidence)
            exceptions.append(answer)
    but = "".join(f"; but {a.call.text} is {a.options.get('SO_TYPE')}" for a in exceptions)
    return holds(
        f"{counted(len(granted), 'socket')} granted, each as asked{but}",
        [a.call.id for a in granted],
    )


@claim(
    "A stream socket is of no use before connect(): ENOTCONN, and for a send EPIPE.",
    source="recv(2); getpeername(2); send(2)",
    statements=("T1",),
    name="unconnected",
)
def is_useless_before_connect(timeline: Timeline) -> Verdict:
    """A stream socket has no peer, reads nothing and sends nothing until it is connected."""
    calls, at = _calls_around_connect(timeline)
    before = {call.name: call for call in calls[:at]}
    after = {call.name: call for call in calls[at + 1 :] if call.result >= 0}
    wanted = ("getpeername", "recv", "send")
    accepts = [c for cs in timeline.calls.values() for c in cs if c.name == "accept"]
    if not all(name in before and name in after for name in wanted) or not accepts:
        return undecided("the programs did not print their calls before and after connect()")
    early, late = [before[name] for name in wanted], [after[name] for name in wanted]
    accepted = [call for call in accepts if call.result >= 0]
    evidence = [call.id for call in (*early, calls[at], *late, *accepted)]
    for call in early:
        # Linux: EPIPE for a send on an internet stream, where POSIX has ENOTCONN.
        allowed = ("ENOTCONN", "EPIPE") if call.name == "send" else ("ENOTCONN",)
        if call.error not in allowed:
            return broken(f"before connect() {call.text} returned {_outcome(call)}", evidence)
    if not accepted:
        return broken("no accept() returned a connection", evidence)
    if len(timeline.conversations) != 1:
        return broken(f"{len(timeline.conversations)} TCP connections were seen, not 1", evidence)
    carried = timeline.conversations[0].client_to_server.data
    if carried != sent_bytes(sends_of(calls[at:])):
        return broken(f"the wire carried {carried!r}, not what was sent after connect()", evidence)
    errors = ", ".join(f"{call.name} {call.error}" for call in early)
    return holds(
        f"before connect(): {errors}; after it each works, and the server accepts", evidence
    )


@claim(
    "An AF_INET6 socket reached by an IPv4 client speaks IPv4 on the wire.",
    source="ipv6(7); RFC 3493, 3.7",
    statements=("D1",),
    name="mapped",
)
def speaks_ipv4_to_an_ipv4_client(timeline: Timeline) -> Verdict:
    """An AF_INET6 socket's peer is a mapped address, and every frame is IPv4."""
    accepts = [
        call
        for calls in timeline.calls.values()
        if any(c.name == "socket" and "AF_INET6" in c.arguments for c in calls)
        for call in calls
        if call.name == "accept" and call.result >= 0
    ]
    if not accepts:
        return undecided("the programs printed no accept() on an AF_INET6 socket")
    evidence = [accepts[0].id]
    mapped = _mapped_address(accepts[0])
    if mapped is None:
        return broken(f"{accepts[0].text} returns no mapped address", evidence)
    if len(timeline.conversations) != 1:
        return broken(f"{len(timeline.conversations)} TCP connections were seen, not 1", evidence)
    flow = timeline.conversations[0].flow
    for crossing in flow.crossings:
        ethernet = crossing.packet.layers[0]
        is_ipv4 = isinstance(ethernet, Ethernet) and ethernet.type == Family.IPV4.ethertype
        if not is_ipv4 or not isinstance(crossing.packet.ip, IPv4):
            return broken(f"{crossing.id} is no IPv4 frame", [crossing.id])
    evidence += frame_ids(crossing.number for crossing in flow.crossings)
    if str(flow.a.address) != mapped:
        return broken(f"accept() returns {mapped}, the wire {flow.a.address}", evidence)
    return holds(
        f"accept() returns ::ffff:{mapped}; every frame ({len(flow.crossings)}) has EtherType "
        f"0x0800 and IP version 4, the client's come from {mapped}",
        evidence,
    )


@claim(
    "SOCK_SEQPACKET over SCTP keeps every message whole; its frames are IP protocol 132.",
    source="RFC 6458, 3.1; RFC 9260, 3.3.1",
    statements=("T4",),
    name="sctp",
)
def keeps_messages_over_sctp(timeline: Timeline) -> Verdict:
    """Each message sent is one DATA chunk and one read; the frames are IP protocol 132."""
    answers = _answers(timeline)
    if refused := [answer for answer in answers if not answer.granted]:
        return _lacking("SCTP", refused[0])
    pairs = [(sends_of(calls), reads_of(calls)) for calls in timeline.calls.values()]
    if len(answers) < 2 or not all(sends and reads for sends, reads in pairs):
        return undecided("the programs printed no messages sent and read")
    chunks: list[EventId] = []
    for (name, calls), (_, peer_reads) in zip(timeline.calls.items(), reversed(pairs), strict=True):
        sends = sends_of(calls)
        host = next(run.host for run in timeline.programs if run.name == name)
        carried = _sctp_messages(c for c in timeline.crossings if c.sender == host)
        evidence = [call.id for call in (*sends, *peer_reads)]
        evidence += frame_ids(crossing.number for crossing, _ in carried)
        sent, read = [c.data for c in sends], [c.data for c in peer_reads]
        if not sent == read == [message for _, message in carried]:
            return broken(
                f"{name} sent {counted(len(sent), 'message')}: {len(carried)} on the wire, "
                f"{len(read)} read, and they differ",
                evidence,
            )
        chunks += evidence
    messages = sum(len(sends) for sends, _ in pairs)
    return holds(f"{messages} messages, each one DATA chunk and one read", chunks)


@claim(
    "Multipath TCP is a stream to its programs; its handshake is TCP's with option 30.",
    source="RFC 8684, 3.1",
    name="mptcp",
)
def opens_multipath(timeline: Timeline) -> Verdict:
    """The handshake's three segments carry MP_CAPABLE; else it is a TCP connection."""
    answers = _answers(timeline)
    if refused := [answer for answer in answers if not answer.granted]:
        return _lacking("Multipath TCP", refused[0])
    if not answers:
        return undecided("the programs printed no socket() call")
    evidence = [answer.call.id for answer in answers]
    if len(timeline.conversations) != 1:
        return broken(f"{len(timeline.conversations)} TCP connections were seen, not 1", evidence)
    conversation = timeline.conversations[0]
    handshake = conversation.handshake
    if handshake is None:
        return broken("no whole handshake was seen", evidence)
    numbers = (handshake.syn, handshake.syn_ack, handshake.ack)
    evidence += frame_ids(numbers)
    versions: set[int] = set()
    for crossing in conversation.flow.crossings:
        if crossing.number in numbers:
            option = crossing.packet.tcp and crossing.packet.tcp.option(MPTCP_OPTION)
            value = option.value if option else b""
            if not isinstance(value, bytes) or not value or value[0] >> 4 != MP_CAPABLE:
                why = f"{crossing.id} has no MP_CAPABLE: the connection is plain TCP"
                return broken(why, evidence)
            versions.add(value[0] & 15)
    client, server = _calls_around_connect(timeline)[0], _accepting_calls(timeline)
    exchanged = 0
    for sent, read, stream in (
        (client, server, conversation.client_to_server),
        (server, client, conversation.server_to_client),
    ):
        data = sent_bytes(sends_of(sent))
        if not data == b"".join(call.data for call in reads_of(read)) == stream.data:
            return broken("what was sent, on the wire and read is not the same", evidence)
        exchanged += len(data)
    if not exchanged:
        return undecided("the programs printed no bytes sent and read", evidence)
    said = ", ".join(map(str, sorted(versions)))
    return holds(
        f"option 30, MP_CAPABLE, version {said}, in all three segments; "
        f"{counted(exchanged, 'byte')} sent, on the wire and read",
        evidence,
    )


def sockets_granted(table: Timeline, *_: Timeline) -> Table:
    """What the kernel grants by domain and type: the protocols, or the error where there is none.

    An error is that of protocol 0.
    """
    answers = _answers(table)
    domains = dict.fromkeys(answer.asked[0] for answer in answers)
    types = dict.fromkeys(answer.asked[1] for answer in answers)
    rows = (
        (domain, *(_cell([a for a in answers if a.asked[:2] == (domain, kind)]) for kind in types))
        for domain in domains
    )
    notes = (
        'A protocol that is named is granted, "yes" is protocol 0, an error is that of protocol 0.',
        f"-  {NO_SUCH_TYPE}: the domain has no such type.",
    )
    return Table(("", *types), tuple(rows), notes)


def _cell(answers: Sequence[Answer]) -> str:
    """ "TCP, MPTCP", "yes", "EPERM"; "-" where the domain has no such type, "" if nobody asked."""
    if not answers:
        return ""
    granted = [answer for answer in answers if answer.granted]
    names = [a.options.get("SO_PROTOCOL", "0").removeprefix("IPPROTO_") for a in granted]
    types = {a.options.get("SO_TYPE", "") for a in granted} - {answers[0].asked[1]}
    if types:
        return f"as {types.pop()}"
    if granted:
        return ", ".join(dict.fromkeys(name for name in names if name != "0")) or "yes"
    return "-" if answers[0].call.error == NO_SUCH_TYPE else answers[0].call.error


def _answers(timeline: Timeline) -> list[Answer]:
    """Every socket() of the step's programs, with the getsockopt() calls that follow it."""
    answers: list[Answer] = []
    for calls in timeline.calls.values():
        for call in calls:
            if call.name == "socket" and len(call.arguments) == 3:
                answers.append(Answer(call))
            elif call.name == "getsockopt" and answers and answers[-1].granted:
                option, value = (*map(str, call.arguments[2:4]), "", "")[:2]
                answers[-1].options[option] = value.strip("[]")
    return answers


def _given(answer: Answer) -> str:
    if not answer.granted:
        return answer.call.error
    return ", ".join(f"{option} {value}" for option, value in answer.options.items()) or "a socket"


def _outcome(call: PrintedCall) -> str:
    return call.error or str(call.result)


def _nothing_printed(what: str) -> Verdict:
    return undecided(f"the programs printed no socket({what}, ...) of each kind")


def _lacking(what: str, refused: Answer) -> Verdict:
    call = refused.call
    return skipped(f"this kernel grants no {what}: {call.text} gave {call.error}", [call.id])


def _calls_around_connect(timeline: Timeline) -> tuple[tuple[PrintedCall, ...], int]:
    """The calls of the program that connects, and the position of its connect()."""
    for calls in timeline.calls.values():
        for at, call in enumerate(calls):
            if call.name == "connect" and call.result == 0:
                return calls, at
    return (), 0


def _accepting_calls(timeline: Timeline) -> tuple[PrintedCall, ...]:
    """The calls of the program that accepts."""
    accepting = (
        calls
        for calls in timeline.calls.values()
        if any(call.name == "accept" and call.result >= 0 for call in calls)
    )
    return next(accepting, ())


def _mapped_address(accept: PrintedCall) -> str | None:
    """The IPv4 address that a peer's IPv6 address holds."""
    address = next((a[0] for a in accept.arguments if isinstance(a, tuple) and a), "")
    try:
        mapped = IPv6Address(str(address)).ipv4_mapped
    except AddressValueError:
        return None
    return str(mapped) if mapped else None


def _sctp_messages(crossings: Iterable[Crossing]) -> list[tuple[Crossing, bytes]]:
    """The DATA chunks that hold a whole message, in order; one sent again counts once."""
    found: dict[int, tuple[Crossing, bytes]] = {}
    for crossing in crossings:
        ip = crossing.packet.ip
        protocol = ip.protocol if isinstance(ip, IPv4) else ip.next_header if ip else None
        if protocol == SCTP:
            for number, message in whole_messages(crossing.packet.payload):
                found.setdefault(number, (crossing, message))
    return list(found.values())


def whole_messages(packet: bytes) -> Iterator[tuple[int, bytes]]:
    """(transmission sequence number, message) of the DATA chunks that hold a whole message.

    `packet` is an SCTP packet from its common header on. Source: RFC 9260, 3 and 3.3.1.
    """
    at = SCTP_COMMON_HEADER_BYTES
    while at + 4 <= len(packet):
        kind, flags, length = packet[at], packet[at + 1], int.from_bytes(packet[at + 2 : at + 4])
        if length < 4 or at + length > len(packet):
            return
        if (
            kind == DATA_CHUNK
            and length >= SCTP_DATA_HEADER_BYTES
            and flags & WHOLE_MESSAGE == WHOLE_MESSAGE
        ):
            number = int.from_bytes(packet[at + 4 : at + 8])
            yield number, packet[at + SCTP_DATA_HEADER_BYTES : at + length]
        at += (length + 3) // 4 * 4
