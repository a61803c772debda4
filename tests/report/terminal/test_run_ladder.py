from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import recorded as r
import traced_runs as t
from event_ids import event
from rich.text import Text

from lab.analysis.assembly import build_timelines
from lab.analysis.correlate.correlation import Correlation
from lab.analysis.sockets.unix_queues import QueueSeen
from lab.analysis.timeline import Timeline
from lab.ladder.background import MOST_INNER_CALLS
from lab.ladder.build import build_ladder
from lab.ladder.repetition import FIRST_ROWS, LAST_ROWS
from lab.records import QueueSample
from lab.report.terminal.drawing.style import Style
from lab.report.terminal.run_ladder import draw_run_ladder, draw_so_far

GOLDEN = Path(__file__).parent / "tcp4_traced.txt"
WIDTHS = [80, 100, 120]
HOSTILE = "\x1b[2J\x9b31m\r\n\u202e end"


def lines_of(timeline: Timeline, style: Style, explained: set[str] | None = None) -> Iterator[Text]:
    return draw_run_ladder(timeline, build_ladder(timeline), style, explained)


def drawn(timeline: Timeline, width: int = 80, *, ascii_only: bool = False) -> list[str]:
    return [
        line.plain
        for line in draw_run_ladder(timeline, build_ladder(timeline), Style(width, ascii_only))
    ]


def only(lines: list[str], *parts: str) -> str:
    """The one line in which all these stand."""
    (line,) = [line for line in lines if all(part in line for part in parts)]
    return line


def with_calls(*told: t.Told) -> Timeline:
    timeline = t.talk(told=told)
    return replace(timeline, correlation=Correlation())


def test_a_traced_conversation_reads_as_it_did(tmp_path: Path) -> None:
    text = "".join(line.rstrip() + "\n" for line in drawn(t.talk()))
    actual = tmp_path / GOLDEN.name
    actual.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8"), f"if that is meant, copy {actual} to {GOLDEN}"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_no_line_is_longer_than_the_page(width: int, ascii_only: bool) -> None:
    for timeline in (t.talk(), t.dropped(), t.unix_talk()):
        lines = drawn(timeline, width, ascii_only=ascii_only)
        assert max(map(len, lines)) == width
        assert "".join(lines).isascii() or not ascii_only


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["udp4", "udp6", "raw6", "unix4", "buffers"])
def test_no_recorded_step_is_wider_than_the_page_with_calls(name: str, width: int) -> None:
    calls = tuple(t.system_calls(t.TALK))
    for timeline in build_timelines(r.recording_of(name)):
        traced = replace(timeline, system_calls=calls)
        traced = replace(traced, order=t.order_of(traced))
        assert max(Text(line).cell_len for line in drawn(traced, width)) == width


def test_a_call_is_open_on_every_line_until_it_returns() -> None:
    lines = drawn(t.talk())
    entry = lines.index(only(lines, "┌ #2 connect(3, 198.51.100.2:4242, 16)"))
    end = lines.index(only(lines, "└ #2 connect = 0  0.070 ms"))
    inside = [line for line in lines[entry + 1 : end] if line.startswith(" ")]
    beside = [line for line in inside if "Which hardware" not in line and "Both send" not in line]
    assert {line[10] for line in beside} == {"│"}
    assert any("SYN seq=0" in line for line in beside)


def test_a_call_in_which_nothing_happens_is_one_line() -> None:
    lines = drawn(t.talk())
    assert only(lines, "╶", "= 3")[10:].startswith("╶ #1 socket(AF_INET, SOCK_STREAM, IPPROTO")
    assert only(lines, "bind").endswith(" #2 bind(3, 198.51.100.2:4242, 16) = 0 ╴")


def test_a_long_call_in_which_nothing_happens_says_how_long() -> None:
    lines = drawn(with_calls(("client", -9000, -4000, "read(3, 0x7f, 1)", "0")))
    assert only(lines, "read(3").rstrip().endswith("read(3, 0x7f, 1) = 0  5.000 ms")


