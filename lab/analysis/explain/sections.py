"""Where to read about an event: the RFC's section or the man page."""

from __future__ import annotations

from lab.analysis.packets.packet import IPv6, Packet
from lab.analysis.story import Phase

_BY_PHASE = {
    Phase.OPENING: "RFC 9293, 3.5",
    Phase.DATA: "RFC 9293, 3.8",
    Phase.CLOSING: "RFC 9293, 3.6",
    Phase.RESET: "RFC 9293, 3.5.2",
    Phase.DATAGRAMS: "RFC 768",
}
_BY_VERSION = {
    Phase.NEIGHBOUR: ("RFC 826", "RFC 4861, 7.2"),
    Phase.FRAGMENTS: ("RFC 791, 3.2", "RFC 8200, 4.5"),
    Phase.ERROR: ("RFC 792", "RFC 4443, 2.4"),
}


def section_of_frame(packet: Packet, phase: Phase) -> str:
    """The section of the RFC that says what such a packet is for; "" of packets beside it all."""
    if phase in _BY_VERSION:
        return _BY_VERSION[phase][isinstance(packet.ip, IPv6)]
    return _BY_PHASE.get(phase, "")


_LIBRARY_NAMES = {
    "recvfrom": "recv",
    "sendto": "send",
    "accept4": "accept",
    "newfstatat": "fstat",
    "pselect6": "select",
    "ppoll": "poll",
    "epoll_pwait": "epoll_wait",
    "pipe2": "pipe",
    "dup3": "dup",
}


def section_of_call(name: str) -> str:
    """The man page of a system call: "recv(2)" of recvfrom."""
    return f"{_LIBRARY_NAMES.get(name, name)}(2)"


STATES = "RFC 9293, 3.3.2"
DROPS = "enum skb_drop_reason, include/net/dropreason-core.h"
QUEUES = "unix(7), SIOCINQ"
