from __future__ import annotations

from dataclasses import replace

import traced_runs as t
from rich.text import Text

from lab.analysis.correlate.correlation import Channel, Correlation
from lab.analysis.timeline import Timeline
from lab.report.terminal.byte_table import MOST_CHANNELS, draw_bytes
from lab.report.terminal.drawing.style import Style


def with_channels(*channels: Channel) -> Timeline:
    return replace(t.talk(), correlation=Correlation(channels=channels))


def drawn(*channels: Channel, ascii_only: bool = False) -> list[Text]:
    return list(draw_bytes(with_channels(*channels), Style(120, ascii_only)))[2:]


def test_each_way_shows_its_calls_segments_and_bytes() -> None:
    (line,) = drawn(t.channel("s2", "s3", 48))
    assert line.plain == (
        "  client → server (tcp 0): 3 sends → 3 segments → 4 reads, "
        "48 bytes sent = 48 on the wire = 48 read"
    )
    assert line.style == ""


def test_bytes_that_were_not_read_stand_out() -> None:
    (line,) = drawn(t.channel("s2", "s3", 48, read=7))
    assert line.plain.endswith("48 bytes sent = 48 on the wire ≠ 7 read")
    assert line.style == "bold yellow"


def test_without_a_wire_there_are_two_counts() -> None:
    (line,) = drawn(Channel("s2", "s3", None, (), 7, None, 7, 1, 0, 2), ascii_only=True)
    assert line.plain == ("  client -> server (no wire): 1 send -> 2 reads, 7 bytes sent = 7 read")


def test_an_end_that_is_no_traced_programs_is_named_so() -> None:
    (line,) = drawn(t.channel("s2", "", 48))
    assert "client → somebody not traced (tcp 0)" in line.plain


def test_what_waits_in_an_accept_queue_is_counted() -> None:
    timeline = with_channels(t.channel("s2", "", 7, read=0))
    (flow,) = timeline.flows
    listener = replace(t.endpoint("s1", "server", listening=True), local=flow.b)
    client = replace(t.endpoint("s2", "client", flow="tcp 0"), local=flow.a)
    line = list(draw_bytes(replace(timeline, endpoints=(listener, client)), Style(160, False)))[2]
    assert "client → server's accept queue" in line.plain
    assert line.plain.endswith("≠ 0 read; 7 bytes waiting with the connection")


def test_many_channels_are_cut() -> None:
    lines = drawn(*[t.channel("s2", "s3", 48)] * (MOST_CHANNELS + 5))
    assert len(lines) == MOST_CHANNELS + 1
    assert lines[-1].plain == "  ... and 5 more; report.json has them all"


def test_no_channels_are_no_table() -> None:
    assert list(draw_bytes(with_channels(), Style(80, ascii_only=True))) == []


def test_an_incomplete_capture_is_reported_first() -> None:
    timeline = with_channels(t.channel("s2", "s3", 48))
    incomplete = replace(
        timeline.bracket, incomplete=("the kernel dropped 1 frame at client/eth0",)
    )
    lines = list(draw_bytes(replace(timeline, bracket=incomplete), Style(120, ascii_only=True)))
    assert lines[2].plain == (
        "  Incomplete capture (the kernel dropped 1 frame at client/eth0): the wire may have "
        "carried more."
    )
    assert lines[2].style == "bold red"
    assert "48 bytes sent" in lines[3].plain


def test_a_way_that_is_not_counted_shows_why() -> None:
    timeline = t.talk()
    call = replace(timeline.system_calls[0], name="sendmmsg")
    channels = [replace(t.channel(s, "s3", 48), uncounted=call.id) for s in ("s2", "")]
    told = replace(
        timeline,
        system_calls=(call, *timeline.system_calls[1:]),
        correlation=Correlation(channels=tuple(channels)),
    )
    why = "not counted: sendmmsg(2) sends several messages at once, which are not followed"
    lines = list(draw_bytes(told, Style(120, ascii_only=False)))[-2:]
    assert [line.plain for line in lines] == [
        f"  client → server (tcp 0): {why}", f"  somebody → server (tcp 0): {why}"
    ]  # fmt: skip
    assert {line.style for line in lines} == {"bold yellow"}
