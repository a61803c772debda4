"""Checks of raw and packet sockets, and of a TCP connection made by hand past the kernel."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import reads_of, sends_of, sent_bytes
from lab.analysis.packets.packet import Ethernet, IPv4, TcpFlags
from lab.model.claim import Verdict, broken, claim, frame_ids, holds, skipped, undecided
from lab.model.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.timeline import Timeline

EXPERIMENT = 253
"""The protocol number of the packets that raw sockets exchange. Source: RFC 3692, 2.1."""
ETHERNET_HEADER_BYTES, IPV6_HEADER_BYTES = 14, 40
IPV4_CHECKSUM = slice(10, 12)
INTERNET_DOMAINS = frozenset({"AF_INET", "AF_INET6"})
PACKET_DOMAIN = frozenset({"AF_PACKET"})
RESETTING = TcpFlags.RST
ANSWERING = TcpFlags.SYN | TcpFlags.ACK


@claim(
    "Without CAP_NET_RAW there is no raw socket and no packet socket: EPERM.",
    source="raw(7); packet(7); capabilities(7)",
    statements=("T5",),
    name="permission",
)
def needs_the_capability(timeline: Timeline) -> Verdict:
    """Without CAP_NET_RAW every raw internet socket and packet socket is refused: EPERM."""
    asked = [
        call
        for call in _socket_calls(timeline)
        if str(call.argument(0)) in PACKET_DOMAIN
        or (str(call.argument(0)) in INTERNET_DOMAINS and call.argument(1) == "SOCK_RAW")
    ]
    missing = {*INTERNET_DOMAINS, *PACKET_DOMAIN} - {str(call.argument(0)) for call in asked}
    if missing:
        return undecided(f"the programs printed no socket() of {', '.join(sorted(missing))}")
    evidence = [call.id for call in asked]
    for call in asked:
        if call.error != "EPERM":
            return broken(f"{call.text} gave {call.error or call.result}", [call.id])
    return holds(f"EPERM for each of {len(asked)} sockets asked for", evidence)


@claim(
    "AF_UNIX takes SOCK_RAW and makes it SOCK_DGRAM.",
    source="socket(7), SO_TYPE; Linux, net/unix/af_unix.c",
    statements=("T5",),
    name="unix",
)
def makes_unix_raw_a_datagram_socket(timeline: Timeline) -> Verdict:
    """AF_UNIX takes SOCK_RAW, and SO_TYPE then says SOCK_DGRAM."""
    for calls in timeline.calls.values():
        for call, after in pairwise(calls):
            if call.name != "socket" or call.arguments[:2] != ("AF_UNIX", "SOCK_RAW"):
                continue
            evidence = [call.id, after.id]
            if call.result < 0:
                return broken(f"{call.text} gave {call.error}", evidence[:1])
            if "[SOCK_DGRAM]" not in after.arguments:
                return broken(f"then {after.text}", evidence)
            return holds(f"{call.text} is granted, and SO_TYPE says SOCK_DGRAM", evidence)
    return undecided("the programs printed no socket(AF_UNIX, SOCK_RAW, ...) and its SO_TYPE")


@claim(
    "An AF_INET raw socket receives the IP header with the packet.",
    source="raw(7); RFC 3542, 3",
    statements=("T5",),
    ipv6="An AF_INET6 raw socket receives what follows the IP header, not the header.",
    name="header",
)
def receives_the_ip_header_over_ipv4_only(timeline: Timeline) -> Verdict:
    """AF_INET: the whole packet as on the wire; AF_INET6: what follows the IPv6 header."""
    domain, reads = _receiver(timeline, INTERNET_DOMAINS, "SOCK_RAW")
    cut = ETHERNET_HEADER_BYTES + (IPV6_HEADER_BYTES if domain == "AF_INET6" else 0)
    given = "what follows the IPv6 header" if domain == "AF_INET6" else "the IP header and all"
    return _compare(timeline, reads, lambda frame: frame[cut:], f"{domain} gives {given}")


@claim(
    "AF_PACKET SOCK_RAW receives whole frames, from the Ethernet header on.",
    source="packet(7)",
    statements=("T5",),
    name="frames",
)
def receives_whole_frames(timeline: Timeline) -> Verdict:
    """AF_PACKET SOCK_RAW: every byte from the link-layer header on."""
    _, reads = _receiver(timeline, PACKET_DOMAIN, "SOCK_RAW")
    return _compare(timeline, reads, lambda frame: frame, "each read is a whole frame")


@claim(
    "AF_PACKET SOCK_DGRAM receives them without that header, whose fields its address holds.",
    source="packet(7)",
    name="cooked",
)
def receives_cooked_frames(timeline: Timeline) -> Verdict:
    """AF_PACKET SOCK_DGRAM: no link-layer header, but the address has what it said."""
    _, reads = _receiver(timeline, PACKET_DOMAIN, "SOCK_DGRAM")
    verdict = _compare(
        timeline,
        reads,
        lambda frame: frame[ETHERNET_HEADER_BYTES:],
        "each read begins behind the Ethernet header, and its address has EtherType and sender",
    )
    for call, crossing in zip(reads, _arrived(timeline), strict=False):
        ethernet = crossing.packet.layers[0]
        address = next((a for a in call.arguments if isinstance(a, tuple)), ())
        hardware = address[-1] if address and isinstance(address[-1], bytes) else b""
        fits = isinstance(ethernet, Ethernet) and (
            address[1:2] == (ethernet.type,) and hardware.hex(":") == ethernet.source
        )
        if not fits:
            return broken(
                f"{call.id} has the address {address}, not that of {crossing.id}",
                [call.id, crossing.id],
            )
    return verdict


@claim(
    "With IP_HDRINCL, or IPV6_HDRINCL, the IP header on the wire is the program's own.",
    source="raw(7); Linux, include/uapi/linux/in6.h",
    statements=("T5",),
    name="hdrincl",
)
def sends_the_header_we_wrote(timeline: Timeline) -> Verdict:
    """With IP_HDRINCL the packet on the wire is ours to the byte, but for IPv4's checksum."""
    for calls in timeline.calls.values():
        for asked, sent in pairwise(calls):
            if asked.name == "setsockopt" and _is_hdrincl(asked):
                if asked.result < 0:
                    why = f"this kernel has no such option: {asked.text} gave {asked.error}"
                    return skipped(why, [asked.id])
                return _check_header(timeline, asked, sent)
    return undecided("the programs printed no setsockopt() of IP_HDRINCL or IPV6_HDRINCL")


