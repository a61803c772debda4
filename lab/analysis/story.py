"""What each crossing is about, in words: phases, roles, one-line descriptions."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address

from lab.analysis.encapsulation import describe_ends, describe_link, not_entered
from lab.analysis.flows.crossing import Crossing
from lab.analysis.messages.message import messages_of
from lab.analysis.packets.fragments import Piece, piece_of
from lab.analysis.packets.packet import (
    Arp,
    Encapsulation,
    Ethernet,
    Icmp,
    IPv4,
    IPv6,
    Layer,
    Malformed,
    Packet,
    Tcp,
    TcpFlags,
    TcpOption,
    TcpStart,
    Udp,
    UdpStart,
    Vlan,
)
from lab.analysis.tcp.conversation import TcpConversation
from lab.analysis.tcp.segment import Segment, in_order
from lab.model.address import SocketAddress
from lab.model.counted import counted

_SYN = int(TcpFlags.SYN)

FLAG_ORDER = (
    TcpFlags.SYN,
    TcpFlags.FIN,
    TcpFlags.RST,
    TcpFlags.PSH,
    TcpFlags.ACK,
    TcpFlags.URG,
    TcpFlags.ECE,
    TcpFlags.CWR,
    TcpFlags.AE,
)
ICMP_NAMES = {
    (4, 0): "echo reply",
    (4, 3): "destination unreachable",
    (4, 5): "redirect",
    (4, 8): "echo request",
    (4, 11): "time exceeded",
    (6, 1): "destination unreachable",
    (6, 2): "packet too big",
    (6, 3): "time exceeded",
    (6, 128): "echo request",
    (6, 129): "echo reply",
    (6, 131): "multicast listener report",
    (6, 133): "router solicitation",
    (6, 134): "router advertisement",
    (6, 135): "neighbor solicitation",
    (6, 136): "neighbor advertisement",
    (6, 143): "multicast listener report v2",
}
ICMP_CODE_NAMES = {
    (4, 3, 0): "network unreachable",
    (4, 3, 1): "host unreachable",
    (4, 3, 2): "protocol unreachable",
    (4, 3, 3): "port unreachable",
    (4, 3, 4): "fragmentation needed",
    (4, 11, 0): "time to live exceeded",
    (4, 11, 1): "fragment reassembly time exceeded",
    (6, 1, 0): "no route to destination",
    (6, 1, 3): "address unreachable",
    (6, 1, 4): "port unreachable",
    (6, 2, 0): "packet too big",
    (6, 3, 0): "hop limit exceeded",
    (6, 3, 1): "fragment reassembly time exceeded",
}
PORT_UNREACHABLE = frozenset({(4, 3, 3), (6, 1, 4)})
TRANSPORT_NAMES = {6: "TCP", 17: "UDP"}
MULTIPATH_SUBTYPES = {
    0: "MP_CAPABLE",
    1: "MP_JOIN",
    2: "DSS",
    3: "ADD_ADDR",
    4: "REMOVE_ADDR",
    5: "MP_PRIO",
    6: "MP_FAIL",
    7: "MP_FASTCLOSE",
    8: "MP_TCPRST",
    15: "MP_EXPERIMENTAL",
}
"""Source: RFC 8684, 8.2, and IANA, MPTCP Option Subtypes."""

LIMITED_BROADCAST = IPv4Address("255.255.255.255")
"""Everybody on the link. Source: RFC 919, 7."""

_EXPERIMENTS = (253, 254)
"""Options whose first two bytes say whose experiment it is. Source: RFC 6994, 3."""
_FAST_OPEN_EXPERIMENT = b"\xf9\x89"
"""What Fast Open used before it had option 34. Source: RFC 7413, 10."""


# IANA's protocol numbers, for packets whose transport is not dissected, or not there.
PROTOCOL_NAMES = {
    1: "ICMP",
    2: "IGMP",
    6: "TCP",
    17: "UDP",
    47: "GRE",
    4: "IPv4 in IP",
    41: "IPv6 in IP",
    50: "ESP",
    97: "EtherIP",
    115: "L2TP",
    137: "MPLS in IP",
    58: "ICMPv6",
    132: "SCTP",
    253: "experiment 253",
}


class Phase(enum.Enum):
    """What a part of the exchange is for; the value is its heading."""

    NEIGHBOUR = "Finding the neighbour"
    OPENING = "Opening"
    DATA = "Data"
    CLOSING = "Closing"
    RESET = "Reset"
    DATAGRAMS = "Datagrams"
    FRAGMENTS = "Fragments"
    ERROR = "Error message"
    OTHER = "Beside the conversation"


EXPLANATIONS = {
    Phase.NEIGHBOUR: "Which hardware address has this IP address?",
    Phase.OPENING: "Both send their initial sequence numbers and acknowledge them.",
    Phase.DATA: "Numbers count bytes, not messages; ack names the next byte expected.",
    Phase.CLOSING: "FIN: nothing more to send. Each direction closes by itself.",
    Phase.RESET: "RST: there is no such connection, or none any more.",
    Phase.DATAGRAMS: "Each goes alone: no opening, no acknowledgement, no end.",
    Phase.FRAGMENTS: "IP cuts what is too large for the link; the receiver joins it.",
    Phase.ERROR: "ICMP says why a packet got no further, and quotes it.",
    Phase.OTHER: "Frames that belong to no conversation.",
}


def phases(
    crossings: Iterable[Crossing], conversations: Iterable[TcpConversation]
) -> dict[int, Phase]:
    """The phase of every crossing, by its number."""
    found: dict[int, Phase] = {}
    for conversation in conversations:
        found |= _conversation_phases(conversation)
    for crossing in crossings:
        if crossing.number not in found:
            head = crossing.head
            is_plain_datagram = head is not None and head.ends[0] == "udp"
            phase = Phase.DATAGRAMS if is_plain_datagram else _packet_phase(crossing.packet)
            found[crossing.number] = phase
    return found


def _packet_phase(packet: Packet) -> Phase:
    """The phase of a packet that belongs to no connection."""
    if packet.resolves_neighbour:
        return Phase.NEIGHBOUR
    if packet.icmp is not None and packet.icmp.quoted:
        return Phase.ERROR
    if piece_of(packet) is not None:
        return Phase.FRAGMENTS
    if any(isinstance(layer, TcpStart) for layer in packet.layers):
        return Phase.DATA
    if any(isinstance(layer, UdpStart) for layer in packet.layers):
        return Phase.DATAGRAMS
    return Phase.OTHER if packet.udp is None else Phase.DATAGRAMS


def roles(
    conversations: Iterable[TcpConversation], crossings: Iterable[Crossing] = ()
) -> dict[int, str]:
    """What the frames that have a part of their own are there for, by crossing number.

    Segments have theirs by their conversations, fragments and ICMP errors by themselves.
    """
    odd = (each for each in crossings if not each.is_plain)
    found = {c.number: role for c in odd if (role := _packet_role(c.packet))}
    for conversation in conversations:
        for segment in conversation.segments:
            if notes := ", ".join(note.value for note in in_order(segment.notes)):
                found[segment.crossing] = notes
        for way, stream in (
            ("client", conversation.client_to_server),
            ("server", conversation.server_to_client),
        ):
            if stream.fin is not None:
                found[stream.fin] = f"the {way} has nothing more to send"
            if stream.fin_acked is not None and stream.fin_acked not in found:
                found[stream.fin_acked] = f"the {way}'s FIN is acknowledged"
        handshake = conversation.handshake
        if handshake is not None and handshake.simultaneous:
            found |= _simultaneous_roles(conversation)
        elif handshake is not None:
            found |= {
                handshake.syn: "handshake 1 of 3: the client sends its initial sequence number",
                handshake.syn_ack: "handshake 2 of 3: the server acknowledges it and sends its own",
                handshake.ack: "handshake 3 of 3: the client acknowledges that: it is open",
            }
        for number in conversation.resets:
            is_abort = number in conversation.aborts
            found[number] = (
                "reset: the connection ends at once"
                if is_abort
                else "reset: the connection had ended; this answers what came after"
            )
    return found


def _simultaneous_roles(conversation: TcpConversation) -> dict[int, str]:
    """Of each side's first SYN and SYN-ACK. Source: RFC 9293, 3.5, figure 8."""
    found: dict[tuple[bool, bool], tuple[int, str]] = {}
    for segment in conversation.segments:
        if segment.flags & TcpFlags.SYN:
            way = "client" if segment.from_client else "server"
            is_answer = bool(segment.flags & TcpFlags.ACK)
            said = "acknowledges that, and sends its own again" if is_answer else "opens as well"
            if not found:
                said = "sends its initial sequence number"
            role = segment.crossing, f"simultaneous open: the {way} {said}"
            found.setdefault((segment.from_client, is_answer), role)
    return dict(found.values())


