"""Capture files to measure with: many TCP connections side by side, with losses.

Each file is the same whenever it is made. Connections are one of a few scripts, with addresses,
ports, sequence numbers and times of their own; every checksum is right.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SCRIPTS = 16
SEGMENT_BYTES = 536
"""The default of RFC 9293, 3.7.1."""
CONNECTION_FRAMES = 200
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
_HEADERS_BYTES = 14 + 20 + 20
_MOST_OPTIONS_BYTES = 24
_ROUND_TRIP_US = 20_000
_BEGAN_S = 1_700_000_000
_WRITTEN_FRAMES = 20_000


class Line(NamedTuple):
    """A segment of a script; numbers are relative to the initial ones."""

    time_us: int
    is_from_client: bool
    flags: int
    seq: int
    ack: int
    payload: int
    window: int
    options: bytes = b""


def script(number: int) -> list[Line]:
    """A connection: a request, an answer of many segments of which a few are lost, a close."""
    rng = random.Random(number)
    at = 0
    syn = struct.pack("!BBHBBBBB", 2, 4, SEGMENT_BYTES, 4, 2, 1, 3, 3) + b"\0" * 3
    lines = [
        Line(at, True, SYN, 0, 0, 0, 64240, syn),
        Line(at + _ROUND_TRIP_US, False, SYN | ACK, 0, 1, 0, 65160, syn),
        Line(at + _ROUND_TRIP_US + 50, True, ACK, 1, 1, 0, 8030),
        Line(at + _ROUND_TRIP_US + 90, True, PSH | ACK, 1, 1, 100, 8030),
    ]
    at += 2 * _ROUND_TRIP_US
    sent = acked = 1
    while len(lines) < CONNECTION_FRAMES - 16:
        at += rng.randrange(200, 900)
        lines.append(Line(at, False, ACK, sent, 101, SEGMENT_BYTES, 8145))
        lost = rng.random() < 0.02
        start, sent = sent, sent + SEGMENT_BYTES
        if lost:
            at = _recover(rng, lines, at, start)
            sent = start + 5 * SEGMENT_BYTES
        if (sent - acked) // SEGMENT_BYTES >= 2:
            at += 40
            closed = rng.random() < 0.004
            lines.append(Line(at, True, ACK, 101, sent, 0, 0 if closed else 8030))
            acked = sent
            if closed:
                at += 5_000
                lines.append(Line(at, True, ACK, 101, sent, 0, 8030))
    lines += [
        Line(at + 100, False, FIN | ACK, sent, 101, 0, 8145),
        Line(at + 150, True, ACK, 101, sent + 1, 0, 8030),
        Line(at + 300, True, FIN | ACK, 101, sent + 1, 0, 8030),
        Line(at + 300 + _ROUND_TRIP_US, False, ACK, sent + 1, 102, 0, 8145),
    ]
    return lines


def _recover(rng: random.Random, lines: list[Line], at: int, start: int) -> int:
    """Four segments behind a lost one, duplicate ACKs for them, and the lost one again."""
    for n in range(1, 5):
        at += 60
        left, right = start + SEGMENT_BYTES, start + (n + 1) * SEGMENT_BYTES
        lines.append(Line(at, False, ACK, start + n * SEGMENT_BYTES, 101, SEGMENT_BYTES, 8145))
        # Blocks are relative here; the numbers that are added to them are those of `ack`.
        sack = b"\x01\x01\x05\x0a" + struct.pack("!II", left, right)
        lines.append(Line(at + 20, True, ACK, 101, start, 0, 8030, sack))
    at += 40 if rng.random() < 0.8 else 350_000
    lines.append(Line(at, False, ACK, start, 101, SEGMENT_BYTES, 8145))
    return at


def write_capture(path: Path, frames: int) -> None:
    """Write a pcap file of so many frames."""
    scripts = [script(number) for number in range(SCRIPTS)]
    lengths = np.array([len(lines) for lines in scripts])
    count = -(-frames // int(lengths.mean())) + SCRIPTS
    which = np.arange(count) % SCRIPTS
    table = np.array(
        [line[:7] for lines in scripts for line in lines], dtype=np.int64
    )  # fmt: skip
    options = np.zeros((len(table), _MOST_OPTIONS_BYTES), dtype=np.uint8)
    sizes = np.zeros(len(table), dtype=np.int64)
    for at, line in enumerate(line for lines in scripts for line in lines):
        options[at, : len(line.options)] = np.frombuffer(line.options, dtype=np.uint8)
        sizes[at] = len(line.options)
    firsts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    of_connection = np.repeat(np.arange(count), lengths[which])
    within = np.arange(len(of_connection)) - np.repeat(
        np.cumsum(lengths[which]) - lengths[which], lengths[which]
    )
    row = firsts[which[of_connection]] + within
    time_us = table[row, 0] + of_connection * 3_700
    order = np.argsort(time_us, kind="stable")[:frames]
    with path.open("wb") as file:
        file.write(struct.pack("<I2H4I", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for at in range(0, len(order), _WRITTEN_FRAMES):
            part = order[at : at + _WRITTEN_FRAMES]
            lines = row[part]
            file.write(
                _records(time_us[part], of_connection[part], table[lines], options[lines],
                         sizes[lines])
            )  # fmt: skip


def _records(
    time_us: NDArray[np.int64],
    connection: NDArray[np.int64],
    table: NDArray[np.int64],
    options: NDArray[np.uint8],
    sizes: NDArray[np.int64],
) -> bytes:
    _, is_from_client, flags, seq, ack, payload, window = table.T
    count = len(table)
    head = np.zeros((count, 16 + _HEADERS_BYTES), dtype=np.uint8)
    captured = _HEADERS_BYTES + sizes + payload
    is_client = is_from_client.astype(bool)

    def put(at: int, values: NDArray[np.int64], kind: str) -> None:
        raw = np.ascontiguousarray(values.astype(kind)).view(np.uint8).reshape(count, -1)
        head[:, at : at + raw.shape[1]] = raw

    put(0, _BEGAN_S + time_us // 1_000_000, "<u4")
    put(4, time_us % 1_000_000, "<u4")
    put(8, captured, "<u4")
    put(12, captured, "<u4")
    head[:, 16:30] = np.frombuffer(b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0", dtype=np.uint8)
    client = 0x0A00_0000 + 1 + connection // 20_000
    server = np.full(count, 0x0A01_0001)
    port = 20_000 + connection % 20_000
    source, destination = np.where(is_client, client, server), np.where(is_client, server, client)
    isn_client, isn_server = connection * 7919 % 2**32, (connection * 104_729 + 2**31) % 2**32
    wire_seq = (seq + np.where(is_client, isn_client, isn_server)) % 2**32
    base_ack = np.where(is_client, isn_server, isn_client)
    wire_ack = np.where(flags & ACK, (ack + base_ack) % 2**32, 0)
    total = captured - 14
    head[:, 30] = 0x45
    put(32, total, ">u2")
    head[:, 38], head[:, 39] = 64, 6
    put(42, source, ">u4")
    put(46, destination, ">u4")
    words = head[:, 30:50].copy().view(">u2").sum(axis=1, dtype=np.int64)
    put(40, 0xFFFF - _folded(words), ">u2")
    put(50, np.where(is_client, port, 80), ">u2")
    put(52, np.where(is_client, 80, port), ">u2")
    put(54, wire_seq, ">u4")
    put(58, wire_ack, ">u4")
    put(62, ((20 + sizes) // 4) << 12 | flags, ">u2")
    put(64, window, ">u2")
    options = options.copy()
    has_sack = options[:, 2] == 5
    edges = np.ascontiguousarray(options[has_sack, 4:12]).view(">u4").astype(np.int64)
    edges = (edges + base_ack[has_sack, None]) % 2**32
    options[has_sack, 4:12] = edges.astype(">u4").view(np.uint8)
    body = np.arange(SEGMENT_BYTES, dtype=np.uint8)
    odd = payload % 2
    assert not odd.any(), "the payload's sum is that of whole words"
    sums = np.concatenate(([0], np.cumsum(body.view(">u2"), dtype=np.int64)))
    words = head[:, 42:70].copy().view(">u2").sum(axis=1, dtype=np.int64)
    words += options.view(">u2").sum(axis=1, dtype=np.int64) + sums[payload // 2]
    put(66, 0xFFFF - _folded(words + 6 + total - 20), ">u2")
    starts = np.cumsum(16 + captured) - (16 + captured)
    data = np.zeros(int((16 + captured).sum()), dtype=np.uint8)
    data[starts[:, None] + np.arange(head.shape[1])] = head
    for size in np.unique(sizes).tolist():
        (rows,) = np.nonzero(sizes == size)
        at = starts[rows, None] + head.shape[1] + np.arange(size)
        data[at] = options[rows, :size]
    for size in np.unique(payload).tolist():
        (rows,) = np.nonzero(payload == size)
        at = starts[rows, None] + head.shape[1] + sizes[rows, None] + np.arange(size)
        data[at] = body[:size]
    return data.tobytes()


def _folded(sums: NDArray[np.int64]) -> NDArray[np.int64]:
    rest = sums % 0xFFFF
    return np.where((rest == 0) & (sums > 0), 0xFFFF, rest)
