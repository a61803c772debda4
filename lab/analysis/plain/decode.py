"""Plain frames, of TCP, UDP, ARP and neighbour discovery, decoded from their bytes.

Plain is what nearly every frame of a run is: a whole Ethernet frame with TCP or UDP directly upon
IPv4 without options or IPv6 without extension headers, in which every length fits and every
checksum is right; and one that was cut behind these headers, whose checksum is unknown. So are
who asks for a neighbour's address and who answers: ARP of Ethernet and IPv4; Neighbor
Solicitations and Advertisements with no option but one link-layer address. A plain frame's packet
is the one that `dissect` makes of it, field by field, in a fraction of the time, and a run of plain
frames does without the import of scapy, which takes a tenth of a second. Of any other frame nothing
is said here.

Source: RFC 791, 3.1; RFC 8200, 3; RFC 9293, 3.1; RFC 768; RFC 826; RFC 4861, 4.3, 4.4, 4.6.1.
"""

from __future__ import annotations

import struct
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, TypeVar

from lab.analysis.packets.options import TCP_OPTION_DATA_BYTES, TCP_OPTION_NAMES, parse_options
from lab.analysis.packets.packet import (
    Arp,
    Ethernet,
    Icmp,
    IPv4,
    IPv6,
    Packet,
    Payload,
    Tcp,
    TcpOption,
    Udp,
    known_flags,
)
from lab.analysis.packets.tunnels import BY_PORT
from lab.analysis.plain.head import PlainHead, plain_head
from lab.internet.checksum import checksum_holds, pseudo_header
from lab.records import LinkType

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from lab.records import Frame

_ETHERNET_BYTES, _IPV4_BYTES, _IPV6_BYTES, _TCP_BYTES, _UDP_BYTES = 14, 20, 40, 20, 8
_ARP_BYTES, _NEIGHBOUR_BYTES, _ADDRESS_OPTION_BYTES = 28, 24, 8
_TCP, _UDP, _ICMPV6 = 6, 17, 58
_TRANSPORTS = (_TCP, _UDP)
_ARP_TYPE = b"\x08\x06"
_ARP_START = b"\0\1\x08\0\6\4"
"""Of addresses of Ethernet and IPv4, with their lengths."""
_NEIGHBOUR_TYPES = (135, 136)
"""Solicitation and Advertisement."""
_ADDRESS_OPTION_STARTS = (b"\1\1", b"\2\1")
"""Source and target link-layer address, of 8 bytes."""
_SACK = 5
_WHOLE_DATAGRAM = 0xBFFF
"""IPv4's flags and fragment offset but for Don't Fragment: zeros where nothing was cut."""

_IPV4 = struct.Struct("!14xBBHHHBBHII")
_IPV6 = struct.Struct("!14xIHBB")
_TCP_HEADER = struct.Struct("!HHIIHHHH")
_UDP_HEADER = struct.Struct("!HHHH")
_TIMESTAMPS = struct.Struct("!II")
_PADDED_TIMESTAMPS = b"\x01\x01\x08\x0a"
"""What RFC 7323, appendix A, recommends before the two values."""

_Key = TypeVar("_Key", bound="Hashable")
_Made = TypeVar("_Made")


def looks_plain(data: bytes) -> bool:
    """Whether an Ethernet frame is of TCP or UDP, and may be plain: it is no fragment.

    Where it is not plain after all, it is so for itself: no other frame has to do with it.
    """
    if len(data) < _ETHERNET_BYTES + _IPV4_BYTES + _UDP_BYTES:
        return False
    if data[12:15] == b"\x08\0\x45":
        is_whole = not data[20] & 0xBF and not data[21]
        return is_whole and data[23] in _TRANSPORTS
    return data[12:14] == b"\x86\xdd" and data[20] in _TRANSPORTS and len(data) >= 62