def is_port_unreachable(packet: Packet) -> bool:
    """Whether it is an ICMP error that says that no socket has that port."""
    icmp = packet.icmp
    return icmp is not None and (icmp.version, icmp.type, icmp.code) in PORT_UNREACHABLE


def _packet_role(packet: Packet) -> str:
    """What a fragment or an ICMP error is there for; "" for any other packet."""
    icmp, piece = packet.icmp, piece_of(packet)
    if icmp is not None and is_port_unreachable(packet):
        quoted = next((layer for layer in icmp.quoted if isinstance(layer, Udp)), None)
        return f"nobody listens on UDP port {quoted.destination_port}" if quoted else ""
    if piece is None:
        return ""
    if not piece.start:
        name = TRANSPORT_NAMES.get(piece.protocol, "transport")
        return f"the first fragment, and the only one with the {name} header"
    if piece.more:
        return "a fragment in the middle"
    return "the last fragment" + ("; the datagram is whole again" if packet.reassembled else "")


@lru_cache(1 << 12)
def flag_names(flags: TcpFlags) -> str:
    """The flags' names: "SYN ACK"."""
    return " ".join(flag.name or "" for flag in FLAG_ORDER if flag in flags)


def segment_fields(segment: Segment) -> list[tuple[str, str]]:
    """What is said of a segment, by name: [("", "ACK"), ("seq", "1"), ("ack", "8"), ("len", "7")].

    The flags come first and have no name.
    """
    fields = [("", flag_names(segment.flags) or "no flags"), ("seq", str(segment.seq))]
    if segment.ack is not None:
        fields.append(("ack", str(segment.ack)))
    if segment.length:
        fields.append(("len", str(segment.length)))
    if int(segment.flags) & _SYN:
        fields.append(("win", str(segment.window_bytes)))
    return fields


