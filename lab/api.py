"""The front door: all that a scenario, a test or a program of yours needs of the lab.

    from lab.api import run

    result = run("tcp", family=6)
    assert result.outcome is Outcome.HOLDS

The checks there are, which are the claims that a scenario lists, come from the modules of
lab.checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lab.analysis.timeline import Timeline
from lab.errors import LabError, UsageError
from lab.model.allowed import Allowed, Cell, Limits
from lab.model.claim import (
    Claim,
    Judgement,
    Outcome,
    Verdict,
    broken,
    claim,
    holds,
    skipped,
    undecided,
)
from lab.model.family import Family
from lab.model.layout import laid_out
from lab.model.lesson import Lesson
from lab.model.program import Listening, Program, Step, demo
from lab.model.scenario import Scenario
from lab.model.shapes import chain, dumbbell, lan_behind_nat, star
from lab.model.table import Table
from lab.model.topology import (
    Interface,
    Link,
    Nat,
    Route,
    Topology,
    in_a_row,
    joined_pair,
    two_hosts,
)
from lab.results import Capture, Result

if TYPE_CHECKING:
    from lab.grade.check import Check, Visibility
    from lab.grade.misconception import Misconception
    from lab.grade.seen import Seen
    from lab.grade.sheet import Sheet
    from lab.grade.submission import Language, Submission
    from lab.grade.trial import Trial, trial
    from lab.grading.bench import SubmissionBench

__all__ = [
    "Allowed",
    "Capture",
    "Cell",
    "Check",
    "Claim",
    "Family",
    "Interface",
    "Judgement",
    "LabError",
    "Language",
    "Lesson",
    "Limits",
    "Link",
    "Listening",
    "Misconception",
    "Nat",
    "Outcome",
    "Program",
    "Result",
    "Route",
    "Scenario",
    "Seen",
    "Sheet",
    "Step",
    "Submission",
    "SubmissionBench",
    "Table",
    "Timeline",
    "Topology",
    "Trial",
    "UsageError",
    "Verdict",
    "Visibility",
    "broken",
    "chain",
    "claim",
    "demo",
    "dumbbell",
    "holds",
    "in_a_row",
    "joined_pair",
    "laid_out",
    "lan_behind_nat",
    "load",
    "replay",
    "run",
    "skipped",
    "star",
    "trial",
    "two_hosts",
    "undecided",
]

_OF_SHEETS = {
    "Check": "grade.check",
    "Language": "grade.submission",
    "Misconception": "grade.misconception",
    "Seen": "grade.seen",
    "Sheet": "grade.sheet",
    "Submission": "grade.submission",
    "SubmissionBench": "grading.bench",
    "Trial": "grade.trial",
    "Visibility": "grade.check",
    "trial": "grade.trial",
}
"""The modules of lab sheets' names."""


def run(
    scenario: Scenario | str | Path,
    family: int | Family = 4,
    trace: str = "auto",
    out: str | Path = "runs",
    allowed: Allowed | None = None,
    notes_lines: bool = False,
    keeps_secrets: bool = True,
    wire: Sequence[str] = (),
    sysctls: Mapping[str, int | str] | None = None,
    expected: Sequence[str] = (),
) -> Result:
    """A run of a scenario, judged.

    `scenario` is one, the path of a file that has one, or a name as `wirelab run` takes it.
    `family` is the IP version, 4 or 6, and `trace` what traces the programs' system calls:
    "auto" (the best there is), "bpf", "ptrace" or "none". The artifacts are written to a
    new folder under `out`, which is `Result.folder`: as by `wirelab run`, to `runs` in the
    current directory, with all that it leaves there. Under pytest give it `tmp_path`. `allowed`
    is what its programs may do besides what is usual (docs/isolation.md). With `notes_lines`
    Python programs note the lines that make their calls (docs/source.md). Unless `keeps_secrets`
    is False, what their TLS libraries write to SSLKEYLOGFILE is recorded, and decrypts the capture
    files (docs/tls.md). `wire` are rules for what happens to frames on the links, such as
    "client>server drop SYN 1" (docs/wire.md), and `sysctls` settings of the hosts' network
    namespaces, such as {"net.ipv4.tcp_syn_retries": 3} (docs/sysctls.md). `expected` is judged
    besides the scenario's claims, in words such as "no-reset" (docs/expect.md); in a test, what the
    result itself offers says more where it fails: `result.tcp().no_reset()`.

    It may be called from any thread, several at a time, and installs no signal handler. What
    the run is made of ends with it.
    Raises LabError: UsageError for a mistake in what was asked for, MachineError where this
    machine cannot do it. A claim that is broken and a program that fails raise nothing: they
    are in the result.
    """
    from lab.run import TRACES, run_scenario
    from lab.scenario_files import MADE_BY_A_PROGRAM, find_scenario

    if trace not in TRACES:
        raise UsageError(f"there is no trace {trace!r}; there are: {', '.join(TRACES)}")
    wanted = scenario if isinstance(scenario, Scenario) else find_scenario(str(scenario))
    return run_scenario(
        wanted,
        _family(family),
        str(out),
        trace,
        source=MADE_BY_A_PROGRAM,
        allowed=allowed,
        notes_lines=notes_lines,
        keeps_secrets=keeps_secrets,
        wire=wire,
        sysctls=sysctls,
        expected=expected,
    )


def replay(folder: str | Path, scenario: Scenario | str | Path | None = None) -> Result:
    """The run that is recorded in a folder, judged again.

    By the scenario that was run, unless another is given. One that a program made, and no file
    has, must be given. Raises LabError.
    """
    from lab.run import replay as replay_folder
    from lab.scenario_files import find_scenario, load_scenario

    if scenario is None or isinstance(scenario, Scenario):
        return replay_folder(str(folder), scenario)
    return replay_folder(str(folder), load_scenario(find_scenario(str(scenario))))


def load(file: str | Path) -> Capture:
    """A capture file from anywhere, of which something can be expected (docs/expect.md).

    pcap or pcapng, compressed or not. Raises CaptureFileError.
    """
    from lab.capture_files import load_capture

    return load_capture(str(file))


def _family(family: int | Family) -> Family:
    try:
        return Family(family)
    except ValueError:
        raise UsageError(f"there is no IP version {family!r}; there are 4 and 6") from None


def __getattr__(name: str) -> object:
    """Lab sheets, imported by those that are some: every scenario imports this module."""
    if name in _OF_SHEETS:
        from importlib import import_module

        return getattr(import_module(f"lab.{_OF_SHEETS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
