"""Which multicast groups a report says that its sender is in, and which it leaves.

Source: RFC 9776, 4.2, and RFC 2236, 2 (IGMP); RFC 9777, 5.2, and RFC 2710, 3 (MLD).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from lab.analysis.packets.packet import Icmp, IPAddress, IPv4, Packet
from lab.frozen import frozen

IGMP = 2
_IGMP_REPORTS, _IGMP_LEAVE, _IGMPV3_REPORT = (0x12, 0x16), 0x17, 0x22
_MLD_REPORT, _MLD_DONE, _MLDV2_REPORT = 131, 132, 143
_HEADER_BYTES = 8
_IN_BUT_SOURCES, _OUT_BUT_SOURCES = (2, 4), (1, 3)
"""Kinds of records: everybody is listened to but these sources, nobody but these."""


@frozen
class Membership:
    """What one report says."""

    protocol: str
    """IGMP or MLD."""
    member_of: tuple[IPAddress, ...]
    leaves: tuple[IPAddress, ...]

    def __str__(self) -> str:
        """In words: "IGMP member of 239.1.2.3", "MLD leaves ff15::42"."""
        said = [f"member of {group}" for group in self.member_of]
        said += [f"leaves {group}" for group in self.leaves]
        return f"{self.protocol} {', '.join(said)}"


def membership_of(packet: Packet) -> Membership | None:
    """What a report says; None for what is none, is cut off, or names sources alone."""
    ip, icmp = packet.ip, packet.icmp
    if isinstance(icmp, Icmp) and icmp.version == 6:
        data = packet.frame.data[icmp.offset :] if not packet.reassembled else b""
        if icmp.type in (_MLD_REPORT, _MLD_DONE) and len(data) >= _HEADER_BYTES + 16:
            group = IPv6Address(data[8:24])
            return _one("MLD", group, is_in=icmp.type == _MLD_REPORT)
        return _records("MLD", data, 16) if icmp.type == _MLDV2_REPORT else None
    if not isinstance(ip, IPv4) or ip.protocol != IGMP or packet.reassembled:
        return None
    data = packet.frame.data[ip.offset + ip.header_bytes : ip.offset + ip.total_bytes]
    if len(data) < _HEADER_BYTES:
        return None
    if data[0] in (*_IGMP_REPORTS, _IGMP_LEAVE):
        return _one("IGMP", IPv4Address(data[4:8]), is_in=data[0] != _IGMP_LEAVE)
    return _records("IGMP", data, 4) if data[0] == _IGMPV3_REPORT else None


def _one(protocol: str, group: IPAddress, *, is_in: bool) -> Membership:
    return Membership(protocol, (group,) if is_in else (), () if is_in else (group,))


def _records(protocol: str, data: bytes, size: int) -> Membership | None:
    """Of a report with a record for each group, addresses of that many bytes."""
    member_of: list[IPAddress] = []
    leaves: list[IPAddress] = []
    at = _HEADER_BYTES
    for _ in range(int.from_bytes(data[6:8], "big")):
        record = data[at : at + 4 + size]
        if len(record) < 4 + size:
            return None
        kind, more, sources = record[0], record[1], int.from_bytes(record[2:4], "big")
        group = IPv4Address(record[4:]) if size == 4 else IPv6Address(record[4:])
        if kind in _IN_BUT_SOURCES:
            member_of.append(group)
        elif kind in _OUT_BUT_SOURCES and not sources:
            leaves.append(group)
        at += 4 + size + 4 * more + size * sources
    if not member_of and not leaves:
        return None
    return Membership(protocol, tuple(member_of), tuple(leaves))