@claim(
    "A kernel resets a connection that a program began past it: it knows of none.",
    source="RFC 9293, 3.5.2",
    name="uninvited",
)
def resets_what_it_does_not_know(timeline: Timeline) -> Verdict:
    """The SYN-ACK to a SYN made by hand is answered by the kernel with a RST."""
    written = [call.data for call in _hand_written(timeline)]
    if not written:
        return undecided("the programs printed no frame sent by hand")
    talk = next((c for c in timeline.conversations if _frame(c, 0) in written), None)
    if talk is None:
        return broken("no SYN made by hand was seen")
    numbers = [segment.crossing for segment in talk.segments]
    evidence = list(frame_ids(numbers))
    flags = [segment.flags & (RESETTING | ANSWERING) for segment in talk.segments]
    if ANSWERING not in flags:
        return broken("the SYN made by hand was not answered with a SYN-ACK", evidence)
    resets = [n for n, s in enumerate(talk.segments) if s.flags & RESETTING and s.from_client]
    if not resets:
        return broken("the kernel sent no RST", evidence)
    syn_ack, reset = flags.index(ANSWERING), resets[0]
    if _frame(talk, reset) in written:
        return broken(f"f{numbers[reset]} was written by the program", evidence)
    if reset < syn_ack or talk.segments[reset].seq != talk.segments[syn_ack].ack:
        return broken(f"f{numbers[reset]} is no answer to f{numbers[syn_ack]}", evidence)
    accepts = [c for cs in timeline.calls.values() for c in cs if c.name == "accept"]
    for call in accepts:
        if any(isinstance(a, tuple) and a[1:] == (talk.flow.a.port,) for a in call.arguments):
            return broken(f"{call.text} accepted it all the same", [*evidence, call.id])
    return holds(
        f"SYN f{numbers[0]} by hand, SYN-ACK f{numbers[syn_ack]}, and RST f{numbers[reset]}, "
        "which the program did not write; no accept() returned it",
        [*evidence, *(call.id for call in accepts)],
    )


