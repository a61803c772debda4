"""IPv4 and IPv6 in a walk, from the first byte of their headers to the last layer."""

from __future__ import annotations

from ipaddress import IPv6Address

from lab.analysis.packets import headers
from lab.analysis.packets.icmp import ICMP, ICMPV6, dissect_icmp
from lab.analysis.packets.options import OptionError, OptionList, parse_ipv6_options, parse_options
from lab.analysis.packets.packet import Extension, Fragment, IPv4, Layer
from lab.analysis.packets.transport import LONGEST_LENGTH, TCP, UDP, dissect_tcp, dissect_udp
from lab.analysis.packets.tunnels import BY_PROTOCOL
from lab.analysis.packets.walk import Walk
from lab.internet.checksum import checksum_holds
from lab.model.counted import counted

HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION, MOBILITY = 0, 43, 44, 51, 60, 135

_EXTENSION_NAMES = {
    HOP_BY_HOP: "IPv6 hop-by-hop options",
    ROUTING: "IPv6 routing header",
    AUTHENTICATION: "authentication header",
    DESTINATION: "IPv6 destination options",
    MOBILITY: "IPv6 mobility header",
}
_JUMBO_PAYLOAD = 0xC2
_OPEN_END = 1 << 32
"""The end of a quoted packet until its own header gives its length."""


def dissect_ip(walk: Walk, at: int, end: int) -> None:
    """Add the layers of a packet whose IP version is known from its first byte alone."""
    if not walk.holds(at, 1, end, "IP"):
        return
    version = walk.data[at] >> 4
    if version == 4:
        dissect_ipv4(walk, at, end)
    elif version == 6:
        dissect_ipv6(walk, at, end)
    else:
        walk.malformed(at, "IP", f"version is {version}, neither 4 nor 6")


def dissect_ipv4(walk: Walk, at: int, end: int) -> None:
    """Add IPv4 and what follows it. Bytes past the total length are link padding."""
    if not walk.holds(at, 20, end, "IPv4"):
        return
    data = walk.data
    version, header_bytes = data[at] >> 4, (data[at] & 15) * 4
    if version != 4 or header_bytes < 20:
        reason = f"header length is {header_bytes} bytes, below 20"
        walk.malformed(at, "IPv4", reason if version == 4 else f"version is {version}, not 4")
        return
    header_end = at + header_bytes
    present_end = walk.present_end(end)
    options, error = parse_options(data[at + 20 : min(header_end, present_end)])
    whole = header_end <= present_end
    checksum_ok = checksum_holds(data[at:header_end]) if whole and not walk.quoted else None
    ip = headers.ipv4(data, at, tuple(o for o in options if o[0]), checksum_ok)
    walk.layers.append(ip)
    walk.ip = ip
    if not walk.holds(at, header_bytes, end, "IPv4"):
        return
    # A frame captured before segmentation offload has no total length yet.
    total_bytes = ip.total_bytes or (walk.present_end(end) if walk.quoted else end) - at
    if total_bytes < header_bytes:
        reason = f"total length is {total_bytes}, below the header's {header_bytes}"
        walk.malformed(at, "IPv4", reason)
        return
    if error:
        walk.malformed(at + 20 + error.offset, "IPv4", error.reason)
    addresses: bytes | None = ip.source.packed + ip.final.packed
    if at + total_bytes > end:
        reason = f"total length is {total_bytes}, past the link's {counted(end - at, 'byte')}"
        walk.malformed(at, "IPv4", reason)
        addresses = None
    else:
        end = at + total_bytes
    if walk.quoted:
        addresses = None
    if ip.fragment_offset or (ip.more_fragments and not walk.quoted):
        _add_fragment(walk, header_end, end, ip, header_bytes)
    else:
        dissect_ip_payload(walk, ip.protocol, header_end, end, addresses, 4)


def dissect_ipv6(walk: Walk, at: int, end: int) -> None:
    """Add IPv6 and what follows it. Bytes past the payload length are link padding."""
    if not walk.holds(at, 40, end, "IPv6"):
        return
    version = walk.data[at] >> 4
    if version != 6:
        walk.malformed(at, "IPv6", f"version is {version}, not 6")
        return
    ip = headers.ipv6(walk.data, at)
    walk.layers.append(ip)
    walk.ip = ip
    payload_bytes = ip.payload_bytes
    if payload_bytes == 0 and ip.next_header == HOP_BY_HOP:
        jumbo_bytes = _jumbo_payload_bytes(walk, at + 40, end)
        if jumbo_bytes is None:
            return
        payload_bytes = jumbo_bytes
    packet_end = at + 40 + payload_bytes
    addresses = None if walk.quoted else ip.source.packed + ip.destination.packed
    if packet_end > end:
        left = counted(end - at - 40, "byte")
        reason = f"payload length is {payload_bytes}, past the link's {left}"
        walk.malformed(at, "IPv6", reason)
        packet_end, addresses = end, None
    dissect_ip_payload(walk, ip.next_header, at + 40, packet_end, addresses, 6)


def _jumbo_payload_bytes(walk: Walk, at: int, end: int) -> int | None:
    """The length in a jumbogram's hop-by-hop options; None, with a Malformed, without a good one.

    Source: RFC 2675, 2 and 3.
    """
    name = _EXTENSION_NAMES[HOP_BY_HOP]
    if not walk.holds(at, 8, end, name):
        return None
    _, header_bytes = headers.extension_lengths(walk.data, at, HOP_BY_HOP)
    if not walk.holds(at, header_bytes, end, name):
        return None
    options, _ = parse_ipv6_options(walk.data[at + 2 : at + header_bytes])
    lengths = [data for kind, data in options if kind == _JUMBO_PAYLOAD]
    if not lengths:
        walk.malformed(at, "IPv6", "payload length is 0, without a Jumbo Payload option")
        return None
    size = int.from_bytes(lengths[0], "big")
    if len(lengths[0]) != 4 or size <= LONGEST_LENGTH:
        reason = f"Jumbo Payload of {counted(len(lengths[0]), 'byte')} is {size}"
        walk.malformed(at, "IPv6", f"{reason}, not 4 bytes above {LONGEST_LENGTH}")
        return None
    return size