def test_a_frame_that_arrives_later_takes_two_lines_with_its_delay() -> None:
    lines = drawn(t.talk())
    at = lines.index(only(lines, "┄──", "FIN ACK seq=44"))
    arrival = lines[at + 2]
    assert "▶" not in lines[at] and "◀" not in lines[at]
    assert "◀─f19 FIN ACK seq=44 ack=50" in arrival and "┄+0.001 ms┄" in arrival
    assert "LAST-ACK" in lines[at] and "LAST-ACK" not in arrival
    assert "TIME-WAIT" in arrival and "TIME-WAIT" not in lines[at]


def test_a_label_that_does_not_fit_its_arrow_stands_below_it() -> None:
    crowd = [(name, -9, 300, "read(3, 0x7f, 1)", "0") for name in ("client", "server") * 5]
    lines = drawn(with_calls(*crowd))
    at = lines.index(only(lines, "─f4 SYN ACK seq=0 ack=1..."))
    assert " f4 SYN ACK seq=0 ack=1 win=43440 " in lines[at + 1]


def test_a_lost_frame_takes_one_line() -> None:
    recording = r.lost(8)(r.recorded(4))
    (timeline,), _ = r.judged(recording)
    calls = t.talk().system_calls
    timeline = replace(timeline, system_calls=calls, endpoints=t.talk().endpoints)
    timeline = replace(timeline, order=t.order_of(timeline))
    assert "✗" in only(drawn(timeline), "len=26")


def test_concurrent_events_are_marked() -> None:
    marked = [line for line in drawn(t.talk()) if line.lstrip().startswith("∥")]
    assert ["sendto = 7" in marked[0], "recvfrom(4" in marked[1], len(marked)] == [True, True, 2]


def test_states_of_the_kernel_stand_beside_their_lane() -> None:
    lines = drawn(t.talk())
    assert only(lines, "CLOSE → SYN_SENT").startswith("    0.895 │ kernel: CLOSE → SYN_SENT")
    assert only(lines, "SYN_SENT → ESTABLISHED")
    assert only(lines, "sampled", "ESTABLISHED,").rstrip().endswith("kernel: ESTABLISHED, sampled")


def test_what_is_left_to_read_stands_beside_the_call_that_left_it() -> None:
    lines = drawn(t.unread())
    at = lines.index(only(lines, "recvfrom = 7"))
    assert lines[at + 1].rstrip().endswith("kernel: 4 bytes left to read, sampled")
    at = lines.index(only(lines, "#2 sendto(4, '!', 1, 0, NULL, 0) = 1"))
    assert lines[at + 1].rstrip().endswith("kernel: no bytes left to read, sampled")
    at = lines.index(only(lines, "recvfrom(3, '!'"))
    assert lines[at + 1].split(maxsplit=1)[1].startswith("kernel: 1 byte left to read, sampled")
    legend = "sampled when a call ends"
    assert legend in legend_of(t.unread(), set())
    assert legend not in legend_of(t.unix_talk(), set())


def test_what_is_left_of_messages_is_the_next_one() -> None:
    lines = drawn(t.unread("SOCK_DGRAM"))
    assert only(lines, "kernel: 4 bytes in the next message, sampled")
    assert only(lines, "kernel: nothing in a next message, sampled")


def test_a_queue_is_named_by_its_call_where_its_side_has_several_threads() -> None:
    timeline = t.unread()
    calls = (replace(call, tid=48 + call.id.number) for call in timeline.system_calls)
    lines = drawn(replace(timeline, system_calls=tuple(calls)))
    assert only(lines, "kernel: [49]#1: 4 bytes left to read, sampled")
    assert only(lines, "kernel: [50]#2: 1 byte left to read, sampled")


