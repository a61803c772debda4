"""Which flow each packet of a table is of: what `group_flows` says, for all packets at once.

Packets between the same two endpoints are sorted together; among them only where SYNs repeat, or
come late, is gone through them one after another. So is it through the packets that have no whole
transport header, which are few.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lab.analysis.flows.flow import SequenceBase
from lab.analysis.packets.fragments import REASSEMBLY_TIMEOUT_NS
from lab.analysis.table.columns import TCP, UDP
from lab.analysis.table.unique import first_of_each

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.analysis.flows.crossing import FlowEnds
    from lab.analysis.flows.flow import Mention
    from lab.analysis.table.addresses import AddressNumbers
    from lab.analysis.table.columns import PacketColumns
    from lab.analysis.table.odd_packets import OddPacket
    from lab.model.address import SocketAddress
    from lab.records.bulk.batch import Flags, Ints

FIN, SYN, RST, ACK = 1, 2, 4, 16
NO_FLOW = -1

_Keys = NDArray[np.uint64]

_Key = tuple[int, int]


@dataclass(slots=True)
class FlowColumns:
    """The flows of a table in the order in which `group_flows` has them, an element each."""

    protocol: Ints
    """TCP or UDP."""
    number: Ints
    """Of its protocol: tshark's tcp.stream, udp.stream."""
    version: Ints
    """Of IP."""
    a_address: Ints
    """The side that began; as in the columns of packets."""
    a_port: Ints
    b_address: Ints
    b_port: Ints
    is_of_one_socket: Flags
    """Whether both ends are the same."""
    members: Ints
    """The rows of all flows' packets, flow after flow, each one's in order."""
    member_starts: Ints
    """Where each flow's begin among these; and, at the end, how many there are."""
    is_from_a: Flags
    """Of each of `members`, whether `a` has sent it."""
    errors: dict[int, list[int]] = field(default_factory=dict)
    """By flow, the rows of the ICMP errors about it, if there are any."""
    parts: dict[int, list[int]] = field(default_factory=dict)
    """By flow, the rows of what carries a packet of it in part."""

    def __len__(self) -> int:
        return len(self.number)

    def rows(self, flow: int) -> Ints:
        """The rows of a flow's packets."""
        return self.members[self.member_starts[flow] : self.member_starts[flow + 1]]

    def attached(self, flow: int) -> list[int]:
        """The rows of what else belongs to it."""
        return [*self.errors.get(flow, ()), *self.parts.get(flow, ())]


def group(
    columns: PacketColumns, addresses: AddressNumbers, odd: Sequence[OddPacket] = ()
) -> FlowColumns:
    """The flows of these packets; `odd` are those of which columns do not hold all."""
    (rows,) = np.nonzero((columns.kind == TCP) | (columns.kind == UDP))
    low, high, is_from_low = _ends_of(columns, rows)
    _, pair = first_of_each(low, high)
    order = np.argsort(pair, kind="stable")
    begins = _beginnings(columns, rows, order, pair, is_from_low, low == high)
    conversation_sorted = np.cumsum(begins) - 1
    first_places = order[begins]  # among `rows`, by conversation in the order of pairs
    rank = np.empty(len(first_places), dtype=np.int64)
    by_time = np.argsort(first_places, kind="stable")
    rank[by_time] = np.arange(len(by_time))
    conversation = np.empty(len(rows), dtype=np.int64)
    conversation[order] = rank[conversation_sorted]
    first_places = first_places[by_time]
    del conversation_sorted, by_time, rank
    attaching = _Attaching(
        columns.time_ns, rows, conversation, rows[first_places], low[first_places],
        high[first_places], columns.kind[rows[first_places]].astype(np.int64), addresses,
    )  # fmt: skip
    attaching.take(odd)
    order = np.argsort(conversation, kind="stable")
    return _flows(columns, rows[order], conversation[order], attaching)


def _ends_of(columns: PacketColumns, rows: Ints) -> tuple[_Keys, _Keys, Flags]:
    """Each packet's ends as two numbers, the lower first, and whether that one has sent it."""
    marks = (columns.version[rows] == 6).astype(np.uint64) << np.uint64(48)
    marks |= (columns.kind[rows] == TCP).astype(np.uint64) << np.uint64(49)
    source, destination = (
        columns_address[rows].astype(np.uint64) << np.uint64(16) | ports[rows] | marks
        for columns_address, ports in (
            (columns.source, columns.source_port),
            (columns.destination, columns.destination_port),
        )
    )
    is_from_low = source <= destination
    return np.minimum(source, destination), np.maximum(source, destination), is_from_low


