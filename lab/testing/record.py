"""A test of pytest written from recorded runs: what all had is expected, what varied is not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lab.ad_hoc import AD_HOC
from lab.errors import UsageError
from lab.expect.shape import shape_of
from lab.expect.snapshot import merged
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.records import ProgramRun, Recording
    from lab.results import Result

_FILE = '''"""A conversation as it was in {runs}: written by `wirelab record-test`, to be edited."""

CONVERSATION = r"""
{shape}
"""


def test_{name}(lab):
    result = {run}
    result.looks_like(CONVERSATION)
{more}'''


def recorded_test(results: Sequence[Result]) -> str:
    """The text of the test's file.

    Raises UsageError for runs of several scenarios, those that a test cannot run again, and those
    whose programs failed or whose captures have gaps or show nothing.
    """
    first = results[0]
    for result in results:
        if result.scenario != first.scenario:
            names = f"{first.scenario} and of {result.scenario}"
            raise UsageError(f"they are runs of {names}: give those of one")
        if gaps := [why for timeline in result.timelines for why in timeline.bracket.incomplete]:
            raise UsageError(f"{result.folder}: the capture has gaps: {gaps[0]}")
        if result.failures:
            raise UsageError(f"{result.folder} is no run to learn from: {result.failures[0]}")
    shape = merged([shape_of(result.subjects()) for result in results])
    if not shape:
        raise UsageError("no connection and no datagram was seen: there is nothing to expect")
    return _FILE.format(
        runs=counted(len(results), "run"),
        shape="\n".join(shape).replace('"""', '"*"'),  # no text of a program ends ours
        name=re.sub(r"[^a-z0-9]+", "_", first.scenario.lower()).strip("_"),
        run=_run_again(first.recording),
        more="".join(f"    {line}\n" for line in _besides(results)),
    )


def _run_again(recording: Recording) -> str:
    """The call that makes such a run. Raises UsageError where a test cannot."""
    family = recording.family
    over = f", family={family.value}" if family is not None and family.value != 4 else ""
    if recording.scenario != AD_HOC:
        if recording.source == "-":
            raise UsageError("a Python program made that scenario, and no file has it")
        return f"lab.run({(recording.source or recording.scenario)!r}{over})"
    programs = {run.name: run for run in recording.programs}
    if "client" not in programs or programs.keys() - {"server", "client"}:
        raise UsageError("runs of --server and --client can become a test, those of --on cannot")
    words = [
        f"{name}={_command(programs[name], recording)!r}"
        for name in ("server", "client")
        if name in programs
    ]
    return f"lab.run({', '.join(words)}{over})"


def _command(run: ProgramRun, recording: Recording) -> str:
    """The command as it may be typed, with hosts in braces for their addresses."""
    text = shlex.join(run.argv)
    host_of = {
        str(address.ip): seen.host
        for seen in recording.interfaces
        if seen.name != "lo"
        for address in seen.addresses
    }
    for address in sorted(host_of, key=len, reverse=True):
        text = text.replace(address, f"{{{host_of[address]}}}")
    return text


def _besides(results: Sequence[Result]) -> Iterator[str]:
    """What the shape leaves out: how the client ended.

    Not that nothing came again: on a busy machine TCP resends what only waits (RFC 8985, 7).
    """
    statuses = {
        run.exit_status
        for result in results
        for run in result.recording.programs
        if run.name == "client"
    }
    if len(statuses) == 1:
        yield f"result.program('client').exits({statuses.pop()})"
