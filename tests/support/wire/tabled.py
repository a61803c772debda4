"""Packet tables of frames, and what is in them beside what the dissection of single frames says."""

from __future__ import annotations

import random
from collections.abc import Sequence

import frame_bytes as fb
import numpy as np

from lab.analysis.flow_summary import FlowSummary, summarise
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.crossings import crossings_of_capture
from lab.analysis.flows.flow import Flow, group_flows, transport_endpoints
from lab.analysis.packets.packet import IPv4
from lab.analysis.table.columns import NO_OPTION, OTHER, RIGHT, TCP, UDP, UNKNOWN, WRONG
from lab.analysis.table.notes import BIT_OF, NOTES
from lab.analysis.table.summaries import TableNotes, note, summaries
from lab.analysis.table.table import PacketTable, build_table
from lab.analysis.tcp.conversation import TcpConversation, analyse_tcp
from lab.analysis.tcp.segment import Note
from lab.model.address import SocketAddress
from lab.records import CANARY_TEXT, DIRECTIONS, Direction, Frame, LinkType
from lab.records.bulk.batch import PADDING_BYTES, FrameBatch

Facts = dict[str, object]

_STATE_OF = {None: UNKNOWN, True: RIGHT, False: WRONG}


def framed(
    data: bytes, time_ns: int = 0, link: LinkType = LinkType.ETHERNET, more: int = 0
) -> Frame:
    """A frame of one capture point; `more` bytes of it were not captured."""
    return Frame(time_ns, "if0", Direction.UNKNOWN, data, len(data) + more, link)


def points_of(frames: Sequence[Frame]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(frame.point for frame in frames))