def _beginnings(
    columns: PacketColumns, rows: Ints, order: Ints, pair: Ints, is_from_low: Flags, is_one: Flags
) -> Flags:
    """Of the packets in the order of their pairs, whether each begins a conversation."""
    count = len(rows)
    begins = np.ones(count, dtype=bool)
    if not count:
        return begins
    sorted_pair = pair[order]
    begins[1:] = sorted_pair[1:] != sorted_pair[:-1]
    (starts,) = np.nonzero(begins)
    flags = np.where(columns.kind[rows[order]] == TCP, columns.flags[rows[order]], 0)
    is_syn = flags & SYN != 0
    syns = np.add.reduceat(is_syn.astype(np.int64), starts)
    second = np.minimum(starts + 1, count - 1)
    from_low = is_from_low[order]
    # One SYN of each side before all else of that side: no conversation after another.
    is_opened = flags[starts] & (SYN | ACK) == SYN
    is_answered = is_syn[second] & (from_low[second] != from_low[starts])
    is_plain = (syns == 0) | (is_opened & ((syns == 1) | ((syns == 2) & is_answered)))
    ends = np.append(starts[1:], count)
    for which in np.nonzero(~is_plain)[0].tolist():
        start, end = int(starts[which]), int(ends[which])
        of_pair = rows[order[start:end]]
        is_same = bool(is_one[order[start]])
        for place in _reopenings(columns, of_pair, from_low[start:end], is_same):
            begins[start + place] = True
    return begins


def _reopenings(
    columns: PacketColumns, rows: Ints, from_low: Flags, is_of_one_socket: bool
) -> Iterable[int]:
    """The places among a pair's packets at which another conversation begins."""
    base = SequenceBase()
    first = bool(from_low[0])
    sides = (from_low == first).tolist()
    segments = zip(
        sides, columns.seq[rows].tolist(), columns.ack[rows].tolist(),
        columns.flags[rows].tolist(), strict=True,
    )  # fmt: skip
    for place, (side, seq, ack, flags) in enumerate(segments):
        if base.is_reused_by(side, seq, ack, flags):
            base = SequenceBase()
            yield place
        base.note(side, side if is_of_one_socket else not side, seq, ack, flags)


@dataclass(slots=True)
class _Conversation:
    """What is attached to a conversation, or to what may become one."""

    key: _Key
    begun_at: int
    """The row at which its first whole packet came; that of its first sign where none did yet."""
    numbered_at: int | None
    place: int | None
    """Its place among those with whole packets; None without any."""
    is_listed: bool
    """Whether it is a flow though it has no whole packet."""
    ends: FlowEnds | None = None
    """As the packet has them that was the first sign of it."""
    errors: list[int] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)