def test_what_is_left_of_a_call_that_is_not_drawn_is_not_drawn() -> None:
    timeline = t.unread()
    within = [
        t.system_call("client", 10 + n, (40 + n, 40.5 + n), "read(8, 'x', 1)", "1")
        for n in range(MOST_INNER_CALLS + 1)
    ]
    within = [replace(call, socket="s9") for call in within]
    look = QueueSeen(
        event("queue 4"), QueueSample(t.at_ns(50.6), "inode 8", "SOCK_STREAM", 55, 7), within[10]
    )
    ends = (
        replace(t.endpoint("s8", "client", peer="s9"), domain="AF_UNIX"),
        replace(t.endpoint("s9", "client", peer="s8"), domain="AF_UNIX"),
    )
    timeline = replace(
        timeline,
        system_calls=(*timeline.system_calls, *within),
        endpoints=(*timeline.endpoints, *ends),
        queues=(*timeline.queues, look),
    )
    lines = drawn(replace(timeline, order=t.order_of(timeline)))
    assert not any("55 bytes left" in line or "read(8" in line for line in lines)
    assert only(lines, "kernel: 4 bytes left to read, sampled")


def test_a_drop_stands_at_its_frame() -> None:
    lines = drawn(t.dropped())
    at = lines.index(only(lines, "✗ dropped by the kernel: NO_SOCKET (f3 SYN seq=0 win=42340)"))
    assert any("SYN seq=0 win=42340" in line for line in lines[at - 3 : at])


def test_remarks_stand_below_their_event_at_its_side() -> None:
    lines = drawn(t.talk())
    at = lines.index(only(lines, "accept4 = 4"))
    assert "accept() returned 0.021 ms after" in lines[at + 1]
    left = replace(t.talk(), correlation=Correlation(remarks=((event("client#2"), "It blocked."),)))
    lines = drawn(left)
    assert lines[lines.index(only(lines, "└ #2 connect")) + 1][12:].startswith(" It blocked.")


def test_violations_are_loud() -> None:
    timeline = t.talk()
    order = replace(timeline.order, violations=("f3 left before client#2 was entered",))
    lines = list(lines_of(replace(timeline, order=order), Style(80, ascii_only=True)))
    (line,) = [line for line in lines if "ORDER VIOLATED: f3 left" in line.plain]
    assert line.style == "bold red"


def test_a_call_that_never_returns_stays_open_and_says_so() -> None:
    lines = drawn(with_calls(("client", -10, None, "recvfrom(3, 0x7f, 9, 0, NULL, NULL)", "?")))
    assert only(lines, "└ #1 recvfrom had not returned when its program ended")
    assert sum(line[10:11] == "│" for line in lines) > 20


@pytest.mark.parametrize("data", ["x" * 128, "漢" * 60, HOSTILE])
def test_a_long_call_keeps_its_name_and_result(data: str) -> None:
    timeline = with_calls(("client", -9, -8, f"sendto(3, '{data}', 128, 0, NULL, 0)", "128"))
    for ascii_only in (True, False):
        lines = drawn(timeline, ascii_only=ascii_only)
        line = only(lines, "sendto(3, '", ") = 128")
        assert line.isprintable() and Text(line).cell_len == 80


def test_a_failed_call_is_red_and_one_that_would_block_is_not() -> None:
    for error, colour in (("ECONNREFUSED", "red"), ("EINPROGRESS", ""), ("EAGAIN", "")):
        told = ("client", -9, -8, "connect(3, 192.0.2.1:9, 16)", f"-1 {error}")
        lines = lines_of(with_calls(told), Style(80, ascii_only=False))
        (line,) = [line for line in lines if error in line.plain]
        assert ("red" in {str(span.style) for span in line.spans}) is bool(colour)


def test_threads_have_a_bracket_and_a_number_each() -> None:
    timeline = with_calls(
        ("client", -9, 300, "read(3, 0x7f, 1)", "0"),
        ("client", -8, 200, "read(4, 0x7f, 1)", "0"),
    )
    first, second = timeline.system_calls
    timeline = replace(timeline, system_calls=(first, replace(second, tid=8)))
    lines = drawn(timeline)
    assert only(lines, "┌─ [7]#1 read(3, buf, 1)")
    assert only(lines, "│┌ [8]#2 read(4, buf, 1)")
    assert only(lines, "│└ [8]#2 read = 0")


