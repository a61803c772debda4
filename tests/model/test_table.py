from __future__ import annotations

from pathlib import Path

import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.model.table import Table
from lab.scenario_files import load_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def table_of(name: str, recording: str) -> Table:
    make = load_scenario(SCENARIOS / f"{name}.py").table
    assert make is not None
    table = make(*build_timelines(r.recording_of(recording)))
    assert isinstance(table, Table)
    return table


@pytest.mark.parametrize(
    ("name", "recording"), [("types", "types4"), ("types", "types-sctp4"), ("buffers", "buffers")]
)
def test_every_row_has_a_cell_for_each_column(name: str, recording: str) -> None:
    table = table_of(name, recording)
    assert table.rows and {len(row) for row in table.rows} == {len(table.head)}


def test_a_cell_has_what_the_kernel_granted() -> None:
    table = table_of("types", "types4")
    cells = {row[0]: dict(zip(table.head[1:], row[1:], strict=True)) for row in table.rows}
    assert cells["AF_INET"]["SOCK_STREAM"] == "TCP, MPTCP"
    assert cells["AF_INET"]["SOCK_SEQPACKET"] == "-"
    assert cells["AF_UNIX"]["SOCK_RAW"] == "as SOCK_DGRAM"
    assert cells["AF_PACKET"]["SOCK_RAW"] == "EPERM"
    sctp = table_of("types", "types-sctp4")
    (inet,) = [row for row in sctp.rows if row[0] == "AF_INET"]
    assert inet[sctp.head.index("SOCK_SEQPACKET")] == "SCTP"


def test_the_buffers_have_their_sizes() -> None:
    table = table_of("buffers", "buffers")
    assert ("two pipes", "512", "65536", "65536", "F_GETPIPE_SZ 65536") in table.rows
    assert [row[0] for row in table.rows] == ["a socketpair"] * 2 + ["two pipes"] * 2 + [
        "two FIFOs"
    ] * 2
