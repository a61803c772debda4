"""What each crossing is about, in words: phases, roles, one-line descriptions."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from lab.analysis.crossing import Crossing
from lab.analysis.packet import (
    Arp,
    Ethernet,
    Icmp,
    IPv4,
    IPv6,
    Malformed,
    Packet,
    Tcp,
    TcpFlags,
    Udp,
)
from lab.analysis.tcp import TcpConversation
from lab.analysis.tcp_segment import Segment

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
NEIGHBOR_TYPES = frozenset({135, 136})


class Phase(enum.Enum):
    """What a part of the exchange is for; the value is its heading."""

    NEIGHBOUR = "Finding the neighbour"
    OPENING = "Opening"
    DATA = "Data"
    CLOSING = "Closing"
    OTHER = "Beside the conversation"


EXPLANATIONS = {
    Phase.NEIGHBOUR: "A program knows an IP address, a frame needs a hardware address: ask first.",
    Phase.OPENING: "Three segments; each side tells its first number and confirms the other's.",
    Phase.DATA: "Numbers count bytes, not messages; ack names the next byte expected.",
    Phase.CLOSING: "FIN: I have nothing more to send. Each direction closes by itself.",
    Phase.OTHER: "Frames that belong to no TCP connection.",
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
            found[crossing.number] = (
                Phase.NEIGHBOUR if _is_resolution(crossing.packet) else Phase.OTHER
            )
    return found


def roles(conversations: Iterable[TcpConversation]) -> dict[int, str]:
    """What the segments that have a part of their own are there for, by crossing number."""
    found: dict[int, str] = {}
    for conversation in conversations:
        for segment in conversation.segments:
            if notes := ", ".join(sorted(note.value for note in segment.notes)):
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
        if handshake is not None:
            found[handshake.syn] = "handshake 1 of 3: the client asks and tells its first number"
            found[handshake.syn_ack] = "handshake 2 of 3: the server agrees and tells its own"
            found[handshake.ack] = "handshake 3 of 3: the client confirms; the connection is open"
        for number in conversation.resets:
            found[number] = "reset: the connection ends at once"
    return found


def flag_names(flags: TcpFlags) -> str:
    """The flags' names: "SYN ACK"."""
    return " ".join(flag.name or "" for flag in FLAG_ORDER if flag in flags)


def describe_segment(segment: Segment) -> str:
    """A segment in a few words: "ACK seq=1 ack=8 len=7"."""
    words = [flag_names(segment.flags) or "no flags", f"seq={segment.seq}"]
    if segment.ack is not None:
        words.append(f"ack={segment.ack}")
    if segment.length:
        words.append(f"len={segment.length}")
    if segment.flags & TcpFlags.SYN:
        words.append(f"win={segment.window_bytes}")
    return " ".join(words)


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
                words.append(f"time {value} echo {echo}")
            case "sack", tuple() as edges:
                blocks = [f"{a}-{b}" for a, b in zip(edges[::2], edges[1::2], strict=True)]
                words.append(f"SACK {' '.join(blocks)}")
            case name, _:
                words.append(name.replace("_", " "))
    return ", ".join(words)


def describe_packet(packet: Packet) -> str:
    """Any packet in a few words, outermost protocol that tells most first."""
    for layer in reversed(packet.layers):
        match layer:
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
            case Icmp():
                return _describe_icmp(layer)
            case Arp():
                return _describe_arp(layer)
            case IPv4() | IPv6():
                return f"IPv{4 if isinstance(layer, IPv4) else 6} to {layer.destination}"
            case Ethernet():
                return f"Ethernet type {layer.type:#06x}"
            case _:
                continue
    return f"{len(packet.frame.data)} bytes"


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
    name = ICMP_NAMES.get((icmp.version, icmp.type), f"type {icmp.type}")
    return f"{protocol} {name}, code {icmp.code}"


def _is_resolution(packet: Packet) -> bool:
    icmp = packet.icmp
    return packet.arp is not None or (
        icmp is not None and icmp.version == 6 and icmp.type in NEIGHBOR_TYPES
    )


def _conversation_phases(conversation: TcpConversation) -> dict[int, Phase]:
    """Opening up to the handshake's ACK, closing from the first FIN or RST on."""
    handshake = conversation.handshake
    opened = handshake.ack if handshake else 0
    ends = [
        number
        for number in (
            conversation.client_to_server.fin,
            conversation.server_to_client.fin,
            *conversation.resets,
        )
        if number is not None
    ]
    closing = min(ends, default=None)
    found: dict[int, Phase] = {}
    for segment in conversation.segments:
        number = segment.crossing
        if closing is not None and number >= closing:
            found[number] = Phase.CLOSING
        elif number <= opened or segment.flags & TcpFlags.SYN:
            found[number] = Phase.OPENING
        else:
            found[number] = Phase.DATA
    return found