def describe_segment(segment: Segment) -> str:
    """A segment in a few words: "ACK seq=1 ack=8 len=7"."""
    return " ".join(f"{name}={text}" if name else text for name, text in segment_fields(segment))


def describe_options(tcp: Tcp) -> str:
    """A TCP header's options in a few words: "mss 1460, SACK ok, window scale 7"."""
    words: list[str] = []
    for option in tcp.options:
        match option.name, option.value:
            case (("nop" | "end"), _):
                continue
            case "mss", int() as value:
                words.append(f"mss {value}")
            case "window_scale", int() as value:
                words.append(f"window scale {value}")
            case "sack_permitted", _:
                words.append("SACK ok")
            case "timestamps", (int() as value, int() as echo):
                words.append(f"TSval {value}, TSecr {echo}")
            case "sack", tuple() as edges:
                blocks = [f"{a}-{b}" for a, b in zip(edges[::2], edges[1::2], strict=True)]
                words.append(f"SACK {' '.join(blocks)}")
            case _:
                words.append(_describe_data_option(option, tcp.flags))
    return ", ".join(words)


def _describe_data_option(option: TcpOption, flags: TcpFlags) -> str:
    """An option whose value is data: of those known here more than the name."""
    data = option.value if isinstance(option.value, bytes) else b""
    if option.kind in _EXPERIMENTS and len(data) >= 2:
        if data[:2] == _FAST_OPEN_EXPERIMENT:
            return f"{_describe_fast_open(data[2:], flags)} (experimental option {option.kind})"
        return f"{option.name.replace('_', ' ')}, ExID 0x{data[:2].hex()}"
    if option.name == "fast_open_cookie":
        return _describe_fast_open(data, flags)
    if option.name == "multipath_tcp" and data:
        subtype = MULTIPATH_SUBTYPES.get(data[0] >> 4, f"subtype {data[0] >> 4}")
        return f"Multipath TCP {subtype}"
    return option.name.replace("_", " ")


