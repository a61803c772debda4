from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import frame_bytes as fb
import pytest
import recorded as r
from captured import frames_of
from rich.text import Text
from transcript import crossings

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.crossings import crossings_of_capture
from lab.analysis.flows.flow import group_flows
from lab.analysis.tcp.conversation import analyse_tcp
from lab.analysis.timeline import Timeline
from lab.ladder.build import build_ladder
from lab.model.claim import Judgement
from lab.pcap.pcapng_writing import write_pcapng
from lab.recording.storage import load_recording
from lab.records import Direction, Frame, Instrument, InstrumentKind, RanAs, Recording
from lab.report.terminal.page import Page, draw_capture, draw_closing, draw_report, draw_summary
from lab.report.terminal.style import Style
from scenarios.tcp import SCENARIO

TITLE = f"tcp over IPv4: {SCENARIO.summary}"
WIDTHS = [80, 100, 120]
HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\n\b\u202e\u2028 end"
GOLDEN = Path(__file__).parent / "tcp4.txt"


def report(recording: Recording, width: int = 80, *, ascii_only: bool = True) -> list[str]:
    (timeline,), judgements = r.judged(recording)
    lines = draw_report(
        [timeline], list(map(build_ladder, [timeline])), judgements, TITLE, Style(width, ascii_only)
    )
    return [line.plain for line in lines]


def report_of(
    timelines: Sequence[Timeline], judgements: tuple[Judgement, ...], title: str, style: Style
) -> Iterator[Text]:
    return draw_report(timelines, [*map(build_ladder, timelines)], judgements, title, style)


def shown(seen: Sequence[Crossing], width: int = 80, *, ascii_only: bool = True) -> list[str]:
    """What `wirelab show` draws of these crossings."""
    flows = group_flows(seen)
    talks = tuple(analyse_tcp(flow) for flow in flows if flow.protocol == "tcp")
    lines = draw_capture(tuple(seen), flows, talks, 0, Style(width, ascii_only))
    return [line.plain for line in lines]


def captured(*packets: bytes) -> tuple[Crossing, ...]:
    """A foreign capture of one point, a millisecond apart."""
    return crossings_of_capture(
        Frame(n * 1_000_000, "if0", Direction.UNKNOWN, data, len(data))
        for n, data in enumerate(packets)
    )


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
        "größer " * 30,
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
            timelines, list(map(build_ladder, timelines)), (), "twice", Style(80, True)
        )
    ]
    banners = [line for line in lines if line.startswith("==")]
    assert banners == ["== conversation " + "=" * 64, "== again " + "=" * 71]
    assert lines.index(banners[1]) < next(
        number for number, line in enumerate(lines) if line.startswith("-- server-again, on server")
    )
    assert sum("SYN seq=0" in line for line in lines) == 2


@pytest.mark.parametrize("width", WIDTHS)
def test_the_summary_names_each_claim_and_why_it_does_not_hold(width: int) -> None:
    _, judgements = r.judged(r.without(19, 20)(r.recorded(4)))
    lines = [line.plain for line in draw_summary("tcp", judgements, Style(width, True))]
    assert lines[0] == "-- tcp " + "-" * (width - 7)
    assert len(judgements) == len(SCENARIO.claims)
    told = [
        line.partition(" ")[0] for line in lines if line.startswith(("HOLDS", "BROKEN", "SKIP"))
    ]
    assert told == [judgement.verdict.outcome.value for judgement in judgements]
    untraced = [line for line in lines if line.strip().startswith("no system call on a socket")]
    assert len(untraced) == told.count("SKIPPED") == len(SCENARIO.claims) - len(r.CLAIMS)
    assert any(line.strip().startswith("the connection ended otherwise") for line in lines)
    assert max(map(len, lines)) <= width


def ended(**changes: object) -> Recording:
    """A run whose server ended otherwise."""
    server, client = r.recorded(4).programs
    changed = replace(server, **changes)  # type: ignore[arg-type]
    return replace(r.recorded(4), programs=(changed, client))


def test_a_program_that_failed_is_reported_first_and_beside_its_words() -> None:
    lines = report(ended(failure="was killed by SIGSEGV"))
    facts = lines[lines.index("  program server was killed by SIGSEGV") + 1 :]
    assert "canaries seen" in facts[0]
    assert lines.count("  was killed by SIGSEGV") == 1
    assert any(line.startswith("UNDECIDED") for line in lines)
    assert not any(line.startswith(("HOLDS", "BROKEN")) for line in lines)


def test_the_summary_names_programs_that_failed() -> None:
    lines = [line.plain for line in draw_summary("x", (), Style(80, True), ("program a died",))]
    assert lines[1] == "program a died"


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
    assert sum(line.startswith("UNDECIDED") for line in lines) == len(r.CLAIMS)


def test_a_run_without_frames_says_so() -> None:
    nothing = r.without(*range(1, 21))(r.recorded(4))
    assert "  Nothing: not one frame between the canaries." in report(nothing)


