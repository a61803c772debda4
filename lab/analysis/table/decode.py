"""Frames → columns, all frames of a batch at once: what `dissect` says of the same ones.

A frame is followed from its link-layer header to TCP or UDP as far as all is as it ought to be.
What is not, or is rare (fragments, tunnels, source routing, a header that the capture cut, ICMP
that quotes a packet), is ODD: `dissect` is for it. A frame in which nothing of a flow can be is
OTHER.

Source: RFC 791, 3.1; RFC 8200, 3 and 4; RFC 9293, 3.1; RFC 768;
https://www.tcpdump.org/linktypes.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from lab.analysis.packets.tunnels import BY_EITHER_PORT, BY_PORT, BY_PROTOCOL, BY_TYPE
from lab.analysis.table.addresses import AddressNumbers
from lab.analysis.table.columns import ODD, OTHER, RIGHT, TCP, UDP, UNKNOWN, WRONG, columns_of
from lab.analysis.table.octets import BigEndian
from lab.analysis.table.options import decode_options
from lab.records import LinkType

if TYPE_CHECKING:
    from lab.analysis.table.columns import PacketColumns, SackColumns
    from lab.records.bulk.batch import Flags, FrameBatch, Ints

_IPV4, _ARP, _IPV6, _NOTHING = 0x0800, 0x0806, 0x86DD, -1
_TAGS = (0x8100, 0x88A8, 0x9100)
_OTHER_TAGS = (0x893F, 0x8926, 0x892F, 0x8909)
_LONGEST_LENGTH, _FIRST_TYPE = 1500, 0x0600
_MOST_TAGS, _MOST_EXTENSIONS = 4, 8
_TYPELESS_HARDWARE = (803, 824)
_LOOPBACK_IPV4, _LOOPBACK_IPV6 = 2, (10, 24, 28, 30)
_TCP, _UDP, _ICMP, _ICMPV6, _AUTHENTICATION = 6, 17, 1, 58, 51
_QUOTING, _QUOTING_6 = (3, 4, 5, 11, 12), (1, 2, 3, 4, 137)
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION, _MOBILITY = 0, 43, 44, 60, 135
_SOURCE_ROUTES, _HOME_ADDRESS = (131, 137), 0xC9
_FRAGMENT_BITS, _FRAGMENT_BITS_6 = 0x3FFF, 0xFFF9
_LONGEST_UDP = 0xFFFF
_WHOLE = 0xFFFF


class _Frames:
    """The frames of a batch while they are followed."""

    def __init__(self, batch: FrameBatch) -> None:
        count = len(batch)
        self.batch = batch
        self.octets = BigEndian(batch.data)
        self.present = batch.starts + batch.captured
        """Where each one's captured bytes end."""
        self.end = batch.starts + np.maximum(batch.wire, batch.captured)
        """Where it ended on the link."""
        self.at = batch.starts.copy()
        """Where the next header begins."""
        self.following = np.full(count, _NOTHING, dtype=np.int64)
        """The EtherType of what does."""
        self.kind = np.full(count, OTHER, dtype=np.uint8)
        self.version = np.zeros(count, dtype=np.int64)
        self.source = np.zeros(count, dtype=np.int64)
        self.destination = np.zeros(count, dtype=np.int64)
        self.ttl = np.zeros(count, dtype=np.int64)
        self.ip_checksum = np.full(count, UNKNOWN, dtype=np.int64)
        self.protocol = np.full(count, _NOTHING, dtype=np.int64)
        self.address_sum = np.zeros(count, dtype=np.int64)
        """The pseudo-header's addresses', modulo 65535."""

    def hold(self, rows: Ints, size: Ints | int) -> Flags:
        """Whether so many bytes were captured from where the next header begins."""
        end = np.minimum(self.present[rows], self.end[rows])
        held: Flags = self.at[rows] + size <= end
        return held

    def keep(self, rows: Ints, good: Flags) -> Ints:
        """Those of the rows that are good; the others are ODD."""
        self.kind[rows[~good]] = ODD
        return rows[good]


def decode(batch: FrameBatch, addresses: AddressNumbers) -> tuple[PacketColumns, SackColumns]:
    """The columns of a batch's frames; `addresses` numbers those of IPv6."""
    frames = _Frames(batch)
    for link in np.unique(batch.links).tolist():
        rows = np.nonzero(batch.links == link)[0]
        _LINKS.get(link, _odd_link)(frames, rows)
    _pass_tags(frames)
    _decode_ipv4(frames)
    _decode_ipv6(frames, addresses)
    values: dict[str, Ints | Flags] = {
        "number": batch.numbers, "place": batch.places, "time_ns": batch.time_ns,
        "captured": batch.captured, "wire": batch.wire, "point": batch.points,
        "link": batch.links, "direction": batch.directions,
    }  # fmt: skip
    sacks = _decode_transport(frames, values)
    transport = (frames.kind == TCP) | (frames.kind == UDP)
    for name in ("version", "source", "destination", "ttl", "ip_checksum"):
        values[name] = np.where(transport, getattr(frames, name), 0)
    values["kind"] = frames.kind.astype(np.int64)
    return columns_of(values, len(batch)), sacks