@claim(
    "From an address that the kernel does not own no RST goes out: the program's frames only.",
    source="RFC 1122, 3.2.1.3; packet(7), PACKET_OTHERHOST",
    name="unowned",
)
def leaves_an_unowned_address_alone(timeline: Timeline) -> Verdict:
    """Every frame that left the host was written by the program: the kernel sent none."""
    sends = _hand_written(timeline)
    if not sends:
        return undecided("the programs printed no frame sent by hand")
    host = next(run.host for run in timeline.programs if run.name == sends[0].program)
    left = [crossing for crossing in timeline.crossings if crossing.sender == host]
    answers = [
        crossing.number
        for crossing in timeline.crossings
        if crossing.sender != host
        and crossing.packet.tcp
        and crossing.packet.tcp.flags & ANSWERING == ANSWERING
    ]
    if not answers:
        return broken("no SYN-ACK came that the kernel could have reset")
    unseen = Counter(call.data for call in sends)
    for crossing in left:
        data = crossing.packet.frame.data
        if not unseen[data]:
            what = "a RST" if _has_reset(crossing) else "a frame"
            why = f"{crossing.id} is {what} that the program did not write"
            return broken(why, [crossing.id])
        unseen[data] -= 1
    if unseen.total():
        return broken(f"{counted(unseen.total(), 'frame')} written, but not seen")
    return holds(
        f"the SYN-ACK f{answers[0]} came, and the program wrote every frame ({len(left)}) that "
        "left",
        frame_ids([*answers[:1], *(crossing.number for crossing in left)]),
    )


@claim(
    "The server's program sees no difference: it reads the bytes and its own are acknowledged.",
    source="RFC 9293, 3.10.7.4",
    statements=("T5",),
    name="bytes",
)
def carries_bytes_by_hand(timeline: Timeline) -> Verdict:
    """The server's program read what was written by hand, and what it sent was acknowledged."""
    written = [call.data for call in _hand_written(timeline)]
    server = next((calls for calls in timeline.calls.values() if _accepted(calls)), ())
    reads, sends = reads_of(server), sends_of(server)
    if not written or not reads or not sends:
        return undecided("the programs printed no bytes written by hand, read and sent")
    if len(timeline.conversations) != 1:
        return broken(f"{len(timeline.conversations)} TCP connections were seen, not 1")
    talk = timeline.conversations[0]
    by_hand = [n for n, s in enumerate(talk.segments) if s.from_client]
    evidence = [call.id for call in (*reads, *sends)]
    evidence += frame_ids(s.crossing for s in talk.segments if s.length)
    if any(_frame(talk, n) not in written for n in by_hand):
        return broken("not every segment of the client was written by the program", evidence)
    read = b"".join(call.data for call in reads)
    if not read or read != talk.client_to_server.data:
        return broken(f"{read!r} was read, {talk.client_to_server.data!r} on the wire", evidence)
    back = talk.server_to_client
    acknowledged = max((s.ack or 0) for s in talk.segments if s.from_client) - 1
    if sent_bytes(sends) != back.data or acknowledged < len(back.data):
        return broken(
            f"the server sent {counted(len(sent_bytes(sends)), 'byte')}: {len(back.data)} on the "
            f"wire, {acknowledged} acknowledged",
            evidence,
        )
    return holds(
        f"{counted(len(read), 'byte')} written by hand and read; {len(back.data)} from the server "
        "acknowledged by hand",
        evidence,
    )


def _socket_calls(timeline: Timeline) -> list[PrintedCall]:
    return [
        call
        for calls in timeline.calls.values()
        for call in calls
        if call.name == "socket" and len(call.arguments) >= 2
    ]