def test_the_closing_counts_the_outcomes() -> None:
    _, judgements = r.judged(r.without(19, 20)(r.recorded(4)))
    again = "./wirelab replay runs/x"
    drawn = draw_closing(judgements, Path("runs/x"), "", again, Style(80, True))
    lines = [line.plain for line in drawn]
    assert lines[-1] == f"  {again}"
    (counted,) = [line for line in lines if line.startswith(f"{len(SCENARIO.claims)} claims: ")]
    assert "1 BROKEN" in counted and f"{len(SCENARIO.claims) - len(r.CLAIMS)} SKIPPED" in counted
    assert "Artifacts: runs/x" in lines


def test_a_foreign_captures_frames_point_away_from_their_sender() -> None:
    answer: dict[str, Any] = {"source": fb.V4_B, "destination": fb.V4_A}
    request = fb.ipv4(fb.udp(b"ask"), 17)
    swapped = struct.pack("!HH", 5001, 5000) + fb.udp(b"told", checksum=0)[4:]
    refused = fb.ipv4(fb.icmp(3, 3, bytes(4), request[:28]), 1, **answer)
    packets = [fb.ethernet(p) for p in (request, fb.ipv4(swapped, 17, **answer), refused)]
    lines = shown(captured(*packets))
    ask, told, error = (line for line in lines if line[5:6] == "." and line[9:10] == " ")
    assert "UDP 5000 > 5001" in ask and "UDP 5001 > 5000" in told and "ICMP" in error
    assert ask[66] == ">" and told[23] == "<" and error[23] == "<"


def test_frames_of_no_flow_are_listed() -> None:
    lines = shown(captured(fb.ethernet(b"?", 0x88B5), fb.ethernet(fb.ipv4(b"?", 253))))
    assert lines[0] == "2 frames, 0 flows"
    assert lines[-2:] == [
        "    0.000 Ethernet type 0x88b5, from 02:00:00:00:00:01 to 02:00:00:00:00:02",
        "    1.000 IPv4 experiment 253 from 192.0.2.1 to 192.0.2.2",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_hostile_capture_file_is_shown_within_the_page(width: int) -> None:
    hostile = HOSTILE.encode()
    packets = [
        fb.ethernet(fb.ipv6(fb.tcp6(hostile * 9), source=fb.V6_A, destination=fb.V6_B), fb.IPV6),
        fb.ethernet(fb.ipv4(fb.udp(hostile), 17)),
        fb.ethernet(hostile, 0x88B5),
        hostile,
    ]
    frames = [
        Frame(n * 10**17, HOSTILE, Direction.IN, data, len(data)) for n, data in enumerate(packets)
    ]
    file = io.BytesIO()
    write_pcapng(file, [HOSTILE], frames, {0: HOSTILE}, HOSTILE)
    read = frames_of(file.getvalue())
    assert read[0].point == HOSTILE
    for ascii_only in (True, False):
        lines = shown(crossings_of_capture(read), width, ascii_only=ascii_only)
        assert "".join(lines).isprintable()
        assert max(map(len, lines)) <= width


def test_a_transcript_of_any_length_of_time_stays_within_the_page() -> None:
    seen = crossings(
        """
        0 client6 > server6 SYN seq=1
        99999 server6 > client6 SYN,ACK seq=1 ack=2
        9999999 client6 > server6 ACK seq=2 ack=2
        """
    )
    assert max(map(len, shown(seen))) == 80


@pytest.mark.parametrize(
    ("columns", "width"), [("40", 80), ("80", 80), ("100", 100), ("999", 120), ("0", 80)]
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
    timelines = build_timelines(load_recording(r.FOLDER / f"udp{family}"))
    lines = [
        line.plain
        for line in draw_report(
            timelines, list(map(build_ladder, timelines)), (), TITLE, Style(100, True)
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
    recording = load_recording(r.FOLDER / "unix4")
    timelines = build_timelines(recording)
    lines = [
        line.plain
        for line in draw_report(
            timelines, list(map(build_ladder, timelines)), (), "title", Style(80, True)
        )
    ]
    (at,) = [n for n, line in enumerate(lines) if "What the kernel held, at 'unread'" in line]
    shown = " ".join(line.strip() for line in lines[at + 1 : at + 8])
    assert "SOCK_STREAM ESTABLISHED inode" in shown
    assert "48 bytes to read, /run/wirelab/conversation" in shown
    assert all(len(line) <= 80 for line in lines)


def test_frames_of_no_flow_say_what_an_error_quotes() -> None:
    asked = fb.ipv4(fb.udp(b"ask"), 17)
    lines = shown(captured(fb.ethernet(fb.ipv4(fb.icmp(3, 3, bytes(4), asked), 1))))
    quoted = "quotes UDP 192.0.2.1:5000 > 192.0.2.2:5001"
    assert lines[-1].strip() == f"0.000 ICMP port unreachable, {quoted}"


def test_frames_of_no_flow_say_what_carries_them() -> None:
    echo = fb.ipv4(fb.icmp(8, 0, bytes(4)), 1)
    lines = shown(captured(fb.ethernet(echo, tags=((0x8100, 10),))))
    assert lines[-1].strip() == (
        "0.000 ICMP echo request, code 0, from 192.0.2.1 to 192.0.2.2, in VLAN 10"
    )
