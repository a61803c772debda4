"""The report for a terminal: programs, ladder, claims."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.text import Text

from lab.analysis.encapsulation import carried_in, describe_ends
from lab.analysis.flow_remarks import flow_remarks
from lab.analysis.story import Phase, describe_packet, describe_quoted, phases
from lab.analysis.tcp.conversation import TcpConversation
from lab.analysis.timeline import Timeline
from lab.ladder.capture import capture_ladder
from lab.ladder.model import Ladder
from lab.model.claim import Judgement, Outcome
from lab.model.counted import counted
from lab.report.terminal.board import TIME_COLUMNS, elapsed
from lab.report.terminal.ladder import draw_ladder
from lab.report.terminal.run_ladder import draw_run_ladder
from lab.report.terminal.style import MAX_COLUMNS, MIN_COLUMNS, OUTCOME_COLOURS, Style

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow
    from lab.model.event import EventId
    from lab.records import ProgramRun, RanAs

OUTCOME_COLUMNS = 11
STDOUT_LINES = 200
STDERR_LINES = 10
DEMOS = "demos"
"""The folder of a scenario's programs, which lies beside it."""


class _Console(Console):
    """rich's console, which would exit with status 1 where its reader has gone."""

    def on_broken_pipe(self) -> None:
        """Leave it to the command line. rich calls this while it handles the error."""
        raise BrokenPipeError


class Page:
    """A place to print to: a terminal, a pipe or a file.

    As wide as the terminal, from 80 to 120 columns; 80 where there is none and COLUMNS does
    not say otherwise. Colour is rich's to decide; with NO_COLOR there is no bold either.
    """

    def __init__(self, file: TextIO | None = None, ascii_only: bool = False) -> None:
        file = file or sys.stdout
        encoding = (file.encoding or "ascii").lower()
        ascii_only = ascii_only or not encoding.startswith("utf")
        self._console = _Console(
            file=file,
            highlight=False,
            emoji=False,
            markup=False,
            color_system=None if os.environ.get("NO_COLOR") else "auto",
        )
        width = min(MAX_COLUMNS, max(MIN_COLUMNS, self._console.width))
        self._console.width = width  # with COLUMNS=0 rich would print nothing
        self.style = Style(width, ascii_only)

    def print(self, lines: Iterable[Text]) -> None:
        """Print lines as they are, neither wrapped nor cropped, but without blanks at their end."""
        for line in lines:
            line.rstrip()
            self._console.print(line, no_wrap=True, overflow="ignore", crop=False)


def draw_report(
    timelines: Sequence[Timeline],
    ladders: Sequence[Ladder],
    judgements: tuple[Judgement, ...],
    title: str,
    style: Style,
) -> Iterator[Text]:
    """The lines of one run's report: its steps in order, each with its ladder, then the claims."""
    yield from _draw_head(timelines, title, style)
    explained: set[str] = set()
    for timeline, ladder in zip(timelines, ladders, strict=True):
        if len(timelines) > 1:
            yield Text()
            yield style.banner(timeline.step)
        yield from _draw_programs(timeline, style)
        yield from _draw_sockets(timeline, style)
        yield from draw_run_ladder(timeline, ladder, style, explained)
    yield Text()
    yield style.heading("Claims")
    for judgement in judgements:
        yield from _draw_judgement(judgement, style)


def draw_summary(
    title: str, judgements: tuple[Judgement, ...], style: Style, failures: Iterable[str] = ()
) -> Iterator[Text]:
    """A run in a few lines: its title, programs that failed, each claim with its verdict."""
    yield style.heading(title)
    for failure in failures:
        for piece in style.wrap(failure, style.width):
            yield Text(piece, "bold red")
    for judgement in judgements:
        verdict = judgement.verdict
        line = Text(f"{verdict.outcome.value:<{OUTCOME_COLUMNS}}", OUTCOME_COLOURS[verdict.outcome])
        room = style.width - OUTCOME_COLUMNS
        first, *rest = style.wrap(judgement.text, room)
        line.append(first)
        yield line
        for more in rest:
            yield Text(" " * OUTCOME_COLUMNS + more)
        if verdict.outcome is not Outcome.HOLDS:
            for more in style.wrap(verdict.why, room):
                yield Text(" " * OUTCOME_COLUMNS + more, "dim")


