from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
from rich.cells import cell_len

from lab.analysis.assembly import build_timelines
from lab.analysis.decisions import Decision
from lab.analysis.timeline import Timeline
from lab.model.claim import Outcome
from lab.model.statements import Statement
from lab.model.table import Table
from lab.records import CountersSeen, HeldSocket
from lab.report.terminal.drawing.style import Style
from lab.report.terminal.tables import (
    MOST_HOSTS,
    draw_counters,
    draw_decisions,
    draw_held,
    draw_table,
)

STATEMENT = Statement("X1", "What is asked?", "what the notes say", "what is precisely true " * 8)
TABLE = Table(
    ("", "one", "two"),
    (("frames", "0", "18"), ("wire → bytes", "-", "a\x1b" * 40)),
    ("said of it " * 20,),
)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_table_has_its_head_rows_and_notes_within_the_page(width: int) -> None:
    lines = [line.plain for line in draw_table(TABLE, Style(width, ascii_only=True))]
    head, frames, cut, *notes = lines
    assert head.split() == ["one", "two"]
    assert frames.split() == ["frames", "0", "18"]
    assert cut.isprintable() and "\\x1b" in cut
    assert " ".join(" ".join(notes).split()) == " ".join(TABLE.notes).strip()
    assert max(map(len, lines)) <= width


def test_cells_stand_at_the_right_of_their_column() -> None:
    table = Table(("", "column"), (("row", "1"), ("longer row", "23456789")))
    lines = [line.plain for line in draw_table(table, Style(80, ascii_only=True))]
    assert lines == [
        "              column",
        "row                1",
        "longer row  23456789",
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_decision_names_its_claims_and_an_outcome_that_differs(width: int) -> None:
    by = (("tcp", "tcp-opens", Outcome.BROKEN), ("udp", "udp-bytes", Outcome.HOLDS))
    decision = Decision(STATEMENT, Outcome.BROKEN, by)
    lines = [line.plain for line in draw_decisions([decision], Style(width, ascii_only=True))]
    assert lines[0].startswith("X1  BROKEN     what is precisely true")
    assert max(map(len, lines)) <= width
    assert lines[-1].strip() == "tcp: tcp-opens, udp: udp-bytes (HOLDS)"


def counted(*seen: CountersSeen) -> Timeline:
    recording = r.recorded(4)
    step = recording.programs[0].step
    seen = tuple(replace(each, step=step) for each in seen)
    (timeline,) = build_timelines(replace(recording, counters=seen))
    return timeline


def drawn_counters(timeline: Timeline, width: int = 80) -> list[str]:
    return [line.plain for line in draw_counters(timeline, Style(width, ascii_only=False))]


CLIENT = CountersSeen("client", {"TcpRetransSegs": 3, "TcpExtX\x1b": 2, "eth0:rx_packets": -12345})
SERVER = CountersSeen("server", {"TcpRetransSegs": 1})


def test_each_counter_has_its_changes_on_each_host_and_its_meaning() -> None:
    page = drawn_counters(counted(CLIENT, SERVER))
    assert page[1].startswith("── What the kernels counted ──")
    assert page[2].split() == ["client", "server"]
    assert page[3].startswith("  TcpRetransSegs       +3      +1  segments sent again")
    assert any(line.startswith("  eth0:rx_packets  -12345       0  frames") for line in page)


def test_what_no_table_explains_is_named_below() -> None:
    page = drawn_counters(counted(CLIENT, SERVER))
    assert page[-1] == r"  and TcpExtX\x1b +2/0"


def test_what_counted_nothing_is_not_shown() -> None:
    assert drawn_counters(counted()) == []
    assert drawn_counters(counted(CountersSeen("client", {}))) == []


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_page_is_as_wide_as_it_may_be(width: int) -> None:
    hosts = [CountersSeen(f"h{n}", {"TcpRetransSegs": 10**n}) for n in range(20)]
    page = drawn_counters(counted(*hosts), width)
    assert max(map(cell_len, page[3:])) <= max(width, 20 + 11 * MOST_HOSTS)
    assert "12 more hosts" in page[1]


def test_what_was_held_stands_below_its_moment_and_host() -> None:
    recording = r.recorded(4)
    held = HeldSocket(
        5, "waiting", "server\x1b", "tcp", "LISTEN", "::", 4242, "::", 0, "inode 7", 3, 2,
        step=recording.programs[0].step,
    )  # fmt: skip
    (timeline,) = build_timelines(replace(recording, held_sockets=(held,)))
    page = [line.plain for line in draw_held(timeline, Style(80, ascii_only=False))]
    assert page[1].startswith("── What the kernels held ──")
    assert page[2:] == [
        r"  server\x1b, while nothing moved",
        "    tcp [::]:4242  LISTEN  3 to be accepted, limit 2: full",
    ]


def test_where_nothing_was_held_nothing_is_shown() -> None:
    assert list(draw_held(counted(), Style(80, ascii_only=False))) == []
