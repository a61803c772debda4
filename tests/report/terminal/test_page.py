from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import recorded as r
from rich.text import Text

from lab.analysis.assembly import build_timelines
from lab.analysis.timeline import Timeline
from lab.ladder.build import build_ladder
from lab.model.claim import Judgement
from lab.records import Direction, Instrument, InstrumentKind, RanAs, Recording
from lab.report.terminal.drawing.style import Style
from lab.report.terminal.page import About, Page, draw_report
from scenarios.tcp import SCENARIO

TITLE = f"tcp over IPv4: {SCENARIO.summary}"
WIDTHS = [60, 80, 100, 120, 200]
HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\n\b\u202e\u2028 end"
GOLDEN = Path(__file__).parent / "tcp4.txt"


def report(recording: Recording, width: int = 80, *, ascii_only: bool = True) -> list[str]:
    (timeline,), judgements = r.judged(recording)
    lines = draw_report(
        [timeline],
        list(map(build_ladder, [timeline])),
        judgements,
        About(TITLE),
        Style(width, ascii_only),
    )
    return [line.plain for line in lines]


def report_of(
    timelines: Sequence[Timeline], judgements: tuple[Judgement, ...], title: str, style: Style
) -> Iterator[Text]:
    return draw_report(timelines, [*map(build_ladder, timelines)], judgements, About(title), style)


def hostile_run() -> Recording:
    """A recording whose every text wants something of the terminal."""
    recording = r.recorded(4)
    return replace(
        r.changed(6, r.set_payload(HOSTILE.encode()))(recording),
        kernel=HOSTILE,
        instruments=tuple(
            Instrument(InstrumentKind.CALLS, None, 0, text) for text in (HOSTILE, "long " * 40)
        ),
        unfinished=(HOSTILE, "long " * 40),
        ran_as=RanAs(HOSTILE, 1, ("CAP_X",), (HOSTILE, "long " * 40), (HOSTILE,), host_files=False),
        points=tuple(replace(p, dropped=1, interface=HOSTILE) for p in recording.points),
        programs=tuple(
            replace(
                run,
                name=run.name + HOSTILE + "漢字",
                argv=(HOSTILE, "x" * 200),
                stdout=HOSTILE + "漢字" * 60 + "\n" + f"socket({HOSTILE!a}) = 3\n" + "y" * 300,
            )
            for run in recording.programs
        ),
    )


@pytest.mark.parametrize(
    ("who", "line"),
    [
        (
            RanAs("ann", 1000, ("CAP_A", "CAP_B"), ("/home/ann",), (), host_files=False),
            "programs ran as ann (uid 1000) with CAP_A and CAP_B, writing to /home/ann",
        ),
        (
            RanAs("root", 0, ("CAP_A",), (), ("/run/x",), host_files=False),
            "programs ran as root (uid 0) with CAP_A, writing to no folder of the host; unix "
            "sockets /run/x",
        ),
        (
            RanAs("1000", 1000, (), (), (), host_files=True),
            "programs ran as 1000 (uid 1000) with no capability, with the host's files as they are",
        ),
        (None, ""),
    ],
)
def test_the_head_says_as_whom_programs_ran_that_are_not_the_labs_own(
    who: RanAs | None, line: str
) -> None:
    head = " ".join(" ".join(report(replace(r.recorded(4), ran_as=who), 120)[:20]).split())
    assert (line in head) if who else ("programs ran as" not in head)


def test_the_report_of_a_recorded_run_reads_as_it_did(tmp_path: Path) -> None:
    text = "".join(line.rstrip() + "\n" for line in report(r.recorded(4)))
    actual = tmp_path / GOLDEN.name
    actual.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8"), f"if that is meant, copy {actual} to {GOLDEN}"


@pytest.mark.parametrize(("family", "width"), [*itertools.product([4, 6], WIDTHS)])
def test_no_line_is_longer_than_the_page(family: int, width: int) -> None:
    for ascii_only in (True, False):
        lines = report(r.recorded(family), width, ascii_only=ascii_only)
        assert max(map(len, lines)) == width


@pytest.mark.parametrize("width", WIDTHS)
def test_no_hostile_text_reaches_the_terminal_or_leaves_the_page(width: int) -> None:
    for ascii_only in (True, False):
        lines = report(hostile_run(), width, ascii_only=ascii_only)
        text = "".join(lines)
        assert "end" in text and "\\x1b" in text
        assert text.isprintable()
        assert text.isascii() or not ascii_only
        assert max(Text(line).cell_len for line in lines) <= width