def draw_closing(
    judgements: tuple[Judgement, ...], folder: Path, note: str, replay: str, style: Style
) -> Iterator[Text]:
    """The last lines: how many claims hold, where the artifacts are, what to do with them.

    `replay` is the command that judges the run again; it is never wrapped, to be copied whole.
    """
    counts = dict.fromkeys(Outcome, 0)
    for judgement in judgements:
        counts[judgement.verdict.outcome] += 1
    outcomes = ", ".join(f"{n} {outcome.value}" for outcome, n in counts.items() if n)
    yield Text()
    yield Text(f"{counted(len(judgements), 'claim')}: {outcomes}.", "bold")
    yield Text(style.safe(f"Artifacts: {folder}"))
    if note:
        yield Text(style.safe(f"  {note}"), "yellow")
    yield Text("  recording.pcapng opens in Wireshark. To judge the run again:", "dim")
    yield Text(style.safe(f"  {replay}"), "dim")


def draw_capture(
    crossings: tuple[Crossing, ...],
    flows: tuple[Flow, ...],
    conversations: tuple[TcpConversation, ...],
    canaries: int,
    style: Style,
    notes: Iterable[Text] = (),
) -> Iterator[Text]:
    """A capture file's flows, each with its ladder, and the frames that belong to none.

    `notes` are lines about the file that stand below the counts.
    """
    counts = counted(len(crossings), "frame"), counted(len(flows), "flow")
    yield Text(", ".join(counts), "bold")
    yield from notes
    if canaries:
        verb = "is" if canaries == 1 else "are"
        left_out = f"{counted(canaries, 'canary frame')} of wirelab {verb} left out"
        yield Text(left_out, "dim")
    conversation_of = {conversation.flow.number: conversation for conversation in conversations}
    phase_of = phases(crossings, conversations)
    in_flows: set[int] = set()
    for flow in flows:
        every = (*flow.crossings, *flow.errors, *flow.parts)
        in_flows |= {crossing.number for crossing in every}
        yield Text()
        yield style.heading(str(flow.id))
        conversation = conversation_of[flow.number] if flow.protocol == "tcp" else None
        yield from _draw_flow(flow, conversation, phase_of, style)
    others = [crossing for crossing in crossings if crossing.number not in in_flows]
    if others:
        yield Text()
        yield style.heading("Frames of no flow")
        zero_ns = crossings[0].time_ns
        for crossing in others:
            what = describe_packet(crossing.packet)
            ends = describe_ends(crossing.packet)
            if quoted := describe_quoted(crossing.packet):
                what += f", quotes {quoted}"
            elif ends not in what:
                what += f", {ends}"
            if carriers := carried_in(crossing.packet):
                what += f", {carriers}"
            what = style.cut(style.drawn(what), style.width - TIME_COLUMNS - 1)
            yield Text(f"{elapsed(crossing.time_ns, zero_ns):>{TIME_COLUMNS}} {what}")


def _draw_head(timelines: Sequence[Timeline], title: str, style: Style) -> Iterator[Text]:
    recording = timelines[0].recording
    brackets = [timeline.bracket for timeline in timelines]
    incomplete = dict.fromkeys(reason for bracket in brackets for reason in bracket.incomplete)
    for line in style.wrap(title, style.width):
        yield Text(line, "bold")
    seen = (
        f"{counted(sum(len(b.frames) for b in brackets), 'frame')} at "
        f"{counted(len(recording.points), 'point')}, "
        f"{brackets[0].dropped} dropped, {sum(b.canaries_seen for b in brackets)} of "
        f"{sum(b.canaries_sent for b in brackets)} canaries seen"
    )
    facts = [
        *((failure, "bold red") for timeline in timelines for failure in timeline.failures),
        *((fact, "dim") for fact in (seen, *map(str, recording.instruments))),
        *((fact, "dim") for fact in _ran_as(recording.ran_as)),
        *((f"INCOMPLETE CAPTURE: {reason}", "bold red") for reason in incomplete),
        *((f"still open at the end: {line}", "bold yellow") for line in recording.unfinished),
    ]
    for fact, colour in facts:
        for line in style.wrap(fact, style.width - 2, "  "):
            yield Text(f"  {line}", colour)


def _ran_as(who: RanAs | None) -> Iterator[str]:
    """As whom the programs ran, where that was not the lab itself, and what they were allowed."""
    if who is None:
        return
    *others, last = who.capabilities or ("no capability",)
    names = f"{', '.join(others)} and {last}" if others else last
    files = "with the host's files as they are"
    if not who.host_files:
        files = f"writing to {', '.join(who.writable) or 'no folder of the host'}"
    sockets = f"; unix sockets {', '.join(who.sockets)}" if who.sockets else ""
    yield f"programs ran as {who.user} (uid {who.uid}) with {names}, {files}{sockets}"


