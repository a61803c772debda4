from __future__ import annotations

import frame_bytes as fb
import pytest
from tabled import close_ups, framed, lossy_conversations, noted, summaries_by_close_up, table_of

from lab.analysis.table import summaries as module
from lab.records import Frame


def datagram(data: bytes, *, back: bool = False, time_ns: int = 0) -> Frame:
    ends = (fb.V4_B, fb.V4_A) if back else (fb.V4_A, fb.V4_B)
    ports = (53, 9) if back else (9, 53)
    udp = fb.udp(data, sport=ports[0], dport=ports[1], source=ends[0], destination=ends[1])
    packet = fb.ipv4(udp, 17, source=ends[0], destination=ends[1])
    return framed(fb.ethernet(packet), time_ns)


def test_datagrams_are_counted_by_side() -> None:
    frames = [datagram(b"abc", time_ns=5), datagram(b"answer", back=True, time_ns=9)]
    _, (row,) = noted(table_of(frames), ())
    assert (row.name, row.frames, row.bytes_there, row.bytes_back) == ("udp:0", 2, 3, 6)
    assert (row.began_ns, row.lasted_ns, row.end, row.notes) == (5, 4, "", ())


@pytest.mark.parametrize("together", [1, 50, 1 << 18])
def test_flows_may_be_followed_by_few_or_many(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TOGETHER", together)
    frames = [
        frame for seed in range(5) for frame in (*lossy_conversations(seed), datagram(bytes(seed)))
    ]
    flows = close_ups(frames)[1]
    _, rows = noted(table_of(frames), flows)
    assert rows == summaries_by_close_up(flows)


def test_bytes_are_counted_once_and_as_far_as_they_were_captured() -> None:
    def segment(seq: int, size: int, cut: int = 0) -> Frame:
        data = fb.ethernet(fb.ipv4(fb.tcp(bytes(size), seq=seq)))
        return framed(data[: len(data) - cut], more=cut)

    frames = [segment(100, 10), segment(105, 10), segment(200, 10, cut=4), segment(90, 20)]
    flows = close_ups(frames)[1]
    _, rows = noted(table_of(frames), flows)
    assert rows == summaries_by_close_up(flows)
    assert rows[0].bytes_there == 25 + 6