def test_an_ascii_report_is_ascii_and_another_draws_arrows() -> None:
    assert "".join(report(r.recorded(4))).isascii()
    pretty = "".join(report(r.recorded(4), ascii_only=False))
    assert "▶" in pretty and "◀" in pretty and "─" in pretty


def test_a_title_may_be_long_and_not_ascii() -> None:
    (timeline,), judgements = r.judged(r.recorded(4))
    lines = draw_report(
        [timeline],
        list(map(build_ladder, [timeline])),
        judgements,
        About("größer " * 30),
        Style(80, ascii_only=True),
    )
    for line in lines:
        assert line.plain.isascii() and len(line.plain) <= 80


def command(*argv: str) -> str:
    run = replace(r.recorded(4).programs[0], argv=argv)
    lines = report(replace(r.recorded(4), programs=(run,)))
    assert "  listen(3, 1) = 0" in lines
    (line,) = [line for line in lines if line.startswith("  $ ")]
    return line


def test_demos_are_shown_with_command_and_output_and_without_folders() -> None:
    demo = "/some/where/scenarios/demos/x.py"
    assert command("/usr/bin/python3", demo, "a b") == "  $ python3 x.py 'a b'"
    assert command("/usr/bin/python3", demo, "/run/x") == "  $ python3 x.py /run/x"


def test_a_users_own_words_stay_whole() -> None:
    assert command("nc", "-lU", "/tmp/x.sock") == "  $ nc -lU /tmp/x.sock"
    assert command("/usr/bin/python3", "/tmp/x.py") == "  $ /usr/bin/python3 /tmp/x.py"


def test_the_clients_frames_point_right_and_the_servers_left() -> None:
    (timeline,), _ = r.judged(r.recorded(4))
    arrows = [line for line in report(r.recorded(4)) if line[5:6] == "." and line[9:10] == " "]
    assert len(arrows) == len(timeline.crossings) == 20
    for arrow, crossing in zip(arrows, timeline.crossings, strict=True):
        assert (">" in arrow[23:67]) == (crossing.sender == "client")
        assert ("<" in arrow[23:67]) == (crossing.sender == "server")


def test_in_a_row_of_hosts_frames_point_where_they_go() -> None:
    recording = r.recorded(4)
    first, second = recording.points
    third = replace(second, name="third/eth0", host="third", link="second link", frames=0)
    between = replace(second, name="server/eth1", interface="eth1", link="second link", frames=0)
    frame = r.sightings(recording, 3)[0]
    forwarded = replace(frame, point=between.name, time_ns=frame.time_ns + 1)
    chained = replace(
        recording,
        points=(first, second, between, third),
        frames=(*recording.frames, forwarded, replace(forwarded, point=third.name,
                direction=Direction.IN, time_ns=frame.time_ns + 2)),
    )  # fmt: skip
    arrows = [line for line in report(chained) if "SYN seq=0" in line]
    assert len(arrows) == 2
    assert all(">" in arrow for arrow in arrows)


def test_each_step_has_its_banner_programs_and_ladder() -> None:
    timelines = build_timelines(r.twice(r.recorded(4)))
    lines = [
        line.plain
        for line in draw_report(
            timelines, list(map(build_ladder, timelines)), (), About("twice"), Style(80, True)
        )
    ]
    banners = [line for line in lines if line.startswith("==")]
    assert banners == ["== conversation " + "=" * 64, "== again " + "=" * 71]
    assert lines.index(banners[1]) < next(
        number for number, line in enumerate(lines) if line.startswith("-- server-again, on server")
    )
    assert sum("SYN seq=0" in line for line in lines) == 2


def ended(**changes: object) -> Recording:
    """A run whose server ended otherwise."""
    server, client = r.recorded(4).programs
    changed = replace(server, **changes)  # type: ignore[arg-type]
    return replace(r.recorded(4), programs=(changed, client))


def test_a_program_that_failed_is_reported_first_and_beside_its_words() -> None:
    lines = report(ended(failure="was killed by SIGSEGV"))
    before = lines[: lines.index("  program server was killed by SIGSEGV")]
    assert [line[:5] for line in before] == ["tcp o", "UNDEC"]
    assert lines.count("  was killed by SIGSEGV") == 1
    assert any(line.startswith("UNDECIDED") for line in lines)
    assert not any(line.startswith(("HOLDS", "BROKEN")) for line in lines)


def test_what_is_to_be_said_of_a_programs_end_is_no_failure() -> None:
    lines = report(ended(remark="went on"))
    assert "  went on" in lines
    assert any(line.startswith("HOLDS") for line in lines)


