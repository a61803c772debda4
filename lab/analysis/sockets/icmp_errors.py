"""Which error an ICMP message gives the socket whose packet it quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.analysis.packets.packet import Icmp

_UNREACHABLE = {
    4: (
        *("ENETUNREACH", "EHOSTUNREACH", "ENOPROTOOPT", "ECONNREFUSED", "EMSGSIZE"),
        *("EOPNOTSUPP", "ENETUNREACH", "EHOSTDOWN", "ENONET", "ENETUNREACH", "EHOSTUNREACH"),
        *("ENETUNREACH", "EHOSTUNREACH", "EHOSTUNREACH", "EHOSTUNREACH", "EHOSTUNREACH"),
    ),
    6: (
        *("ENETUNREACH", "EACCES", "EHOSTUNREACH", "EHOSTUNREACH", "ECONNREFUSED"),
        *("EACCES", "EACCES"),
    ),
}
"""By IP version, for the codes of "destination unreachable".
Source: Linux, net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, tab_unreach."""

_OTHERS = {
    (4, 11): "EHOSTUNREACH",
    (4, 12): "EPROTO",
    (6, 2): "EMSGSIZE",
    (6, 3): "EHOSTUNREACH",
    (6, 4): "EPROTO",
}
"""By IP version and type. Source: udp(7), __udp4_lib_err; net/ipv6/icmp.c, icmpv6_err_convert."""

_DESTINATION_UNREACHABLE = {4: 3, 6: 1}


def errno_of(icmp: Icmp) -> str:
    """The errno's name: "ECONNREFUSED"; "" if the message is no error."""
    if icmp.type == _DESTINATION_UNREACHABLE[icmp.version]:
        names = _UNREACHABLE[icmp.version]
        return names[icmp.code] if icmp.code < len(names) else ""
    return _OTHERS.get((icmp.version, icmp.type), "")


def is_time_exceeded(icmp: Icmp) -> bool:
    """Whether a packet's hops, or its fragments' time, were used up. Source: RFC 792; RFC 4443."""
    return (icmp.version, icmp.type) in ((4, 11), (6, 3))