class _Attaching:
    """Finds the conversations of packets that have no whole transport header."""

    def __init__(
        self,
        times_ns: Ints,
        rows: Ints,
        conversation: Ints,
        first_rows: Ints,
        low: _Keys,
        high: _Keys,
        protocol: Ints,
        addresses: AddressNumbers,
    ) -> None:
        self.first_rows = first_rows
        self.numbered_rows = first_rows.copy()
        self.protocol = protocol
        self.touched: dict[int, _Conversation] = {}
        """By the place of the conversation, what became of those that anything is attached to."""
        self.without: list[_Conversation] = []
        """Those without whole packets."""
        self._times_ns = times_ns
        self._rows, self._conversation = rows, conversation
        self._low, self._high = low, high
        self._addresses = addresses
        self._of_key: dict[_Key, list[int]] | None = None
        self._pending: dict[_Key, _Conversation] = {}
        self._fragments: dict[Hashable, list[tuple[int, Mention]]] = {}
        self._whole: dict[Hashable, _Conversation] = {}

    def take(self, odd: Sequence[OddPacket]) -> None:
        """Attach them all; they are in order."""
        for each in odd:
            if each.carrier is not None:
                self._number(each.carrier, each.row)
            if each.mention is not None:
                self._attach(each.row, each.mention)
            if each.datagram is not None:
                found = self._of_row(each.row)
                found.parts += [row for row, _ in self._fragments.pop(each.datagram, ())]
                self._whole[each.datagram] = found
        end = len(self._times_ns)
        for key, waiting in self._fragments.items():
            self._flush(key, waiting, end)
        for pending in self._pending.values():
            self._settle(pending)

    def _settle(self, pending: _Conversation) -> None:
        """Give what was attached before the first whole packet to the conversation of that."""
        places = self._places(pending.key)
        later = [place for place in places if self.first_rows[place] >= pending.begun_at]
        if not later:
            self.without.append(pending)
            return
        found = self._at(later[0])
        found.errors, found.parts = pending.errors + found.errors, pending.parts + found.parts
        if pending.numbered_at is not None:
            self.numbered_rows[later[0]] = pending.numbered_at

    def _attach(self, row: int, mention: Mention) -> None:
        if mention.ends is None or mention.datagram is not None:
            self._wait(row, mention)
            return
        found = self._latest(mention.ends, row)
        if mention.is_quoted:
            if found is not None:
                found.errors.append(row)
            return
        if found is None:
            found = self._begin(mention.ends, row, is_listed=True)
        if mention.is_numbered and found.numbered_at is None:
            found.numbered_at = row
        found.parts.append(row)

    def _wait(self, row: int, mention: Mention) -> None:
        waiting = self._fragments.setdefault(mention.datagram, [])
        if waiting:
            since_ns = self._times_ns[row] - self._times_ns[waiting[0][0]]
            if since_ns > REASSEMBLY_TIMEOUT_NS:
                self._flush(mention.datagram, waiting, row)
                waiting = self._fragments[mention.datagram] = []
        waiting.append((row, mention))

    def _flush(self, key: Hashable, waiting: list[tuple[int, Mention]], row: int) -> None:
        ends = next((mention.ends for _, mention in waiting if mention.ends), None)
        found = self._whole.get(key) if ends is None else self._latest(ends, row)
        if found is not None:
            found.parts += [each for each, _ in waiting]

    def _number(self, carrier: FlowEnds, row: int) -> None:
        found = self._latest(carrier, row) or self._begin(carrier, row, is_listed=False)
        if found.numbered_at is None:
            found.numbered_at = row

    def _latest(self, ends: FlowEnds, row: int) -> _Conversation | None:
        key = self._key(ends)
        begun = [place for place in self._places(key) if self.first_rows[place] < row]
        if begun:
            return self._at(begun[-1])
        return self._pending.get(key)

    def _begin(self, ends: FlowEnds, row: int, *, is_listed: bool) -> _Conversation:
        key = self._key(ends)
        made = self._pending[key] = _Conversation(key, row, None, None, is_listed, ends)
        return made

    def _of_row(self, row: int) -> _Conversation:
        place = int(np.searchsorted(self._rows, row))
        return self._at(int(self._conversation[place]))

    def _at(self, place: int) -> _Conversation:
        found = self.touched.get(place)
        if found is None:
            key = int(self._low[place]), int(self._high[place])
            row = int(self.first_rows[place])
            found = self.touched[place] = _Conversation(key, row, row, place, True)
        return found

    def _places(self, key: _Key) -> list[int]:
        """The conversations between those ends, in order."""
        if self._of_key is None:
            self._of_key = {}
            for place, each in enumerate(zip(self._low.tolist(), self._high.tolist(), strict=True)):
                self._of_key.setdefault(each, []).append(place)
        return self._of_key.get(key, [])

    def _key(self, ends: FlowEnds) -> _Key:
        protocol, source, destination = ends
        numbers = []
        for end in (source, destination):
            mark = (end.address.version == 6) << 48 | (protocol == "tcp") << 49
            numbers.append(self.end_number(end) << 16 | end.port | mark)
        return min(numbers), max(numbers)

    def end_number(self, end: SocketAddress) -> int:
        """An end's address, as columns have it."""
        value = int(end.address)
        return value if end.address.version == 4 else self._addresses.number(value)


