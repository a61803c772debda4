"""ICMP and ICMPv6 in a walk, with what an error quotes."""

from __future__ import annotations

from collections.abc import Callable

from lab.analysis.packets import headers
from lab.analysis.packets.packet import Layer
from lab.analysis.packets.walk import Walk

ICMP, ICMPV6 = 1, 58

Quote = Callable[[bytes, int], tuple[Layer, ...]]
"""The layers of a packet quoted in the bytes, from a position to their end."""

_QUOTING = {4: frozenset((3, 4, 5, 11, 12)), 6: frozenset((1, 2, 3, 4))}
"""Types whose headers are followed by the packet they are about, by version."""

_NEIGHBOUR_DISCOVERY = range(133, 138)
_LINK_LAYER_ADDRESSES = (1, 2)
_REDIRECTED_HEADER = 4


def dissect_icmp(
    walk: Walk, at: int, end: int, addresses: bytes | None, version: int, quote: Quote
) -> None:
    """Add Icmp, and Payload where the message carries data of its own (an echo)."""
    layer = "ICMP" if version == 4 else "ICMPv6"
    if not walk.holds(at, 4, end, layer):
        return
    kind = walk.data[at]
    size = headers.icmp_bytes(version, kind)
    if not walk.holds(at, size, end, layer):
        return
    checksum_ok = walk.checksum_ok(at, end, addresses, ICMPV6 if version == 6 else None)
    link_layer: str | None = None
    quoted: tuple[Layer, ...] = ()
    discovery = version == 6 and kind in _NEIGHBOUR_DISCOVERY
    # An error is never sent about an error, so that quotations need not nest.
    quoting = kind in _QUOTING[version] and not walk.quoted
    options = Walk(walk.data, quoted=walk.quoted)
    if discovery:
        link_layer, quoted = _discovery_options(options, at + size, end, quote)
    elif quoting:
        quoted = quote(walk.data[: walk.present_end(end)], at + size)
    walk.layers.append(headers.icmp(walk.data, at, version, checksum_ok, link_layer, quoted))
    walk.layers += options.layers
    if not (discovery or quoting):
        walk.payload(at + size, end)


def _discovery_options(
    walk: Walk, at: int, end: int, quote: Quote
) -> tuple[str | None, tuple[Layer, ...]]:
    """The first link-layer address and the redirected packet. Source: RFC 4861, 4.6."""
    link_layer: str | None = None
    quoted: tuple[Layer, ...] = ()
    while at < end:
        if not walk.holds(at, 2, end, "ICMPv6 option"):
            break
        kind, size = walk.data[at], walk.data[at + 1] * 8
        if size == 0:
            walk.malformed(at, "ICMPv6 option", f"option {kind} has length 0")
            break
        if not walk.holds(at, size, end, "ICMPv6 option"):
            break
        if kind in _LINK_LAYER_ADDRESSES and size == 8 and link_layer is None:
            link_layer = headers.link_layer_address(walk.data, at)
        elif kind == _REDIRECTED_HEADER and not walk.quoted:
            quoted = quote(walk.data[: at + size], at + 8)
        at += size
    return link_layer, quoted