def _among(values: Ints, numbers: Iterable[int]) -> Flags:
    found = np.zeros(len(values), dtype=bool)
    for number in numbers:
        found |= values == number
    return found


def _odd_link(frames: _Frames, rows: Ints) -> None:
    frames.kind[rows] = ODD


def _ethernet(frames: _Frames, rows: Ints) -> None:
    rows = frames.keep(rows, frames.hold(rows, 14))
    kinds = frames.octets.two(frames.at[rows] + 12)
    frames.at[rows] += 14
    # A length: LLC may have IP behind it.
    _follow(frames, rows, kinds, kinds > _LONGEST_LENGTH)


def _follow(frames: _Frames, rows: Ints, kinds: Ints, good: Flags | bool) -> None:
    """What follows in those rows is of those EtherTypes; ODD where that is not good."""
    frames.following[rows] = kinds
    if good is not True:
        frames.following[rows[~good]] = _NOTHING
        frames.kind[rows[~good]] = ODD


def _cooked(version: int) -> Callable[[_Frames, Ints], None]:
    size, kind_at, hardware_at = (16, 14, 2) if version == 1 else (20, 0, 8)

    def follow(frames: _Frames, rows: Ints) -> None:
        rows = frames.keep(rows, frames.hold(rows, size))
        at = frames.at[rows]
        kinds = frames.octets.two(at + kind_at)
        hardware = frames.octets.two(at + hardware_at)
        has_type = (kinds >= _FIRST_TYPE) & ~_among(hardware, _TYPELESS_HARDWARE)
        frames.at[rows] += size
        frames.following[rows] = np.where(has_type, kinds, _NOTHING)

    return follow


def _loopback(frames: _Frames, rows: Ints) -> None:
    rows = frames.keep(rows, frames.hold(rows, 4))
    family = frames.octets.four(frames.at[rows])
    swapped = (
        (family >> 24)
        | (family >> 8 & 0xFF00)
        | (family << 8 & 0xFF0000)
        | (family << 24 & 0xFF000000)
    )
    family = np.where(family > 0xFFFF, swapped, family)
    frames.at[rows] += 4
    is_6 = _among(family, _LOOPBACK_IPV6)
    frames.following[rows] = np.where(
        family == _LOOPBACK_IPV4, _IPV4, np.where(is_6, _IPV6, _NOTHING)
    )


def _raw(frames: _Frames, rows: Ints) -> None:
    rows = frames.keep(rows, frames.hold(rows, 1))
    version = frames.octets.one(frames.at[rows]) >> 4
    kinds = np.where(version == 4, _IPV4, _IPV6)
    _follow(frames, rows, kinds, (version == 4) | (version == 6))


def _only(kind: int) -> Callable[[_Frames, Ints], None]:
    def follow(frames: _Frames, rows: Ints) -> None:
        frames.following[rows] = kind

    return follow


_LINKS: dict[int, Callable[[_Frames, Ints], None]] = {
    LinkType.ETHERNET: _ethernet,
    LinkType.LINUX_SLL: _cooked(1),
    LinkType.LINUX_SLL2: _cooked(2),
    LinkType.NULL: _loopback,
    LinkType.LOOP: _loopback,
    LinkType.RAW: _raw,
    LinkType.IPV4: _only(_IPV4),
    LinkType.IPV6: _only(_IPV6),
}


def _pass_tags(frames: _Frames) -> None:
    """Go behind VLAN tags; what has other tags, or is a tunnel by its type, is ODD."""
    for _ in range(_MOST_TAGS):
        rows = np.nonzero(_among(frames.following, _TAGS))[0]
        if not len(rows):
            break
        held = frames.hold(rows, 4)
        frames.following[rows[~held]] = _NOTHING
        rows = frames.keep(rows, held)
        kinds = frames.octets.two(frames.at[rows] + 2)
        frames.at[rows] += 4
        _follow(frames, rows, kinds, kinds > _LONGEST_LENGTH)
    odd = _among(frames.following, (*_TAGS, *_OTHER_TAGS)) | _among(frames.following, BY_TYPE)
    frames.kind[odd] = ODD


