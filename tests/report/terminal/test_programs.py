from __future__ import annotations

from dataclasses import replace

import recorded as r

from lab.analysis.assembly import build_timelines
from lab.records import Recording
from lab.report.terminal.drawing.style import Style
from lab.report.terminal.programs import draw_failed, draw_programs


def ended(**changes: object) -> Recording:
    """A run whose server ended otherwise."""
    server, client = r.recorded(4).programs
    changed = replace(server, **changes)  # type: ignore[arg-type]
    return replace(r.recorded(4), programs=(changed, client))


def failed(recording: Recording, width: int = 80) -> list[str]:
    (timeline,) = build_timelines(recording)
    return [line.plain for line in draw_failed(timeline, Style(width, ascii_only=True))]


def test_of_a_program_that_failed_the_end_of_stderr_is_shown() -> None:
    words = "".join(f"line {number}\n" for number in range(50))
    lines = failed(ended(failure="exited with status 1", stderr=words))
    assert lines == [f"  server: line {number}" for number in range(40, 50)]


def test_of_others_nothing_is_shown() -> None:
    assert failed(ended(stderr="a warning\n")) == []


def test_what_it_wrote_cannot_leave_the_page() -> None:
    (line,) = failed(ended(failure="failed", stderr="\x1b[2J" * 100), 60)
    assert line.isprintable() and len(line) <= 60


def test_each_program_has_its_heading_and_what_it_printed() -> None:
    (timeline,) = build_timelines(r.recorded(4))
    lines = [line.plain for line in draw_programs(timeline, Style(80, ascii_only=True))]
    heads = [line for line in lines if line.startswith("-- ")]
    assert [head[:18] for head in heads] == ["-- server, on serv", "-- client, on clie"]
    assert "  listen(3, 1) = 0" in lines