class PlainDecoder:
    """Makes packets of plain frames; what many have in common they share.

    `tunnels`: whether what UDP carries to a tunnel's port is entered, which is not done here.
    """

    def __init__(self, *, tunnels: bool = False, most: int = 1 << 16) -> None:
        """`most`: how many of each kind of what packets have in common are remembered."""
        self._tunnel_ports = frozenset(BY_PORT) if tunnels else frozenset()
        self._ethernet: Callable[[bytes], Ethernet] = _Remembered(_ethernet, most).__getitem__
        self._ipv4: Callable[[int], IPv4Address] = _Remembered(IPv4Address, most).__getitem__
        self._ipv6: Callable[[bytes], IPv6Address] = _Remembered(IPv6Address, most).__getitem__
        self._short: Callable[[int], int] = _Remembered(_itself, most).__getitem__
        """Numbers of 16 bits: there is one object for each."""
        option = _Remembered(_option, most)
        self._options = _Remembered(partial(_options, option.__getitem__), most).__getitem__
        self._stamps = _Remembered(partial(_stamps, option.__getitem__), most).__getitem__

    def head(self, data: bytes, wire_bytes: int) -> PlainHead | None:
        """What flows need of an Ethernet frame that is plain, and of TCP or UDP; else None.

        Tunnels are not entered.
        """
        return plain_head(data, wire_bytes, self._options)

    def decode(self, frame: Frame, *, is_right: bool = False) -> Packet | None:
        """The frame's packet; None where the frame is not plain.

        `is_right`: whether its checksums are known to be right, and not looked at.
        """
        data = frame.data
        size = len(data)
        if frame.link_type is not LinkType.ETHERNET or size > frame.wire_bytes:
            return None
        if size < _ETHERNET_BYTES + _IPV4_BYTES + _UDP_BYTES:
            return None
        ip: IPv4 | IPv6
        transport: Tcp | Udp | None = None
        if data[12:14] == _ARP_TYPE:
            return self._arp(frame)
        if data[12:15] == b"\x08\0\x45":
            (
                _, tos, total_bytes, identification, fragment, ttl, protocol, checksum, source,
                destination,
            ) = _IPV4.unpack_from(data)  # fmt: skip
            at, end = _ETHERNET_BYTES + _IPV4_BYTES, _ETHERNET_BYTES + total_bytes
            if fragment & _WHOLE_DATAGRAM:
                return None
            if not (is_right or checksum_holds(data[_ETHERNET_BYTES:at])):
                return None
            addresses = data[26:34]
            ip = IPv4(
                _ETHERNET_BYTES, self._ipv4(source), self._ipv4(destination), _IPV4_BYTES,
                tos >> 2, tos & 3, self._short(total_bytes), self._short(identification),
                fragment != 0, False, 0, ttl, protocol, self._short(checksum), True, (),
            )  # fmt: skip
        elif data[12:14] == b"\x86\xdd" and data[14] >> 4 == 6 and size >= 62:
            first, payload_bytes, protocol, hop_limit = _IPV6.unpack_from(data)
            at = _ETHERNET_BYTES + _IPV6_BYTES
            end = at + payload_bytes
            addresses = data[22:54]
            ip = IPv6(
                _ETHERNET_BYTES, self._ipv6(data[22:38]), self._ipv6(data[38:54]),
                first >> 20 & 0xFF, first & 0xFFFFF, payload_bytes, protocol, hop_limit,
            )  # fmt: skip
        else:
            return None
        if end > frame.wire_bytes or (end > size and protocol not in _TRANSPORTS):
            return None
        if protocol == _TCP:
            transport = self._tcp(data, at, end, b"" if is_right else addresses)
        elif protocol == _UDP:
            transport = self._udp(data, at, end, b"" if is_right else addresses)
        elif protocol == _ICMPV6 and isinstance(ip, IPv6):
            neighbour = self._neighbour(data, at, end, addresses)
            if neighbour is not None:
                return Packet(frame, (self._ethernet(data[:_ETHERNET_BYTES]), ip, neighbour))
        if transport is None:
            return None
        ethernet = self._ethernet(data[:_ETHERNET_BYTES])
        begin, last = end - transport.payload_bytes, min(end, size)
        if begin >= last:
            return Packet(frame, (ethernet, ip, transport))
        payload = Payload.within(begin, data, self._short(last))
        return Packet(frame, (ethernet, ip, transport, payload))

    def _arp(self, frame: Frame) -> Packet | None:
        data, at = frame.data, _ETHERNET_BYTES
        if len(data) < at + _ARP_BYTES or not data.startswith(_ARP_START, at):
            return None
        arp = Arp(
            at,
            int.from_bytes(data[at + 6 : at + 8], "big"),
            data[at + 8 : at + 14].hex(":"),
            self._ipv4(int.from_bytes(data[at + 14 : at + 18], "big")),
            data[at + 18 : at + 24].hex(":"),
            self._ipv4(int.from_bytes(data[at + 24 : at + 28], "big")),
        )
        return Packet(frame, (self._ethernet(data[:at]), arp))

    def _neighbour(self, data: bytes, at: int, end: int, addresses: bytes) -> Icmp | None:
        options = data[at + _NEIGHBOUR_BYTES : end]
        if end - at < _NEIGHBOUR_BYTES or data[at] not in _NEIGHBOUR_TYPES:
            return None
        link_layer: str | None = None
        if options:
            if len(options) != _ADDRESS_OPTION_BYTES or options[:2] not in _ADDRESS_OPTION_STARTS:
                return None
            link_layer = options[2:].hex(":")
        if not checksum_holds(pseudo_header(addresses, _ICMPV6, end - at) + data[at:end]):
            return None
        return Icmp(
            offset=at,
            version=6,
            type=data[at],
            code=data[at + 1],
            checksum=int.from_bytes(data[at + 2 : at + 4], "big"),
            checksum_ok=True,
            identifier=None,
            sequence=None,
            mtu=None,
            target=self._ipv6(data[at + 8 : at + 24]),
            link_layer=link_layer,
            quoted=(),
        )

    def _tcp(self, data: bytes, at: int, end: int, addresses: bytes) -> Tcp | None:
        """The header; without addresses its checksum is known to be right."""
        if min(end, len(data)) - at < _TCP_BYTES:
            return None
        source, destination, seq, ack, bits, window, checksum, urgent = _TCP_HEADER.unpack_from(
            data, at
        )
        header_bytes = bits >> 12 << 2
        header_end = at + header_bytes
        if header_bytes < _TCP_BYTES or header_end > min(end, len(data)):
            return None
        is_whole = end <= len(data)
        if (
            is_whole
            and addresses
            and not checksum_holds(pseudo_header(addresses, _TCP, end - at) + data[at:end])
        ):
            return None
        if header_bytes == 32 and data[at + 20 : at + 24] == _PADDED_TIMESTAMPS:
            # On a fast connection many segments have the same.
            options: tuple[TcpOption, ...] = self._stamps(data[at + 24 : at + 32])
        else:
            found = self._options(data[at + 20 : header_end])
            if found is None:
                return None
            options = found
        return Tcp(
            at, self._short(source), self._short(destination), seq, ack, header_bytes,
            known_flags(bits & 0xFFF), self._short(window), self._short(checksum),
            True if is_whole else None, urgent, options, self._short(end - header_end),
        )  # fmt: skip

    def _udp(self, data: bytes, at: int, end: int, addresses: bytes) -> Udp | None:
        """The header; without addresses its checksum is known to be right."""
        source, destination, length, checksum = _UDP_HEADER.unpack_from(data, at)
        if length != end - at or length < _UDP_BYTES or destination in self._tunnel_ports:
            return None
        is_whole = end <= len(data)
        # Without one there is none to be right.
        if not checksum or (
            is_whole
            and addresses
            and not checksum_holds(pseudo_header(addresses, _UDP, length) + data[at:end])
        ):
            return None
        return Udp(
            at, self._short(source), self._short(destination), length, checksum,
            True if is_whole else None, length - _UDP_BYTES,
        )  # fmt: skip