def test_programs_of_one_side_are_named() -> None:
    timeline = with_calls(
        ("client", -9, -8, "close(3)", "0"), ("client-two", -7, -6, "close(3)", "0")
    )
    lines = drawn(timeline)
    assert only(lines, "╶ client#1 close(3) = 0") and only(lines, "╶ client-two#1 close(3) = 0")


def test_of_a_long_ladder_the_middle_is_cut() -> None:
    told = [("client", -900 + n / 2, -899.9 + n / 2, f"close({n})", "0") for n in range(1000)]
    timeline = with_calls(("server", -901, 9000, "read(4, 0x7f, 1)", "0"), *told)
    lines = drawn(timeline)
    at = lines.index(only(lines, "lines left out; report.json has them"))
    # One whole arrow is a line, and so is each half of what takes two.
    assert "close(248) = 0" in lines[at - 1]
    assert sum("close(" in line for line in lines) < FIRST_ROWS + LAST_ROWS
    assert only(lines, "close(999) = 0") and only(lines, "f20 ")
    assert only(lines, "── Closing ──")
    assert all(line.endswith("│") for line in lines[at : at + 20])
    assert only(lines, "read = 0").endswith("┘")


def test_a_call_that_ends_where_the_ladder_is_cut_is_closed_behind_it() -> None:
    told = [("client", -900 + n / 2, -899.9 + n / 2, f"close({n})", "0") for n in range(1000)]
    lines = drawn(with_calls(("server", -901, -700.2, "read(4, 0x7f, 1)", "0"), *told))
    at = lines.index(only(lines, "lines left out; report.json has them"))
    assert lines[at - 1].endswith("│") and not lines[at + 1].rstrip().endswith("│")


def test_a_call_that_comes_again_and_again_is_folded() -> None:
    told = [("client", -900 + n, -899.9 + n, "poll(fds, 1, 0)", "0") for n in range(300)]
    lines = drawn(with_calls(*told))
    at = lines.index(only(lines, "... 298 times more"))
    assert "#1 poll(fds, 1, 0) = 0" in lines[at - 1]
    assert "#300 poll(fds, 1, 0) = 0" in lines[at + 1]
    assert sum("poll(" in line for line in lines) == 2


def test_a_fold_stands_beside_the_lane_of_its_calls() -> None:
    for program, is_right in (("client", False), ("server", True)):
        told = [(program, -900 + n, -899.9 + n, "poll(fds, 1, 0)", "0") for n in range(9)]
        assert only(drawn(with_calls(*told)), "... 7 times more").startswith(" " * 50) is is_right


def test_calls_of_several_connections_name_theirs() -> None:
    timeline = t.talk()
    (one,) = timeline.conversations
    other = replace(
        one, segments=(), flow=replace(one.flow, number=1, a=replace(one.flow.a, port=40999))
    )
    sockets = {"connect": "s2", "sendto": "s2", "listen": "s1", "accept4": "s1"}
    calls = tuple(
        replace(
            call,
            socket=sockets.get(call.name, "") if call.id != event("server#7") else "s3",
            made=("s3",) if call.name == "accept4" else (),
        )
        for call in timeline.system_calls
    )
    timeline = replace(timeline, system_calls=calls)
    lines = drawn(replace(timeline, conversations=(one, other)))
    assert only(lines, "#2 40858: connect(3") and only(lines, "#2 40858: connect = 0")
    assert only(lines, "#4 accept4(3, addr") and only(lines, "#4 40858: accept4 = 4")
    assert only(lines, "#3 listen(3, 1) = 0") and only(lines, "f6 40858: PSH ACK")
    legend = " ".join(line.strip() for line in lines)
    assert "40858: the client's port, which identifies the connection" in legend
    assert not any("40858: " in line for line in drawn(timeline))