def dissect_ip_payload(
    walk: Walk, protocol: int, at: int, end: int, addresses: bytes | None, version: int
) -> None:
    """Add extension headers and the transport, ICMP or unknown payload they lead to.

    `addresses` are packed source and final destination, None where the checksums above
    cannot be computed.
    """
    extensions = _EXTENSION_NAMES if version == 6 else (AUTHENTICATION,)
    while protocol in extensions or (protocol == FRAGMENT and version == 6):
        if protocol == FRAGMENT:
            fragment = _dissect_fragment_header(walk, at, end)
            if fragment is None:
                return
            protocol, at = fragment.next_header, at + 8
            continue
        extension = _dissect_extension(walk, protocol, at, end)
        if extension is None:
            return
        addresses = _checksum_addresses(walk, extension, addresses)
        at += extension.header_bytes
        if protocol == MOBILITY:
            break
        protocol = extension.next_header
    _dissect_upper_layer(walk, protocol, at, end, addresses, version)


def _dissect_upper_layer(
    walk: Walk, protocol: int, at: int, end: int, addresses: bytes | None, version: int
) -> None:
    if protocol == TCP:
        dissect_tcp(walk, at, end, addresses)
    elif protocol == UDP:
        dissect_udp(walk, at, end, addresses)
    elif protocol == (ICMP if version == 4 else ICMPV6):
        dissect_icmp(walk, at, end, addresses, version, _quoted_layers)
    elif walk.enter is not None and protocol in BY_PROTOCOL:
        following = BY_PROTOCOL[protocol](walk, at, end)
        if following is not None:
            walk.enter(walk, *following)
    else:
        walk.payload(at, end)


def _dissect_extension(walk: Walk, header: int, at: int, end: int) -> Extension | None:
    """Add an extension header; None where what follows it cannot be found."""
    name = _EXTENSION_NAMES[header]
    if not walk.holds(at, 8, end, name):
        return None
    next_header, header_bytes = headers.extension_lengths(walk.data, at, header)
    if not walk.holds(at, header_bytes, end, name):
        return None
    options: OptionList = ()
    error: OptionError | None = None
    if header in (HOP_BY_HOP, DESTINATION):
        options, error = parse_ipv6_options(walk.data[at + 2 : at + header_bytes])
    final = _final_of(walk, at, header_bytes) if header == ROUTING else None
    extension = Extension(at, header, next_header, header_bytes, options, final)
    walk.layers.append(extension)
    if error:
        walk.malformed(at + 2 + error.offset, name, error.reason)
    return extension


def _checksum_addresses(walk: Walk, extension: Extension, addresses: bytes | None) -> bytes | None:
    """The pseudo-header's addresses after an extension header that may change them.

    Source: RFC 8200, 8.1 (final destination); RFC 6275, 11.3.1 (home address).
    """
    if addresses is None:
        return None
    at = extension.offset
    if (home := extension.home_address) is not None:
        return home.packed + addresses[16:]
    if extension.header != ROUTING or walk.data[at + 3] == 0:
        return addresses
    return addresses[:16] + extension.final.packed if extension.final else None


def _final_of(walk: Walk, at: int, size: int) -> IPv6Address | None:
    """The last stop of a routing header, if it is known and another than the next one.

    Source: RFC 5095 (type 0), RFC 6275, 6.4 (type 2), RFC 8754, 2 (type 4).
    """
    kind, left = walk.data[at + 2], walk.data[at + 3]
    if not left or size < 24 or kind not in (0, 2, 4):
        return None
    # A segment routing header lists its segments last first.
    final = at + 8 if kind == 4 else at + size - 16
    return IPv6Address(walk.data[final : final + 16])


def _dissect_fragment_header(walk: Walk, at: int, end: int) -> Fragment | None:
    """Add a Fragment header; None where only a part of the datagram follows it.

    A fragment that is a whole datagram is dissected as one (RFC 8200, 4.5), and so is
    the beginning that an ICMP error quotes.
    """
    if not walk.holds(at, 8, end, "IPv6 fragment header"):
        return None
    fragment = headers.fragment(walk.data, at)
    walk.layers.append(fragment)
    if fragment.fragment_offset == 0 and (walk.quoted or not fragment.more_fragments):
        return fragment
    _add_fragment(walk, at + 8, end, fragment, 0)
    return None


def _add_fragment(
    walk: Walk, at: int, end: int, header: IPv4 | Fragment, header_bytes: int
) -> None:
    """Add a fragment's bytes, which are no layer until the datagram is whole."""
    layer = "IPv4" if isinstance(header, IPv4) else "IPv6 fragment header"
    size = end - at
    if header.more_fragments and size % 8:
        reason = f"{counted(size, 'byte')}, not a multiple of 8, in a fragment that is not the last"
        walk.malformed(header.offset, layer, reason)
    if header_bytes + header.fragment_offset + size > LONGEST_LENGTH:
        walk.malformed(header.offset, layer, "the fragment ends past 65535 bytes")
    walk.payload(at, end)


def _quoted_layers(data: bytes, at: int) -> tuple[Layer, ...]:
    """The layers of the packet an ICMP error quotes from `at` on, as far as they go."""
    if at >= len(data):
        return ()
    walk = Walk(data, quoted=True)
    dissect_ip(walk, at, _OPEN_END)
    return tuple(walk.layers)