def _decode_ipv4(frames: _Frames) -> None:
    octets = frames.octets
    rows = np.nonzero(frames.following == _IPV4)[0]
    rows = frames.keep(rows, frames.hold(rows, 20))
    first = octets.one(frames.at[rows])
    rows = frames.keep(rows, (first >> 4 == 4) & (first & 15 >= 5))
    size = (octets.one(frames.at[rows]) & 15) * 4
    held = frames.hold(rows, size)
    rows, size = frames.keep(rows, held), size[held]
    at = frames.at[rows]
    total = octets.two(at + 2)
    # A frame captured before segmentation offload has no total length yet.
    total = np.where(total == 0, frames.end[rows] - at, total)
    good = (total >= size) & (at + total <= frames.end[rows])
    good &= octets.two(at + 6) & _FRAGMENT_BITS == 0
    good &= ~_has_byte(octets, at + 20, size - 20, _SOURCE_ROUTES)
    rows, size, total = frames.keep(rows, good), size[good], total[good]
    at = frames.at[rows]
    frames.version[rows] = 4
    frames.source[rows] = octets.four(at + 12)
    frames.destination[rows] = octets.four(at + 16)
    frames.ttl[rows] = octets.one(at + 8)
    frames.protocol[rows] = octets.one(at + 9)
    # All zeros leave no rest either, but a header that is right has a version.
    sums = octets.short_sums(at, 20)
    (longer,) = np.nonzero(size > 20)
    sums[longer] = octets.sums(at[longer], (at + size)[longer])
    frames.ip_checksum[rows] = np.where(sums == 0, RIGHT, WRONG)
    frames.address_sum[rows] = octets.short_sums(at + 12, 8)
    frames.at[rows] += size
    frames.end[rows] = at + total


def _has_byte(octets: BigEndian, at: Ints, size: Ints, numbers: tuple[int, ...]) -> Flags:
    """Whether any of the `size` bytes at those places is one of the numbers."""
    found = np.zeros(len(at), dtype=bool)
    (left,) = np.nonzero(size > 0)
    place = 0
    while len(left):
        found[left] |= _among(octets.one(at[left] + place), numbers)
        place += 1
        left = left[size[left] > place]
    return found


def _decode_ipv6(frames: _Frames, addresses: AddressNumbers) -> None:
    octets = frames.octets
    rows = np.nonzero(frames.following == _IPV6)[0]
    rows = frames.keep(rows, frames.hold(rows, 40))
    at = frames.at[rows]
    size, following = octets.two(at + 4), octets.one(at + 6)
    good = (octets.one(at) >> 4 == 6) & (at + 40 + size <= frames.end[rows])
    good &= (size > 0) | (following != _HOP_BY_HOP)  # else it may be a jumbogram
    rows, size, following = frames.keep(rows, good), size[good], following[good]
    if not len(rows):
        return
    at = frames.at[rows]
    frames.version[rows] = 6
    frames.source[rows] = addresses.numbers(octets.eight(at + 8), octets.eight(at + 16))
    frames.destination[rows] = addresses.numbers(octets.eight(at + 24), octets.eight(at + 32))
    frames.ttl[rows] = octets.one(at + 7)
    frames.protocol[rows] = following
    frames.address_sum[rows] = octets.short_sums(at + 8, 32)
    frames.end[rows] = at + 40 + size
    frames.at[rows] += 40
    _pass_extensions(frames, rows)


def _pass_extensions(frames: _Frames, rows: Ints) -> None:
    """Go behind extension headers that change nothing about what follows."""
    octets = frames.octets
    passed = (_HOP_BY_HOP, _DESTINATION, _ROUTING, _FRAGMENT)
    for _ in range(_MOST_EXTENSIONS):
        rows = rows[_among(frames.protocol[rows], (*passed, _AUTHENTICATION, _MOBILITY))]
        rows = frames.keep(rows, _among(frames.protocol[rows], passed) & frames.hold(rows, 8))
        if not len(rows):
            return
        at, protocol = frames.at[rows], frames.protocol[rows]
        is_fragment = protocol == _FRAGMENT
        size = np.where(is_fragment, 8, (octets.one(at + 1) + 1) * 8)
        good = frames.hold(rows, size)
        good &= ~is_fragment | (octets.two(at + 2) & _FRAGMENT_BITS_6 == 0)
        good &= (protocol != _ROUTING) | (octets.one(at + 3) == 0)
        looked_at = np.where((protocol == _DESTINATION) & good, size - 2, 0)
        good &= ~_has_byte(octets, at + 2, looked_at, (_HOME_ADDRESS,))
        following = octets.one(at)
        frames.protocol[rows[~good]] = _NOTHING
        rows, size, following = frames.keep(rows, good), size[good], following[good]
        frames.protocol[rows] = following
        frames.at[rows] += size
    frames.kind[rows] = ODD
    frames.protocol[rows] = _NOTHING


