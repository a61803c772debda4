"""What programs print of their calls: not read, cut in the middle of a line, or otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from lab.records import ProgramRun, Recording
from lab.syscalls.table import CALLS
from tests.blind.disturbance import Disturbed, Manner, Name, spread

MOST_LINES = 8

UNTRACED = "a program prints what it likes, and nothing traced what it called"
SILENT = "a program may print nothing of what it sends and reads"

_TRACED = CALLS.keys() | {"accept", "send", "recv"}

_RESULT = re.compile(r"(?<= = )-?[0-9]+")
_TRANSFER = re.compile(r"^(send|recv|read|write)", re.MULTILINE)
_BYTE = re.compile(r"(?<=b')[A-Za-z]")
_ERROR = re.compile(r"(?<= )E[A-Z]+$")
_NAME = re.compile(r"^[a-z]+")
_NUMBER = re.compile(r"(?<=[(, ])[0-9]+(?=[,)])")


def disturbed(recording: Recording) -> Iterator[Disturbed]:
    """Of all programs, of one, and one line."""
    runs = recording.programs
    if not any(run.stdout for run in runs):
        return
    is_traced = bool(recording.trace.syscalls)
    silent = [replace(run, stdout="") for run in runs]
    yield _made(Manner.GONE, "nothing was read", recording, silent)
    lines: list[tuple[int, int]] = []
    for place, run in enumerate(runs):
        printed = run.stdout.splitlines(keepends=True)
        lines += [(place, number) for number in range(len(printed))]
        if not printed:
            continue
        steps = frozenset({run.step})
        others = runs[:place], runs[place + 1 :]
        half = _half(run.stdout)
        for manner, text in ((Manner.GONE, ""), (Manner.CUT, half)):
            untold = "" if is_traced and _TRANSFER.search(text) else SILENT
            changed = [*others[0], replace(run, stdout=text), *others[1]]
            what = f"{len(text)} of {len(run.stdout)} characters of {run.name} were read"
            made = _made(manner, what, recording, changed)
            yield replace(made, steps=steps, cannot_be_told=untold)
    for _, (place, number) in spread(lines, MOST_LINES):
        run = runs[place]
        printed = run.stdout.splitlines(keepends=True)
        said = f"line {number + 1} of {run.name}"
        call = printed[number].partition("(")[0]
        untold = "" if is_traced and call in _TRACED else UNTRACED
        for what, line in (("not there", ""), *_other_lines(printed[number])):
            text = "".join((*printed[:number], line, *printed[number + 1 :]))
            changed = [*runs[:place], replace(run, stdout=text), *runs[place + 1 :]]
            made = _made(Manner.FALSE, f"{said}: {what}", recording, changed)
            yield replace(made, cannot_be_told=untold)


def _half(text: str) -> str:
    return text[: len(text) // 2]


def _other_lines(line: str) -> Iterator[tuple[str, str]]:
    """The line with one thing in it otherwise: (what it is, the line)."""
    for what, pattern in (
        ("result", _RESULT),
        ("byte", _BYTE),
        ("error", _ERROR),
        ("name", _NAME),
        ("number", _NUMBER),
    ):
        if match := pattern.search(line):
            other = _other(match[0])
            yield what, line[: match.start()] + other + line[match.end() :]


def _other(text: str) -> str:
    """A number one more, another letter, another error's name."""
    if text.lstrip("-").isdigit():
        return str(int(text) + 1)
    if text.startswith("E"):
        return "EINTR" if text != "EINTR" else "EIO"
    return text[:-1] + ("x" if text[-1] != "x" else "y")


def _made(manner: Manner, what: str, recording: Recording, runs: Iterable[ProgramRun]) -> Disturbed:
    return Disturbed(Name.OUTPUT, manner, what, replace(recording, programs=tuple(runs)))