class _Remembered(dict[_Key, _Made]):
    """What a function gives, each result once, as long as they are not too many."""

    def __init__(self, function: Callable[[_Key], _Made], most: int) -> None:
        super().__init__()
        self._function = function
        self._most = most

    def __missing__(self, key: _Key) -> _Made:
        if len(self) >= self._most:
            self.clear()
        made = self[key] = self._function(key)
        return made


def _itself(number: int) -> int:
    return number


def _ethernet(header: bytes) -> Ethernet:
    destination, source = header[:6].hex(":"), header[6:12].hex(":")
    return Ethernet(0, destination, source, int.from_bytes(header[12:], "big"))


def _options(
    option: Callable[[tuple[int, bytes]], TcpOption | None], data: bytes
) -> tuple[TcpOption, ...] | None:
    """A TCP header's options; None where any is not as its kind has it."""
    given, error = parse_options(data)
    if error is not None:
        return None
    found = [option(each) for each in given]
    whole = [each for each in found if each is not None]
    return tuple(whole) if len(whole) == len(found) else None


def _stamps(
    option: Callable[[tuple[int, bytes]], TcpOption | None], values: bytes
) -> tuple[TcpOption, ...]:
    """The options that nearly all segments have, of timestamps with those values."""
    padding, found = option((1, b"")), option((8, values))
    assert padding is not None and found is not None, "each is as its kind has it"
    return padding, padding, found


def _option(given: tuple[int, bytes]) -> TcpOption | None:
    kind, data = given
    value: int | tuple[int, ...] | bytes | None = data
    if kind == _SACK:
        if len(data) % 8 or not data:
            return None
        value = struct.unpack(f"!{len(data) // 4}I", data)
    elif kind in TCP_OPTION_DATA_BYTES:
        if len(data) != TCP_OPTION_DATA_BYTES[kind]:
            return None
        if kind == 8:
            value = _TIMESTAMPS.unpack(data)
        else:
            value = int.from_bytes(data, "big") if data else None
    elif kind < 2:
        value = None
    return TcpOption(kind, TCP_OPTION_NAMES.get(kind, f"kind_{kind}"), value)