def _describe_fast_open(cookie: bytes, flags: TcpFlags) -> str:
    """RFC 7413, 4.1.1: in a SYN, no cookie asks for one."""
    if not cookie:
        return "Fast Open without a cookie" if flags & TcpFlags.ACK else "Fast Open cookie request"
    odd = len(cookie) % 2 or not 4 <= len(cookie) <= 16
    wrong = ", not an even number from 4 to 16" if odd else ""
    given = "gives a" if flags & TcpFlags.ACK else "with a"
    return f"Fast Open {given} cookie of {counted(len(cookie), 'byte')}{wrong}"


def describe_sack(segment: Segment) -> str:
    """A segment's SACK blocks by relative numbers, "D-SACK 1-6, SACK 10-20"; "" without any."""
    blocks = [f"{left}-{right}" for left, right in segment.sack]
    words = [f"D-SACK {blocks.pop(0)}"] if segment.is_dsack else []
    if blocks:
        words.append(f"SACK {' '.join(blocks)}")
    return ", ".join(words)


def describe_checksum(header: Tcp | Udp) -> str:
    """What a wrong checksum is and ought to be; "" where it is right or cannot be computed."""
    if header.right_checksum is None:
        return ""
    name = "TCP" if isinstance(header, Tcp) else "UDP"
    return f"{name} checksum {header.checksum:#06x}, ought to be {header.right_checksum:#06x}"


def describe_packet(packet: Packet) -> str:
    """Any packet in a few words: as the fragment it is, by its message or its innermost header."""
    piece = piece_of(packet)
    if piece is not None and packet.malformed is None:
        return _describe_piece(piece)
    if packet.udp is None and (outside := not_entered(packet)):
        return f"{outside}, {describe_ends(packet)}: not entered"
    if packet.tcp is None and (messages := messages_of(packet)):
        return str(messages[0])
    return _describe_layers(packet.layers) or counted(len(packet.frame.data), "byte")


def describe_quoted(packet: Packet) -> str:
    """Whose packet an ICMP error quotes, "TCP 10.0.0.1:1000 > 10.0.0.2:80"; "" if it has none."""
    icmp = packet.icmp
    if icmp is None or not icmp.quoted:
        return ""
    ip: IPv4 | IPv6 | None = None
    for layer in icmp.quoted:
        if isinstance(layer, IPv4 | IPv6):
            ip = layer
        elif isinstance(layer, Tcp | TcpStart | Udp | UdpStart) and ip is not None:
            source = SocketAddress(ip.source, layer.source_port)
            destination = SocketAddress(ip.destination, layer.destination_port)
            name = "TCP" if isinstance(layer, Tcp | TcpStart) else "UDP"
            return f"{name} {source} > {destination}"
    if ip is None:
        return ""
    protocol = ip.protocol if isinstance(ip, IPv4) else ip.next_header
    return f"{_protocol(protocol)} {ip.source} > {ip.destination}"


def describe_more(packet: Packet) -> str:
    """What a fragment completes, an ICMP error quotes, what carries a message; "" of all others."""
    messages = messages_of(packet) if packet.udp is not None else ()
    if packet.reassembled:
        return f"whole: {messages[0] if messages else _describe_layers(packet.layers)}"
    if messages:
        return _describe_carrier(packet)
    if packet.icmp is not None and packet.icmp.quoted:
        # A quotation may end anywhere: that it does is nobody's fault.
        quoted = [layer for layer in packet.icmp.quoted if not isinstance(layer, Malformed)]
        return f"quotes {_describe_layers(quoted)}" if quoted else ""
    return ""


def _describe_carrier(packet: Packet) -> str:
    """What a message goes in, with its addresses where one of them is no single host's."""
    ip, udp = packet.ip, packet.udp
    if ip is None or udp is None or not (ip.source.is_unspecified or _is_to_several(ip)):
        return _describe_layers(packet.layers)
    source = SocketAddress(ip.source, udp.source_port)
    destination = SocketAddress(ip.destination, udp.destination_port)
    return f"UDP {source} > {destination} len={udp.payload_bytes}"