def _decode_transport(frames: _Frames, values: dict[str, Ints | Flags]) -> SackColumns:
    protocol = np.where(frames.kind == ODD, _NOTHING, frames.protocol)
    frames.kind[_among(protocol, (_AUTHENTICATION,)) | _among(protocol, BY_PROTOCOL)] = ODD
    for version, number, quoting in ((4, _ICMP, _QUOTING), (6, _ICMPV6, _QUOTING_6)):
        rows = np.nonzero((protocol == number) & (frames.version == version))[0]
        rows = frames.keep(rows, frames.hold(rows, 1))
        kinds = frames.octets.one(frames.at[rows])
        frames.kind[rows[_among(kinds, quoting)]] = ODD
    count = len(frames.kind)
    for name in (
        "source_port", "destination_port", "payload", "present", "checksum", "left_to_card",
        "seq", "ack", "flags", "window", "urgent", "header_bytes",
    ):  # fmt: skip
        values[name] = np.zeros(count, dtype=np.int64)
    _decode_udp(frames, np.nonzero(protocol == _UDP)[0], values)
    return _decode_tcp(frames, np.nonzero(protocol == _TCP)[0], values)


def _decode_udp(frames: _Frames, rows: Ints, values: dict[str, Ints | Flags]) -> None:
    octets = frames.octets
    rows = frames.keep(rows, frames.hold(rows, 8))
    at = frames.at[rows]
    length, to_end = octets.two(at + 4), frames.end[rows] - at
    source, destination = octets.two(at), octets.two(at + 2)
    good = (length >= 8) & (length <= to_end)
    good &= ~_among(destination, BY_PORT) & ~_among(destination, BY_EITHER_PORT)
    good &= ~_among(source, BY_EITHER_PORT)
    rows, length = frames.keep(rows, good), length[good]
    at, end = frames.at[rows], frames.at[rows] + length
    frames.kind[rows] = UDP
    values["source_port"][rows], values["destination_port"][rows] = source[good], destination[good]
    values["payload"][rows] = length - 8
    values["present"][rows] = np.maximum(np.minimum(end, frames.present[rows]) - at - 8, 0)
    field = octets.two(at + 6)
    # Zero is no checksum over IPv4 (RFC 768), and over IPv6 none that is allowed.
    is_sent = field != 0
    judged = np.where(is_sent | (frames.version[rows] == 4), UNKNOWN, WRONG)
    values["checksum"][rows] = judged
    _judge(frames, rows[is_sent], end[is_sent], field[is_sent], _UDP, values)


def _decode_tcp(frames: _Frames, rows: Ints, values: dict[str, Ints | Flags]) -> SackColumns:
    octets = frames.octets
    rows = frames.keep(rows, frames.hold(rows, 20))
    at = frames.at[rows]
    bits = octets.two(at + 12)
    size = (bits >> 12) * 4
    good = (size >= 20) & frames.hold(rows, size)
    rows, bits, size = frames.keep(rows, good), bits[good], size[good]
    at, end = frames.at[rows], frames.end[rows]
    frames.kind[rows] = TCP
    ports, values["seq"][rows], values["ack"][rows] = (octets.four(at + n) for n in (0, 4, 8))
    values["source_port"][rows], values["destination_port"][rows] = ports >> 16, ports & 0xFFFF
    values["flags"][rows], values["header_bytes"][rows] = bits & 0xFFF, size
    values["window"][rows], values["urgent"][rows] = octets.two(at + 14), octets.two(at + 18)
    begins = at + size
    values["payload"][rows] = end - begins
    values["present"][rows] = np.maximum(np.minimum(end, frames.present[rows]) - begins, 0)
    _judge(frames, rows, end, octets.two(at + 16), _TCP, values)
    return decode_options(octets, at, size, rows, values, len(frames.kind))


def _judge(
    frames: _Frames,
    rows: Ints,
    end: Ints,
    field: Ints,
    protocol: int,
    values: dict[str, Ints | Flags],
) -> None:
    """Judge the checksums that stand in those fields, where all that they are about is there."""
    values["checksum"][rows] = UNKNOWN
    whole = end <= frames.present[rows]
    rows, end, field = rows[whole], end[whole], field[whole]
    at = frames.at[rows]
    before = frames.address_sum[rows] + protocol
    is_right = (frames.octets.sums(at, end) + before + end - at) % _WHOLE == 0
    values["checksum"][rows] = np.where(is_right, RIGHT, WRONG)
    # Linux seeds the field with the pseudo-header's sum; without the length, where the card is
    # also to cut the segment.
    lengths = (end - at, np.zeros(len(at), dtype=np.int64))
    is_seed = [field == _folded(before + length) for length in lengths]
    values["left_to_card"][rows] = ~is_right & (is_seed[0] | is_seed[1])


def _folded(sums: Ints) -> Ints:
    rest = sums % _WHOLE
    return np.where(rest == 0, _WHOLE, rest)
