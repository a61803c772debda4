from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import frame_bytes as fb
import pytest
from tabled import (
    any_conversations,
    close_ups,
    facts_of_crossing,
    followed,
    framed,
    lossy_conversations,
    noted,
    notes_by_close_up,
    table_of,
)

from lab.analysis.flow_summary import FlowSummary
from lab.analysis.flows.flow import transport_endpoints
from lab.records import Frame
from lab.report.parquet import files
from lab.report.parquet.files import FLOWS, PACKETS, write_parquet
from lab.report.parquet.tables import column_of


def mixture() -> list[Frame]:
    inside = fb.tcp(b"six", source=fb.V6_A, destination=fb.V6_B, options=b"\2\4\5\xb4")
    others = [
        fb.ethernet(fb.ipv6(inside), fb.IPV6),
        fb.ethernet(fb.ipv4(fb.udp(b"x", checksum=0), 17)),
        fb.ethernet(bytes(28), fb.ARP),
    ]
    frames = [*lossy_conversations(2, 50), *any_conversations(4, 30)]
    return frames + [framed(data, 10**18) for data in others]


def written(frames: list[Frame], folder: Path) -> tuple[Any, Any, list[FlowSummary]]:
    """The rows of both files, and of the flows by the table."""
    parquet = pytest.importorskip("pyarrow.parquet")
    table = table_of(frames)
    found, rows = noted(table, close_ups(frames)[1])
    paths = write_parquet(table, found, rows, folder)
    assert paths == (folder / PACKETS, folder / FLOWS)
    return (*(parquet.read_table(path).to_pylist() for path in paths), rows)


@pytest.mark.parametrize("rows", [7, 1 << 17])
def test_every_packet_has_what_its_dissection_has(
    rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "ROWS", rows)
    frames = mixture()
    packets, _, _ = written(frames, tmp_path)
    crossings, flows = close_ups(frames)
    notes = notes_by_close_up(followed(flows))
    flow_of = {
        each.number: f"{flow.protocol}:{flow.number}" for flow in flows for each in flow.crossings
    }
    assert len(packets) == len(crossings)
    for crossing, row in zip(crossings, packets, strict=True):
        facts, ends = facts_of_crossing(crossing), transport_endpoints(crossing.packet)
        assert row["packet"] == crossing.number
        assert row["flow"] == flow_of.get(crossing.number)
        expected = notes.get(crossing.number - 1, frozenset())
        assert set(row["notes"]) == {column_of(note) for note in expected}
        if ends is None:
            assert row["source"] is row["seq"] is row["payload"] is None
            continue
        for end, name in zip(ends, ("source", "destination"), strict=True):
            assert (ip_address(row[name]), row[f"{name}_port"]) == (end.address, end.port)
        assert (row["payload"], row["ttl"]) == (facts["payload"], facts["ttl"])
        tcp = crossing.packet.tcp
        if tcp is None:
            assert row["seq"] is row["window"] is row["mss"] is None
            continue
        assert (row["seq"], row["flags"], row["window"]) == (tcp.seq, tcp.flags, tcp.window)
        assert row["ack"] == (tcp.ack if tcp.flags & 16 else None)
        mss = tcp.option("mss")
        assert row["mss"] == (mss.value if mss else None)


def test_flows_have_the_rows_that_are_printed(tmp_path: Path) -> None:
    _, rows, summaries = written(mixture(), tmp_path)
    assert [row["flow"] for row in rows] == [each.name for each in summaries]
    for row, each in zip(rows, summaries, strict=True):
        assert (row["frames"], row["bytes_there"]) == (each.frames, each.bytes_there)
        assert (row["end"] or "", row["b_port"]) == (each.end, each.b.port)
        assert row["began"].timestamp() == pytest.approx(each.began_ns / 1e9)
        assert {note: row[column_of(note)] for note, _ in each.notes} == dict(each.notes)


def test_a_checksum_that_is_not_judged_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    packets, _, _ = written(mixture(), tmp_path)
    assert {row["checksum_right"] for row in packets} == {True, False, None}
    assert packets[-2]["checksum_right"] is None and packets[-2]["source_port"] == 5000


def test_without_packets_there_are_columns_all_the_same(tmp_path: Path) -> None:
    packets, flows, _ = written([], tmp_path / "made")
    assert packets == flows == []
