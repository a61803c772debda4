"""What programs printed, how they ended, and what the kernel held for them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from rich.text import Text

from lab.model.counted import counted
from lab.report.terminal.drawing.style import Style

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline
    from lab.records import ProgramRun

STDOUT_LINES = 200
STDERR_LINES = 10
DEMOS = "demos"
"""The folder of a scenario's programs, which lies beside it."""


def draw_programs(timeline: Timeline, style: Style) -> Iterator[Text]:
    """Each program's command, what it printed and how it ended."""
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


def draw_failed(timeline: Timeline, style: Style) -> Iterator[Text]:
    """Of each program that failed, the last of what it wrote to standard error."""
    for run in timeline.programs:
        if run.failure and run.stderr:
            for line in run.stderr.splitlines()[-STDERR_LINES:]:
                yield Text(f"  {style.cut(f'{run.name}: {line}', style.width - 2)}", "dim")


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


def draw_sockets(timeline: Timeline, style: Style) -> Iterator[Text]:
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
