"""Captures of a bulk transfer, as long as one wants them."""

from __future__ import annotations

from pathlib import Path

import frame_bytes as fb

from lab.pcap.pcapng_writing import write_pcapng
from lab.records import Direction, Frame

MSS, STEP_NS, DELAY_NS = 1448, 20_000, 400_000
START_NS = 1_700_000_000_000_000_000


def transfer(frames: int, port: int = 40_000, *, lost_every: int = 0) -> list[Frame]:
    """A client's frames to a server and back: two segments and their ACK, again and again.

    Each `lost_every`th segment is sent once more; its first copy was lost before the capture.
    """
    made: list[Frame] = []
    time_ns, seq = START_NS + port, 1000

    def add(from_client: bool, seq: int, ack: int, flags: int, payload: bytes = b"") -> None:
        sport, dport = (port, 80) if from_client else (80, port)
        source, destination = (fb.V4_A, fb.V4_B) if from_client else (fb.V4_B, fb.V4_A)
        segment = fb.tcp(payload, sport=sport, dport=dport, seq=seq, ack=ack, flags=flags,
                         source=source, destination=destination)  # fmt: skip
        packet = fb.ipv4(segment, 6, source=source, destination=destination)
        data = fb.ethernet(packet)
        made.append(Frame(time_ns, "x", Direction.UNKNOWN, data, len(data)))

    add(True, seq, 0, 2)
    add(False, 5000, seq + 1, 18)
    add(True, seq + 1, 5001, 16)
    seq += 1
    count = 0
    while len(made) < frames - 2:
        for _ in range(2):
            count += 1
            time_ns += STEP_NS
            if not lost_every or count % lost_every:
                add(True, seq, 5001, 24, bytes(MSS))
            else:
                time_ns += DELAY_NS
                add(True, seq, 5001, 24, bytes(MSS))
                add(True, seq, 5001, 24, bytes(MSS))
            seq += MSS
        time_ns += STEP_NS
        add(False, 5001, seq, 16)
    return made


def write_bulk(file: Path, flows: list[list[Frame]]) -> None:
    """Write flows, side by side in time, into a pcapng file."""
    frames = sorted((frame for flow in flows for frame in flow), key=lambda each: each.time_ns)
    with file.open("wb") as opened:
        write_pcapng(opened, ["x"], frames, {}, "wirelab")
