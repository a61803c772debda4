from __future__ import annotations

import pytest
from shown import flow_id

from lab.analysis.correlate.correlation import Channel


@pytest.mark.parametrize(
    ("flow", "carried", "counts", "told"),
    [
        ("tcp 0", 48, (3, 1, 2), "3 sends → 1 segment → 2 reads"),
        ("udp 1", 48, (1, 2, 1), "1 send → 2 datagrams → 1 read"),
        ("udp 1", 0, (1, 0, 0), "1 send → 0 datagrams → 0 reads"),
        ("", None, (2, 0, 1), "2 sends → 1 read"),
    ],
    ids=["a stream", "datagrams", "datagrams that did not arrive", "without a wire"],
)
def test_a_channel_shows_how_often_bytes_were_cut(
    flow: str, carried: int | None, counts: tuple[int, int, int], told: str
) -> None:
    sends, segments, reads = counts
    channel = Channel(
        sender="s1", receiver="s2", flow=flow_id(flow) if flow else None, parts=(), sent=48,
        carried=carried, read=48, sends=sends, segments=segments, reads=reads,
    )  # fmt: skip
    assert channel.counts == told