def _receiver(
    timeline: Timeline, domains: frozenset[str], kind: str
) -> tuple[str, tuple[PrintedCall, ...]]:
    """The domain and the reads of the program that receives on such a socket."""
    for calls in timeline.calls.values():
        made = next((c for c in calls if c.name == "socket" and len(c.arguments) >= 2), None)
        if made and str(made.argument(0)) in domains and made.argument(1) == kind:
            reads = reads_of(calls)
            if reads:
                return str(made.argument(0)), reads
    return "", ()


def _arrived(timeline: Timeline) -> list[Crossing]:
    """The crossings of the experimental protocol that arrived, in order of arrival."""
    found: list[Crossing] = []
    for crossing in timeline.crossings:
        ip = crossing.packet.ip
        protocol = ip.protocol if isinstance(ip, IPv4) else ip.next_header if ip else None
        if protocol == EXPERIMENT and not crossing.lost:
            found.append(crossing)
    return sorted(found, key=lambda crossing: crossing.received_ns or 0)


def _compare(
    timeline: Timeline, reads: Iterable[PrintedCall], given: Callable[[bytes], bytes], why: str
) -> Verdict:
    """Whether each read gave what it should of each frame that arrived."""
    reads, arrived = tuple(reads), _arrived(timeline)
    if not reads:
        return undecided("the programs printed no read on such a socket")
    evidence = [*frame_ids(c.number for c in arrived), *(call.id for call in reads)]
    if len(reads) != len(arrived):
        return broken(
            f"{counted(len(arrived), 'packet')} arrived, {counted(len(reads), 'read')}", evidence
        )
    for call, crossing in zip(reads, arrived, strict=True):
        expected = given(crossing.packet.frame.data)
        if call.data != expected:
            return broken(
                f"the bytes of {call.id} ({len(call.data)}) are not those expected of "
                f"{crossing.id} ({len(expected)})",
                [call.id, crossing.id],
            )
    return holds(why, evidence)


def _is_hdrincl(call: PrintedCall) -> bool:
    return any(argument in ("IP_HDRINCL", "IPV6_HDRINCL") for argument in call.arguments)


def _check_header(timeline: Timeline, asked: PrintedCall, sent: PrintedCall) -> Verdict:
    """The packet written after HDRINCL was asked for, as it was on the wire."""
    arrived = _arrived(timeline)
    if not arrived:
        return broken("no packet of the experimental protocol arrived", [asked.id, sent.id])
    crossing = arrived[-1]
    packet, ip = bytearray(crossing.packet.frame.data[ETHERNET_HEADER_BYTES:]), crossing.packet.ip
    evidence = [asked.id, sent.id, crossing.id]
    if isinstance(ip, IPv4):
        if not ip.checksum_ok:
            return broken(f"{crossing.id} has a wrong header checksum", evidence)
        packet[IPV4_CHECKSUM] = sent.data[IPV4_CHECKSUM]
    if bytes(packet) != sent.data:
        differing = [n for n, (a, b) in enumerate(zip(packet, sent.data, strict=False)) if a != b]
        return broken(f"{crossing.id} differs at bytes {differing}", evidence)
    but = "; the kernel filled in the checksum" if isinstance(ip, IPv4) else ""
    hops = ip.ttl if isinstance(ip, IPv4) else ip.hop_limit if ip else 0
    return holds(f"the header is ours, with {hops} hops to live{but}", evidence)


def _hand_written(timeline: Timeline) -> tuple[PrintedCall, ...]:
    """The frames sent by the program that has a packet socket."""
    for calls in timeline.calls.values():
        if any(c.name == "socket" and "AF_PACKET" in c.arguments for c in calls):
            return sends_of(calls)
    return ()


def _frame(talk: TcpConversation, index: int) -> bytes:
    return talk.flow.crossings[index].packet.frame.data


def _has_reset(crossing: Crossing) -> bool:
    tcp = crossing.packet.tcp
    return tcp is not None and bool(tcp.flags & RESETTING)


def _accepted(calls: Iterable[PrintedCall]) -> bool:
    return any(call.name == "accept" and call.result >= 0 for call in calls)