def _draw_programs(timeline: Timeline, style: Style) -> Iterator[Text]:
    for run in timeline.programs:
        yield Text()
        yield style.heading(f"{run.name}, on {run.host}")
        for piece in style.wrap(f"$ {shlex.join(_command(run.argv))}", style.width - 2, "    "):
            yield Text(f"  {piece}", "dim")
        lines = run.stdout.splitlines()
        for text in lines[:STDOUT_LINES]:
            for piece in style.wrap(_shown(text, style), style.width - 4, "    "):
                yield Text(f"  {piece}")
        if len(lines) > STDOUT_LINES:
            yield Text(
                f"  ... {counted(len(lines) - STDOUT_LINES, 'line')} more, in recording.jsonl",
                "dim",
            )
        yield from _draw_end(run, style)


def _command(argv: Sequence[str]) -> list[str]:
    """The words of a command; of a demo, without its folder's and its interpreter's.

    Those differ between machines, and the names are enough. What a user wrote stays whole.
    """
    demos = [word for word in argv if PurePath(word).parent.name == DEMOS]
    shortened = (*demos, *argv[:1]) if demos else ()
    return [PurePath(word).name if word in shortened else word for word in argv]


def _draw_end(run: ProgramRun, style: Style) -> Iterator[Text]:
    """The last lines of a program's stderr, its remark and its failure."""
    lines = run.stderr.splitlines()
    if len(lines) > STDERR_LINES:
        lines = [f"... {counted(len(lines) - STDERR_LINES, 'line')} before", *lines[-STDERR_LINES:]]
    shown = [(f"stderr: {line}", "dim") for line in lines]
    shown += [(run.remark, "dim")] if run.remark else []
    shown += [(run.failure, "bold red")] if run.failure else []
    for text, colour in shown:
        for piece in style.wrap(_shown(text, style), style.width - 4, "    "):
            yield Text(f"  {piece}", colour)


def _shown(text: str, style: Style) -> str:
    """A program's line, its middle left out where it would fill the page.

    A call keeps its beginning and its result; the recording has all of it.
    """
    start, end = 2 * style.width, style.width // 2
    if len(text) <= start + style.width:
        return text
    return f"{text[:start]} ... {text[-end:]}"


def _draw_sockets(timeline: Timeline, style: Style) -> Iterator[Text]:
    """The kernel's own view of the unix sockets, at the moments programs waited for it."""
    for checkpoint in dict.fromkeys(seen.checkpoint for seen in timeline.sockets):
        yield Text()
        yield style.heading(f"What the kernel held, at {checkpoint!r}")
        for seen in timeline.sockets:
            if seen.checkpoint == checkpoint:
                peer = "" if seen.peer_inode is None else f", peer {seen.peer_inode}"
                waiting = (
                    ""
                    if seen.state == "LISTEN"
                    else f", {counted(seen.receive_queue, 'byte')} to read"
                )
                described = (
                    f"on {seen.host}: {seen.type} {seen.state} inode {seen.inode}{peer}{waiting}"
                    f"{', ' if seen.name else ''}{seen.name}"
                )
                for piece in style.wrap(described, style.width - 2, "    "):
                    yield Text(f"  {piece}")


def _draw_flow(
    flow: Flow,
    conversation: TcpConversation | None,
    phase_of: dict[int, Phase],
    style: Style,
) -> Iterator[Text]:
    yield from draw_ladder(capture_ladder(flow, conversation, phase_of), style)
    if conversation is not None:
        to_server, to_client = conversation.client_to_server, conversation.server_to_client
        yield Text(
            f"  {counted(to_server.length, 'byte')} to the right, {to_client.length} to the left; "
            f"end: {conversation.teardown.value}",
            "dim",
        )
    for remark in flow_remarks(flow, conversation):
        for line in style.wrap(style.drawn(remark), style.width - 2, "  "):
            yield Text(f"  {line}", "dim")


def _draw_judgement(judgement: Judgement, style: Style) -> Iterator[Text]:
    claim, verdict = judgement.claim, judgement.verdict
    indent = " " * OUTCOME_COLUMNS
    room = style.width - OUTCOME_COLUMNS
    statements = f" [{' '.join(claim.statements)}]" if claim.statements else ""
    first, *rest = style.wrap(judgement.text + statements, room)
    line = Text(f"{verdict.outcome.value:<{OUTCOME_COLUMNS}}", OUTCOME_COLOURS[verdict.outcome])
    line.append(first, "bold")
    yield line
    for more in rest:
        yield Text(indent + more, "bold")
    for more in style.wrap(verdict.why, room):
        yield Text(indent + more)
    trail = f"{claim.source}. Seen in: {_shortened(verdict.evidence)}"
    for more in style.wrap(trail, room):
        yield Text(indent + more, "dim")


def _shortened(evidence: tuple[EventId, ...], most: int = 8) -> str:
    """Event ids; the report.json has them all."""
    shown = ", ".join(map(str, evidence[:most]))
    left = len(evidence) - most
    return (shown or "no event") + (f" and {left} more" if left > 0 else "")