def _is_to_several(ip: IPv4 | IPv6) -> bool:
    return ip.destination.is_multicast or ip.destination == LIMITED_BROADCAST


def _has_ports(layers: Sequence[Layer]) -> bool:
    return len(layers) > 1 and isinstance(layers[-2], TcpStart | UdpStart)


def _protocol(number: int) -> str:
    return PROTOCOL_NAMES.get(number, f"protocol {number}")


def _describe_layers(layers: Sequence[Layer]) -> str:
    """The innermost header that has a description; "" if none has."""
    cut = ""
    for layer in reversed(layers):
        match layer:
            case Malformed() if layer.truncated and _has_ports(layers):
                cut = ", cut off in the header"
            case Malformed():
                kind = "cut off" if layer.truncated else "malformed"
                return f"{kind} {layer.layer} at byte {layer.offset}: {layer.reason}"
            case Tcp():
                return (
                    f"TCP {layer.source_port} > {layer.destination_port} "
                    f"{flag_names(layer.flags)} len={layer.payload_bytes}"
                )
            case Udp():
                return (
                    f"UDP {layer.source_port} > {layer.destination_port} len={layer.payload_bytes}"
                )
            case TcpStart():
                seq = "" if layer.seq is None else f" seq={layer.seq}"
                return f"TCP {layer.source_port} > {layer.destination_port}{seq}{cut}"
            case UdpStart():
                return f"UDP {layer.source_port} > {layer.destination_port}{cut}"
            case Icmp():
                return _describe_icmp(layer)
            case Arp():
                return _describe_arp(layer)
            case IPv4():
                return (
                    f"IPv4 {_protocol(layer.protocol)} from {layer.source} to {layer.destination}"
                )
            case IPv6():
                return (
                    f"IPv6 {_protocol(layer.next_header)} from {layer.source} to "
                    f"{layer.destination}"
                )
            case Encapsulation():
                return f"{layer.name} type {layer.type:#06x}"
            case Ethernet() | Vlan():
                return describe_link(layers)
            case _:
                continue
    return ""


def _describe_piece(piece: Piece) -> str:
    """Its place in the datagram: "fragment 0-1479 of 0x1a2b, more"."""
    rest = "more" if piece.more else "last"
    return f"fragment {piece.start}-{piece.end - 1} of {piece.identification:#06x}, {rest}"


def _describe_arp(arp: Arp) -> str:
    if arp.operation == 1:
        return f"ARP who has {arp.target}?"
    if arp.operation == 2:
        return f"ARP {arp.sender} is at {arp.sender_hardware}"
    return f"ARP operation {arp.operation}"


def _describe_icmp(icmp: Icmp) -> str:
    protocol = "ICMP" if icmp.version == 4 else "ICMPv6"
    if icmp.version == 6 and icmp.type == 135:
        return f"ND who has {icmp.target}?"
    if icmp.version == 6 and icmp.type == 136:
        return f"ND {icmp.target} is at {icmp.link_layer}"
    if (name := ICMP_CODE_NAMES.get((icmp.version, icmp.type, icmp.code))) is not None:
        return f"{protocol} {name}" + ("" if icmp.mtu is None else f", MTU {icmp.mtu}")
    name = ICMP_NAMES.get((icmp.version, icmp.type), f"type {icmp.type}")
    return f"{protocol} {name}, code {icmp.code}"


def _conversation_phases(conversation: TcpConversation) -> dict[int, Phase]:
    """Opening up to the handshake's ACK, closing from the first FIN on, reset from an RST on."""
    handshake = conversation.handshake
    opened = handshake.ack if handshake else 0
    ends = [
        number
        for number in (
            conversation.client_to_server.fin,
            conversation.server_to_client.fin,
        )
        if number is not None
    ]
    closing = min(ends, default=None)
    reset = min(conversation.aborts, default=None)
    found: dict[int, Phase] = {}
    for segment in conversation.segments:
        number = segment.crossing
        if reset is not None and number >= reset:
            found[number] = Phase.RESET
        elif closing is not None and number >= closing:
            found[number] = Phase.CLOSING
        elif number <= opened or segment.flags & TcpFlags.SYN:
            found[number] = Phase.OPENING
        else:
            found[number] = Phase.DATA
    return found
