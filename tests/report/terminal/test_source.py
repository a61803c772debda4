from __future__ import annotations

from dataclasses import replace

import traced_runs as t

from lab.analysis.timeline import Timeline
from lab.records import LineUse, SourceLine
from lab.report.terminal.drawing.style import Style
from lab.report.terminal.source import MOST_CALLS, draw_source

LINE = SourceLine("/demos/client.py", 2, "main", "", 1, ("a", "    go(\x1b[2J)", "c"))


def noted(*lines: SourceLine) -> Timeline:
    """The traced talk, each of the lines having made all calls of the client in turn."""
    timeline = t.talk()
    calls = [call for call in timeline.system_calls if call.program == "client"]
    uses = tuple(
        LineUse("client", call.tid, n % len(lines), call.entry_ns, call.entry_ns, timeline.step)
        for n, call in enumerate(calls)
    )
    recording = replace(timeline.recording, source_lines=lines, line_uses=uses)
    return replace(timeline, recording=recording)


def drawn(timeline: Timeline, width: int = 80) -> list[str]:
    return [line.plain for line in draw_source(timeline, Style(width, ascii_only=False))]


def test_a_line_stands_above_its_calls_and_obeys_no_control_character() -> None:
    page = drawn(noted(LINE))
    assert page[1].startswith("── Which lines made the calls ──")
    assert page[2] == r"  client.py:2  go(\x1b[2J)"
    text = " ".join(line.strip() for line in page[3:])
    assert "socket: client#1; connect: client#2; sendto: client#3 client#4 client#5;" in text
    assert MOST_CALLS == 4


def test_a_line_that_was_noted_with_several_library_calls_is_one() -> None:
    page = drawn(noted(LINE, replace(LINE, through="accept, socket.py:294")))
    assert sum("client.py:2" in line for line in page) == 1


def test_a_line_whose_text_is_not_known_is_named_all_the_same() -> None:
    page = drawn(noted(replace(LINE, text=(), first=0)))
    assert page[2] == "  client.py:2"


def test_no_line_is_wider_than_the_page() -> None:
    long = replace(LINE, file="f" * 500, text=("", "x" * 500))
    assert all(len(line) <= 60 for line in drawn(noted(long), 60))


def test_nothing_where_nothing_was_noted() -> None:
    assert drawn(t.talk()) == []