def batch_of(frames: Sequence[Frame], first: int = 1) -> FrameBatch:
    """The frames as a batch, an odd number of bytes between them."""
    data, starts = bytearray(), []
    for number, frame in enumerate(frames):
        data += bytes(3 + 2 * (number % 2))
        starts.append(len(data))
        data += frame.data
    size = len(data) + PADDING_BYTES
    data += bytes(size + -size % 8 - len(data))
    points = points_of(frames)

    def column(values: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array(values, dtype=np.int64)

    return FrameBatch(
        np.frombuffer(bytes(data), dtype=np.uint8),
        column(starts),
        column([len(frame.data) for frame in frames]),
        column([frame.wire_bytes for frame in frames]),
        column([frame.time_ns for frame in frames]),
        column([points.index(frame.point) for frame in frames]),
        column([frame.link_type.value for frame in frames]),
        column([DIRECTIONS.index(frame.direction) for frame in frames]),
        np.arange(first, first + len(frames)),
        column(starts),
    )


def table_of(frames: Sequence[Frame], together: int = 1000) -> PacketTable:
    """The table of the frames, `together` of which are in one batch."""
    points = points_of(frames)
    batches = []
    for at in range(0, len(frames), together):
        batch = batch_of(frames[at : at + together], at + 1)
        names = points_of(frames[at : at + together])
        renumbered = np.array([points.index(names[n]) for n in batch.points.tolist()])
        batches.append(
            FrameBatch(
                batch.data,
                batch.starts,
                batch.captured,
                batch.wire,
                batch.time_ns,
                renumbered,
                batch.links,
                batch.directions,
                batch.numbers,
                batch.places,
            )
        )
    return build_table(batches, lambda: points)


def close_ups(frames: Sequence[Frame]) -> tuple[tuple[Crossing, ...], tuple[Flow, ...]]:
    """The crossings and flows of the same frames, each dissected by itself."""
    story = [each for each in frames if not each.data.startswith(CANARY_TEXT, 14)]
    crossings = crossings_of_capture(story)
    return crossings, group_flows(crossings)


def noted(table: PacketTable, flows: Sequence[Flow]) -> tuple[TableNotes, list[FlowSummary]]:
    """What a table says of its flows; those that it leaves to a close-up are among `flows`."""
    found = note(table, lambda place: analyse_tcp(flows[place]))
    return found, list(summaries(table, found))


def notes_of(found: TableNotes) -> dict[int, frozenset[Note]]:
    """By row, the notes of segments that have any."""
    return {
        row: frozenset(each for each in NOTES if BIT_OF[each] & bits)
        for row, bits in enumerate(found.notes.tolist())
        if bits
    }


def followed(flows: Sequence[Flow]) -> list[TcpConversation | None]:
    """Each flow followed by itself; None for one that is not of TCP."""
    return [analyse_tcp(flow) if flow.protocol == "tcp" else None for flow in flows]


def notes_by_close_up(
    conversations: Sequence[TcpConversation | None],
) -> dict[int, frozenset[Note]]:
    """The same of flows that were followed by themselves."""
    return {
        segment.crossing - 1: segment.notes
        for conversation in conversations
        if conversation is not None
        for segment in conversation.segments
        if segment.notes
    }


def summaries_by_close_up(flows: Sequence[Flow]) -> list[FlowSummary]:
    """The rows of the flows, each followed by itself."""
    return [*map(summarise, flows, followed(flows))]


def facts_of_crossing(crossing: Crossing) -> Facts:
    """What a table has in columns of a packet, by its dissection."""
    packet = crossing.packet
    frame = packet.frame
    facts: Facts = {
        "time_ns": frame.time_ns, "captured": len(frame.data), "wire": frame.wire_bytes,
        "link": frame.link_type.value, "direction": frame.direction, "point": frame.point,
    }  # fmt: skip
    ends = transport_endpoints(packet)
    if ends is None:
        return {**facts, "kind": OTHER}
    header = packet.tcp or packet.udp
    assert header is not None
    ip = packet.ip
    facts |= {
        "kind": UDP if packet.tcp is None else TCP, "source": ends[0], "destination": ends[1],
        "ttl": packet.lifetime,
        "ip_checksum": _STATE_OF[ip.checksum_ok if isinstance(ip, IPv4) else None],
        "checksum": _STATE_OF[header.checksum_ok], "left_to_card": header.is_left_to_card,
        "payload": header.payload_bytes, "present": len(packet.payload[: header.payload_bytes]),
    }  # fmt: skip
    tcp = packet.tcp
    if tcp is None:
        return facts
    shift, mss, sack = (tcp.option(name) for name in ("window_scale", "mss", "sack"))
    return facts | {
        "seq": tcp.seq, "ack": tcp.ack, "flags": int(tcp.flags), "window": tcp.window,
        "urgent": tcp.urgent_pointer, "header_bytes": tcp.header_bytes,
        "window_shift": shift.value if shift else NO_OPTION,
        "mss": mss.value if mss else NO_OPTION, "sack": sack.value if sack else None,
    }  # fmt: skip


def facts_of_row(table: PacketTable, row: int) -> Facts:
    """The same, by the table."""
    packets = table.packets
    kind = int(packets.kind[row])
    facts: Facts = {
        name: int(getattr(packets, name)[row]) for name in ("time_ns", "captured", "wire")
    }
    facts |= {
        "link": int(packets.link[row]), "direction": DIRECTIONS[packets.direction[row]],
        "point": table.points[packets.point[row]], "kind": kind,
    }  # fmt: skip
    if kind == OTHER:
        return facts
    for name in ("source", "destination"):
        number, version = int(getattr(packets, name)[row]), int(packets.version[row])
        port = int(getattr(packets, f"{name}_port")[row])
        facts[name] = SocketAddress(table.addresses.address(version, number), port)
    names = ["ttl", "ip_checksum", "checksum", "left_to_card", "payload", "present"]
    if kind == TCP:
        names += ["seq", "ack", "flags", "window", "urgent", "header_bytes", "window_shift", "mss"]
    facts |= {name: getattr(packets, name)[row].item() for name in names}
    if kind == TCP:
        (at,) = np.nonzero(table.sacks.rows == row)
        facts["sack"] = None
        if len(at):
            count = 2 * int(table.sacks.counts[at[0]])
            facts["sack"] = tuple(table.sacks.edges[at[0]][:count].tolist())
    return facts


def check_alike(frames: Sequence[Frame], together: int = 1000) -> PacketTable:
    """The table of the frames, which says of every packet, flow and note what close-ups say."""
    return check_alike_with_notes(frames, together)[0]


def check_alike_with_notes(
    frames: Sequence[Frame], together: int = 1000
) -> tuple[PacketTable, TableNotes]:
    """The same, and what the table says of its flows."""
    table = table_of(frames, together)
    crossings, flows = close_ups(frames)
    assert len(table.packets) == len(crossings)
    for row, crossing in enumerate(crossings):
        assert facts_of_row(table, row) == facts_of_crossing(crossing), f"frame {row + 1}"
    for place, flow in enumerate(flows):
        assert table.flows.rows(place).tolist() == [each.number - 1 for each in flow.crossings]
        for of_kind, theirs in (("errors", flow.errors), ("parts", flow.parts)):
            mine = getattr(table.flows, of_kind).get(place, [])
            assert sorted(mine) == sorted(each.number - 1 for each in theirs), flow.id
    found, rows = noted(table, flows)
    conversations = followed(flows)
    assert rows == [*map(summarise, flows, conversations)]
    assert notes_of(found) == notes_by_close_up(conversations)
    return table, found


def any_conversations(seed: int, frames: int = 60) -> list[Frame]:
    """Segments of a few flows such as no two TCPs would send, but each might be somewhere."""
    rng = random.Random(seed)
    flows = [
        {"port": 1000 + n % 2, True: rng.choice((100, 2**32 - 50)), False: rng.choice((900, 5))}
        for n in range(rng.randrange(1, 4))
    ]
    sent = [dict(flow) for flow in flows]
    time_ns = 10**18
    made = []
    for _ in range(frames):
        n = rng.randrange(len(flows))
        flow, latest = flows[n], sent[n]
        side = rng.random() < 0.5
        flags = rng.choice((16, 16, 16, 16, 16, 24, 2, 18, 17, 4, 20, 0, 1))
        size = rng.choice((0, 0, 0, 1, 3, 10, 10))
        seq = latest[side] + rng.choice((0, 0, 0, 0, 0, -1, -3, -10, -13, 10, 20, 1))
        if rng.random() < 0.04:
            seq = rng.choice((flow[side], flow[side], 0, 2**31, rng.randrange(2**32)))
        ack = latest[not side] + rng.choice((0, 0, 0, 0, -10, -3, 1, 10))
        if rng.random() < 0.04:
            ack = rng.choice((flow[not side], 0, rng.randrange(2**32)))
        options = b""
        if flags & 2:
            options = rng.choice((b"", b"\3\3\2\0", b"\1\3\3\x0f", b"\2\4\5\xb4"))
        elif rng.random() < 0.3:
            left = ack + rng.choice((-13, 0, 3, 10))
            blocks = [left, left + rng.choice((3, 10, 0))]
            if rng.random() < 0.4:
                blocks += [blocks[0] - 3, blocks[1] + 10]
            words = b"".join((each % 2**32).to_bytes(4, "big") for each in blocks)
            options = bytes((1, 1, 5, 2 + len(words))) + words
        ports = (flow["port"], 80) if side else (80, flow["port"])
        checksum = None if rng.random() < 0.97 else rng.choice((0, 1, 0xFFFF))
        segment = fb.tcp(
            bytes(size), sport=ports[0], dport=ports[1], seq=seq % 2**32, ack=ack % 2**32,
            flags=flags, window=rng.choice((0, 100, 100, 100, 200)), options=options,
            checksum=checksum,
            source=fb.V4_A if side else fb.V4_B, destination=fb.V4_B if side else fb.V4_A,
        )  # fmt: skip
        ends = (fb.V4_A, fb.V4_B) if side else (fb.V4_B, fb.V4_A)
        packet = fb.ipv4(segment, source=ends[0], destination=ends[1])
        cut = rng.choice((0, 0, 0, 2)) if size > 2 else 0
        data = fb.ethernet(packet)
        data = data[: len(data) - cut]
        time_ns += rng.choice((1000, 10**6, 5 * 10**7, 3 * 10**8, -2000))
        made.append(framed(data, time_ns, more=cut))
        if flags & 4 == 0 and rng.random() < 0.8:
            latest[side] = max(latest[side], seq + size + bool(flags & 2) + flags % 2)
    return made


def lossy_conversations(seed: int, frames: int = 80) -> list[Frame]:
    """Two transfers with losses, duplicate ACKs, SACKs, closed windows, probes and keep-alives."""
    rng = random.Random(seed)
    time_ns = 10**18
    made = []
    ports = (1000, 1001)
    states = {port: {"next": 101, "acked": 101, "closed": False} for port in ports}

    def add(port: int, from_client: bool, flags: int, seq: int, ack: int, **more: object) -> None:
        size = more.get("size", 0)
        assert isinstance(size, int)
        ends = (fb.V4_A, fb.V4_B) if from_client else (fb.V4_B, fb.V4_A)
        both = (port, 80) if from_client else (80, port)
        segment = fb.tcp(
            bytes(size), sport=both[0], dport=both[1], seq=seq, ack=ack, flags=flags,
            window=int(str(more.get("window", 100))), options=more.get("options", b""),  # type: ignore[arg-type]
            source=ends[0], destination=ends[1],
        )  # fmt: skip
        packet = fb.ipv4(segment, source=ends[0], destination=ends[1])
        made.append(framed(fb.ethernet(packet), time_ns))

    for port in ports:
        scale = rng.choice((b"", b"\1\3\3\2"))
        add(port, True, 2, 100, 0, options=scale)
        add(port, False, 18, 900, 101, options=scale)
        time_ns += rng.choice((1000, 10**7))
        add(port, True, 16, 101, 901)
    while len(made) < frames:
        port = rng.choice(ports)
        state = states[port]
        time_ns += rng.choice((10**5, 10**5, 10**6, 10**7, 25 * 10**7))
        what = rng.random()
        if what < 0.3:
            add(port, True, 24, state["next"], 901, size=10)
            state["next"] += 10
        elif what < 0.35:
            add(port, True, 24, state["next"] + 10, 901, size=10)
            state["next"] += 20
        elif what < 0.5:
            oldest = state["acked"] if rng.random() < 0.7 else state["next"] - 10
            add(port, True, 24, max(oldest, 101), 901, size=10)
        elif what < 0.85:
            if rng.random() < 0.3:
                state["acked"] = min(state["acked"] + 10 * rng.randrange(4), state["next"])
            options = b""
            if rng.random() < 0.3:
                left = state["acked"] + 10 * rng.randrange(-1, 3)
                edges = [left, left + 10 * rng.randrange(1, 3)]
                words = b"".join(each.to_bytes(4, "big") for each in edges)
                options = b"\1\1\5\x0a" + words
            state["closed"] = rng.random() < 0.1
            window = 0 if state["closed"] else rng.choice((100, 100, 100, 200))
            add(port, False, 16, 901, state["acked"], window=window, options=options)
        elif what < 0.95:
            if rng.random() < 0.7:
                state["acked"] = state["next"]
                window = 0 if rng.random() < 0.5 else 100
                add(port, False, 16, 901, state["acked"], window=window)
            size = rng.randrange(2)
            back = 1 if rng.random() < 0.7 else 0
            add(port, True, 16, state["next"] - back, 901, size=size)
            if rng.random() < 0.7:
                add(port, False, 16, 901, state["acked"], window=rng.choice((0, 100, 150)))
        elif what < 0.96:
            add(port, True, 17, state["next"], 901)
            state["next"] += 1
        elif what < 0.97:
            add(port, False, 17, 901, state["next"])
    return made