def _flows(
    columns: PacketColumns, members: Ints, conversation: Ints, attaching: _Attaching
) -> FlowColumns:
    """The flows; `members` are the rows of their packets in the order of `conversation`."""
    without = [each for each in attaching.without if each.is_listed]
    count, extra = len(attaching.first_rows), len(without)
    starts = np.searchsorted(conversation, np.arange(count + extra + 1))
    protocol = np.concatenate(
        (attaching.protocol, [TCP if _is_tcp(each) else UDP for each in without])
    ).astype(np.int64)
    first, is_reversed = _initiators(columns, members, starts[: count + 1])
    a_address = np.where(is_reversed, columns.destination[first], columns.source[first])
    b_address = np.where(is_reversed, columns.source[first], columns.destination[first])
    a_port = np.where(is_reversed, columns.destination_port[first], columns.source_port[first])
    b_port = np.where(is_reversed, columns.source_port[first], columns.destination_port[first])
    version = columns.version[first].astype(np.int64)
    sides = [_sides_of(each, attaching) for each in without]
    made = np.array(sides, dtype=np.int64).reshape(extra, 5)
    ends = [
        np.concatenate((known.astype(np.int64), made[:, n]))
        for n, known in enumerate((a_address, a_port, b_address, b_port, version))
    ]
    flow = conversation
    is_from_a = (columns.source[members] == ends[0][flow]) & (
        columns.source_port[members] == ends[1][flow]
    )
    flows = FlowColumns(
        protocol, _numbers(attaching, without, protocol), ends[4], ends[0], ends[1], ends[2],
        ends[3], (ends[0] == ends[2]) & (ends[1] == ends[3]), members, starts, is_from_a,
    )  # fmt: skip
    attached = [*attaching.touched.items(), *enumerate(without, start=count)]
    flows.errors = {place: each.errors for place, each in attached if each.errors}
    flows.parts = {place: each.parts for place, each in attached if each.parts}
    return flows


def _is_tcp(each: _Conversation) -> bool:
    return bool(each.key[0] >> 49 & 1)


def _sides_of(each: _Conversation, attaching: _Attaching) -> tuple[int, int, int, int, int]:
    """AddressNumbers, ports and IP version of one without whole packets, by its first part."""
    assert each.ends is not None, "what has no whole packet began with a sign of it"
    _, source, destination = each.ends
    source_key, destination_key = (attaching.end_number(end) for end in (source, destination))
    version = source.address.version
    return source_key, source.port, destination_key, destination.port, version


def _initiators(columns: PacketColumns, members: Ints, starts: Ints) -> tuple[Ints, Flags]:
    """Of each flow the row that tells which side began, and whether that is its receiver."""
    count = len(starts) - 1
    firsts = members[starts[:-1]] if count else np.zeros(0, dtype=np.int64)
    flow = np.repeat(np.arange(count), np.diff(starts))
    flags = columns.flags[members]  # 0 of UDP
    is_reversed = np.zeros(count, dtype=bool)
    for with_ack in (True, False):
        (places,) = np.nonzero(flags & (SYN | ACK) == (SYN | ACK if with_ack else SYN))
        places = places[::-1]  # of several assignments the last one stays: the first in order
        firsts[flow[places]] = members[places]
        is_reversed[flow[places]] = with_ack
    return firsts, is_reversed


def _numbers(attaching: _Attaching, without: list[_Conversation], protocol: Ints) -> Ints:
    """The flows' numbers: by when each was first seen whole, or enough of it; then the others."""
    count = len(attaching.first_rows)
    numbers = np.zeros(count + len(without), dtype=np.int64)
    last = len(attaching.first_rows) + (1 << 62)
    for each in (TCP, UDP):
        # Rows, then whether a datagram around it was numbered at the same one.
        events: list[tuple[int, int, int]] = []
        (places,) = np.nonzero(protocol[:count] == each)
        rows = attaching.numbered_rows[places]
        carriers = [
            other
            for other in attaching.without
            if not other.is_listed and _is_tcp(other) == (each == TCP)
        ]
        unseen = [
            (at, other)
            for at, other in enumerate(without, start=count)
            if _is_tcp(other) == (each == TCP)
        ]
        early = attaching.first_rows[places] != rows
        if not carriers and not unseen and not early.any():
            numbers[places[np.argsort(rows, kind="stable")]] = np.arange(len(places))
            continue
        events += zip(rows.tolist(), (~early).astype(int).tolist(), places.tolist(), strict=True)
        events += [(other.numbered_at or 0, 0, -1) for other in carriers]
        events += [
            (last + at if other.numbered_at is None else other.numbered_at, 0, at)
            for at, other in unseen
        ]
        for number, (_, _, place) in enumerate(sorted(events)):
            if place >= 0:
                numbers[place] = number
    return numbers