def test_the_end_of_stderr_is_shown() -> None:
    assert "  stderr: one" in report(ended(stderr="one\ntwo\n"))
    lines = report(ended(stderr="".join(f"line {number}\n" for number in range(50))))
    shown = [line for line in lines if line.startswith("  stderr: ")]
    assert shown[0] == "  stderr: ... 40 lines before"
    assert shown[1:] == [f"  stderr: line {number}" for number in range(40, 50)]


def test_of_a_long_output_the_beginning_is_shown() -> None:
    lines = report(ended(stdout="spam\n" * 1000))
    assert lines.count("  spam") == 200
    assert "  ... 800 lines more, in recording.jsonl" in lines


def test_a_lost_frame_is_drawn_as_lost_in_the_report() -> None:
    (line,) = [line for line in report(r.lost(8)(r.recorded(4))) if "len=26" in line]
    assert line[66] == "x"


def test_an_incomplete_capture_is_said_loudly() -> None:
    lines = report(r.incomplete(r.recorded(4)))
    assert "  INCOMPLETE CAPTURE: the kernel dropped 1 frame at client/eth0" in lines
    assert sum(line.startswith("UNDECIDED") for line in lines) == 1 + len(r.CLAIMS)


def test_a_run_without_frames_says_so() -> None:
    nothing = r.without(*range(1, 21))(r.recorded(4))
    assert "  Nothing: not one frame between the canaries." in report(nothing)


@pytest.mark.parametrize(
    ("columns", "width"), [("40", 60), ("60", 60), ("80", 80), ("333", 333), ("0", 80)]
)
def test_a_page_is_as_wide_as_its_terminal_within_limits(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    file = io.StringIO()
    page = Page(file)
    page.print([Text("shown")])
    assert (page.style.width, file.getvalue()) == (width, "shown\n")


def test_a_page_that_cannot_show_unicode_is_ascii() -> None:
    for encoding, ascii_only in (("utf-8", False), ("ascii", True), ("latin-1", True)):
        file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        assert Page(file).style.ascii_only is ascii_only
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    assert Page(file, ascii_only=True).style.ascii_only


def test_a_file_gets_lines_without_escapes_and_unwrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    file = io.StringIO()
    Page(file).print([Text("x" * 200, "bold red"), Text("[bold]:smile: 1.5  "), Text(" ")])
    assert file.getvalue() == "x" * 200 + "\n[bold]:smile: 1.5\n\n"


@pytest.mark.parametrize("width", WIDTHS)
def test_a_long_call_keeps_its_beginning_and_its_result(width: int) -> None:
    call = f"send(3, b'{'A' * 9000}', MSG_MORE) = 9000\n"
    lines = report(r.printed("client", lambda _: call)(r.recorded(4)), width)
    at = next(n for n, line in enumerate(lines) if line.startswith("  send(3, b'AAA"))
    end = next(n for n, line in enumerate(lines) if line.endswith("= 9000"))
    assert end - at < 5
    assert any(" ... " in line for line in lines[at : end + 1])


def test_a_call_of_a_few_lines_is_shown_whole() -> None:
    call = f"send(3, b'{'A' * 200}') = 200\n"
    lines = report(r.printed("client", lambda _: call)(r.recorded(4)))
    assert "".join(lines).replace(" ", "").count("A" * 200) == 1


@pytest.mark.parametrize("family", [4, 6])
def test_datagrams_are_drawn_with_what_they_carry_complete_and_quote(family: int) -> None:
    timelines = build_timelines(r.recording_of(f"udp{family}"))
    lines = [
        line.plain
        for line in draw_report(
            timelines, list(map(build_ladder, timelines)), (), About(TITLE), Style(100, True)
        )
    ]
    assert max(map(len, lines)) <= 100
    text = "\n".join(line.strip() for line in lines)
    for told in ("'Hello. '", "len=0---", "'A000A001A002", "len=4000\n", "port unreachable-"):
        assert told in text, told
    assert text.count("whole: UDP ") == 1
    assert text.count("quotes UDP ") == 2
    assert [text.count(told) for told in (" fragment ", ", more-", ", last-")] == [3, 2, 1]


def test_the_kernels_view_of_unix_sockets_is_shown() -> None:
    recording = r.recording_of("unix4")
    timelines = build_timelines(recording)
    lines = [
        line.plain
        for line in draw_report(
            timelines, list(map(build_ladder, timelines)), (), About("title"), Style(80, True)
        )
    ]
    (at,) = [n for n, line in enumerate(lines) if "What the kernel held, at 'unread'" in line]
    shown = " ".join(line.strip() for line in lines[at + 1 : at + 8])
    assert "SOCK_STREAM ESTABLISHED inode" in shown
    assert "48 bytes to read, /run/wirelab/conversation" in shown
    assert all(len(line) <= 80 for line in lines)