def test_bytes_of_a_unix_socket_are_a_local_transfer() -> None:
    lines = drawn(t.unix_talk())
    assert "  Nothing: not one frame between the canaries." in lines
    right, left = (line for line in lines if "local transfer" in line)
    assert " local transfer, 7 bytes ·" in right and right[:-1].rstrip().endswith("·▶")
    assert "◀·" in left and " local transfer, 1 byte ·" in left
    at = lines.index(right)
    assert "sendto(3, 'Hello. '" in lines[at - 1] and "recvfrom = 7" in lines[at + 1]


def test_without_calls_the_ladder_is_that_of_the_wire_alone() -> None:
    timeline = replace(t.talk(), system_calls=())
    lines = drawn(timeline, ascii_only=True)
    assert "-- What went over the wire " in lines[1]
    wire = (Path(__file__).parent / "tcp4.txt").read_text("utf-8")
    assert "\n".join(line.rstrip() for line in lines[1:]) in wire


def legend_of(timeline: Timeline, explained: set[str], *, ascii_only: bool = False) -> str:
    lines = [
        line.plain
        for line in draw_run_ladder(
            timeline, build_ladder(timeline), Style(80, ascii_only), explained
        )
    ]
    end = next(n for n, line in enumerate(lines) if line[:9].strip() == "0.000")
    return " ".join(line.strip() for line in lines[3:end])


def test_what_a_sign_means_is_explained_once() -> None:
    explained: set[str] = set()
    first = legend_of(t.talk(), explained)
    assert "┌ (right: ┐) a call is entered, └ (right: ┘) it has returned, ╶ or ╴ nothing" in first
    assert "states in capitals beside a frame are inferred" in first
    assert "sampled when a call ends" not in first
    assert legend_of(t.talk(), explained) == ""
    rest = legend_of(t.unread(), explained)
    assert rest.partition(f"server {t.SERVER} ")[2] == (
        "kernel: what is left to read in a unix socket, sampled when a call ends"
    )


def test_the_legend_is_right_for_both_lanes_in_ascii() -> None:
    told = legend_of(t.talk(), set(), ascii_only=True)
    assert "/ (right: \\) a call is entered, \\ (right: /) it has returned, - nothing" in told
    lines = drawn(t.talk(), ascii_only=True)
    assert only(lines, "#4 accept4(3").endswith("\\") and only(lines, "#4 accept4 =").endswith("/")


def test_threads_are_explained_in_the_legend() -> None:
    timeline = t.talk()
    first, *others = timeline.system_calls
    calls = (replace(first, tid=9), *others)
    assert "[9] a thread's number" in legend_of(replace(timeline, system_calls=calls), set())
    assert "thread" not in legend_of(timeline, set())


def test_without_calls_inferred_states_are_explained_as_such() -> None:
    lines = list(lines_of(replace(t.talk(), system_calls=()), Style(80, False)))
    assert lines[3].plain.startswith("  states in capitals beside a frame are inferred")
    (syn,) = [line for line in lines if "─f3 SYN seq=0" in line.plain]
    state = syn.plain.index("SYN-SENT")
    assert "dim italic" in {str(span.style) for span in syn.spans if span.start <= state < span.end}


def test_programs_of_one_host_that_talk_stand_face_to_face() -> None:
    programs = tuple(replace(run, host="client") for run in t.talk().programs)
    lines = drawn(replace(t.unix_talk(), programs=programs))
    assert only(lines, "ms client, on client").endswith("server, on client")


def test_what_has_happened_so_far_is_drawn_under_a_heading() -> None:
    timelines = build_timelines(r.recorded(4))
    lines = [line.plain for line in draw_so_far(timelines, Style(80, ascii_only=False))]
    assert lines[0].startswith("── So far ")
    assert any("SYN" in line for line in lines)


def test_that_nothing_has_happened_is_said() -> None:
    recording = replace(r.recorded(4), frames=(), canaries=())
    lines = [line.plain for line in draw_so_far(build_timelines(recording), Style(80, False))]
    assert lines == ["Nothing so far."]
