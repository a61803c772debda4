"""The composer: build, run, observe, judge, save; and judge again."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lab.errors import CaptureFileError, UsageError

# Little is imported until the sandbox is on its way.
from lab.kernel.capture.spool import open_spools
from lab.kernel.sandbox.sandbox import Conversation, Pending, Sandbox, open_sandbox
from lab.model.family import Family

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from lab.analysis.timeline import Timeline
    from lab.kernel.capture.capturing import Capturing
    from lab.kernel.capture.spooled import SpooledFrames
    from lab.kernel.confinement import Confined
    from lab.kernel.session.control import Control
    from lab.kernel.stepping.control import StepControl
    from lab.kernel.stepping.updates import Stepping
    from lab.kernel.trace.collecting.pool import CollectorPool
    from lab.model.allowed import Allowed, Cell
    from lab.model.claim import Judgement
    from lab.model.program import Step
    from lab.model.scenario import Scenario
    from lab.records import Finished, Recording
    from lab.report.document.writing import NamedValue
    from lab.results import Result

    Recorded = tuple[Recording, SpooledFrames]

REPORT_FILE = "report.json"
NOWHERE = Path(os.devnull)
"""The folder of a run whose artifacts were not written."""
SHARED = ("lab.kernel.plan", "lab.syscalls.source", "subprocess")
"""What a run and its sandbox both import, with all that those import."""
TRACES = ("auto", "bpf", "ptrace", "none")
"""What may trace the programs' system calls."""


def ad_hoc_runs(
    scenario: Scenario, families: Sequence[Family]
) -> Iterator[tuple[Scenario, Family]]:
    """Two commands with each family; with the first only, where they speak over a unix socket."""
    for family in families if scenario.speaks_ip else families[:1]:
        yield scenario, family


def wanted_runs(files: Iterable[Path], families: Sequence[Family]) -> Iterator[tuple[Path, Family]]:
    """Each scenario with each family; with the first only, where it does not differ by family.

    One that is of other families alone is there with the first, which running it refuses. Raises
    what `files` does, before the first run.
    """
    for path in tuple(files):
        yield path, families[0]
        if len(families) > 1 and (scenario := _load(path)).speaks_ip:
            yield from ((path, each) for each in families[1:] if each in scenario.families)


def run_scenario(
    wanted: Path | Scenario,
    family: Family,
    out: str | None,
    trace: str,
    present: Callable[[Result], None] | None = None,
    *,
    source: str = "",
    allowed: Allowed | None = None,
    notes_lines: bool = False,
    keeps_secrets: bool = True,
    wire: Sequence[str] = (),
    sysctls: Mapping[str, int | str] | None = None,
    capturing: Capturing | None = None,
    pages: bool = True,
    expected: Sequence[str] = (),
    session: Callable[[Control], None] | None = None,
    stepping: Stepping | None = None,
    step: Callable[[StepControl], None] | None = None,
) -> Result:
    """Run one scenario, write its artifacts under `out`, and present the result.

    Without `out` nothing is written, and the result has the folder NOWHERE. `wanted` is its file,
    or itself with its `source` as the recording shall have it. `trace` is one of TRACES.
    `allowed` is what its programs may do beyond what is usual; those of
    wirelab's own scenarios may do more, and nothing can be allowed to them. With `notes_lines`
    Python programs note the lines that make their calls (docs/source.md). What the programs' TLS
    libraries write to SSLKEYLOGFILE is recorded, unless `keeps_secrets` is False; then they have
    no such variable. `wire` are rules for what happens to frames on the links in every step,
    behind the step's own (docs/wire.md). `sysctls` are settings of hosts besides those that its
    topology has, as Topology.with_sysctls takes them. `capturing` is how much of the frames is
    kept. `expected` is judged besides the scenario's
    claims, in the words of docs/expect.md. `session` is called once the network is there, with
    what starts programs in it; the run ends when it returns (lab.ad_hoc.session_scenario).
    `stepping` has every frame wait until `step` has decided on it, which is called at the beginning
    and returns once the run is over, or needs nobody any more (docs/step.md).

    It is presented while the sandbox comes to its end, which is waited for; what is then derived
    for people to look at (lab.derive), unless no `pages` are wanted, keeps nobody waiting for what
    is presented.

    Raises LabError; UsageError where the scenario is not of that family, or `out` cannot be
    written, before anything is run.
    """
    from lab.recording.artifacts import check_writable

    if notes_lines and trace == "none":
        raise UsageError("source lines are those of system calls, and --trace none sees none")
    target = None if out is None else Path(out)
    if target is not None:
        check_writable(target)
    traced = trace in ("auto", "bpf")
    # Where a collector works as well no CPU is free to import twice; else that is sooner done.
    shared = SHARED if traced else ()
    with (
        open_spools() as spools,
        open_sandbox("lab.kernel.experiment", traced=traced, kept=spools, shared=shared) as sandbox,
    ):
        scenario = _load(wanted) if isinstance(wanted, Path) else wanted
        scenario.check_family(family)
        if isinstance(wanted, Path):
            source = _source_of(wanted)
        expecting = with_expectations(scenario, expected)  # a mistake is found before it is run
        confined = _confinement(wanted, source, allowed)
        pending = _start(
            sandbox,
            scenario,
            family,
            trace,
            source,
            confined,
            notes_lines=notes_lines,
            keeps_secrets=keeps_secrets,
            wire=wire,
            sysctls=sysctls,
            is_session=session is not None,
            stepping=stepping,
            capturing=capturing,
            spools=spools,
        )
        _import_what_comes_after(shown=present is not None, pages=pages)
        from lab.derive import why_no_pages, write_pages

        if session is not None:
            _serve(pending, session)
        if step is not None:
            _step(pending, step)
        recording = _await(pending, scenario, spools, shown=present is not None)
        sandbox.end()
        if expected:
            from dataclasses import replace

            scenario, recording = expecting, replace(recording, expected=tuple(expected))
        try:
            timelines, judgements = judge_recording(recording, scenario)
        except UsageError as error:
            if target is None:
                raise
            # A check of the scenario fails itself; what was observed is kept.
            from lab.analysis.assembly import build_timelines

            folder, _ = _save(build_timelines(recording), None, target)
            again = f"the run is recorded: `wirelab replay {folder}` judges it by a mended check"
            raise UsageError(f"{error}; {again}") from error
        folder, note = NOWHERE, ""
        if target is not None:
            folder, note = _save(timelines, judgements, target)
        pages = pages and target is not None
        left = why_no_pages(timelines, folder) if pages else ""
        notes = "; ".join(filter(None, (note, left)))
        result = _result(timelines, judgements, scenario, folder, notes)
        if present is not None:
            present(result)
            sys.stdout.flush()
        if pages and not left:
            write_pages(result)
    return result


def save_run(result: Result, out: str) -> Path:
    """The folder, under `out`, that the artifacts of a run are written to which had no `out`.

    Without those for people to look at (lab.derive). Raises UsageError.
    """
    folder, _ = _save(result.timelines, result.judgements, Path(out))
    return folder


def run_in_cell(command: Sequence[str] | str, cell: Cell) -> Finished:
    """What became of a command in a cell, without a network; a text is split as by a shell.

    What it leaves in its folder is in the cell's folder then: files and folders alone. `{python}`
    stands for this interpreter; other braces are doubled. It has the cell's limits, none besides.

    Raises UsageError, and MachineError where there can be no cell.
    """
    import shlex

    from lab.kernel.cell_command import run_command
    from lab.model.program import Program

    try:
        words = shlex.split(command) if isinstance(command, str) else tuple(command)
    except ValueError as error:
        raise UsageError(f"cannot split {command!r} into words: {error}") from None
    if not words:
        raise UsageError("a command of no words cannot be run in a cell")
    program = Program("command", "", tuple(words), cell=cell)
    expanded = program.expanded({"python": sys.executable})
    with open_sandbox(preload="lab.kernel.cell_command") as sandbox:
        return sandbox.call(run_command, expanded)


def shown_in_cells() -> tuple[str, ...]:
    """The folders of this machine that every cell has, for its programs and their libraries."""
    from lab.kernel.cells.root import folders_of_every_cell

    return folders_of_every_cell()


def _serve(pending: Pending[Recorded], session: Callable[[Control], None]) -> None:
    """Have programs started in the network, once that is there, until the session is over."""
    from lab.kernel.session.control import Control

    assert isinstance(pending, Conversation)
    control = Control(pending)
    control.wait_until_ready()
    session(control)
    control.quit()


def _step(pending: Pending[Recorded], step: Callable[[StepControl], None]) -> None:
    """Have the frames that wait decided on, until the run is over or goes on by itself."""
    from lab.kernel.stepping.control import StepControl
    from lab.kernel.stepping.updates import Update

    assert isinstance(pending, Conversation)
    control = StepControl(pending)
    step(control)
    if not control.is_over:
        control.finish(drops=False)
        while not control.is_over:
            if isinstance(control.next(), Update):
                control.seen()


def _await(
    pending: Pending[Recorded],
    scenario: Scenario,
    spools: Sequence[int],
    *,
    shown: bool,
) -> Recording:
    """The recording, once it is there; where the run is to be shown, whoever waits learns so."""
    from dataclasses import replace

    if shown:
        from lab.report.terminal.progress import working

        with working(f"{scenario.name} is running"):
            recording, spooled = pending.result()
    else:
        recording, spooled = pending.result()
    return replace(recording, frames=spooled.read(spools))


def understood(recording: Recording) -> tuple[Timeline, ...]:
    """A recording's timelines; nothing is judged, nothing is written."""
    from lab.analysis.assembly import build_timelines

    return build_timelines(recording)


def judge_recording(
    recording: Recording, scenario: Scenario
) -> tuple[tuple[Timeline, ...], tuple[Judgement, ...]]:
    """A recording understood and judged; nothing is written."""
    from lab.analysis.assembly import build_timelines
    from lab.analysis.judging import judge

    timelines = build_timelines(recording)
    recorded = {timeline.step for timeline in timelines}
    asked = {step for claim in scenario.claims for step in claim.step_names}
    if absent := asked - recorded:
        raise CaptureFileError(
            f"the recording of {recording.scenario} has no step {', '.join(sorted(absent))}; "
            "it was made by another version of the scenario"
        )
    return timelines, judge(scenario.claims, timelines)


def with_expectations(scenario: Scenario, expected: Sequence[str]) -> Scenario:
    """The scenario whose first claims are these expectations. Raises PointedError."""
    if not expected:
        return scenario
    from dataclasses import replace

    from lab.expect.claims import expected_claims

    claims = expected_claims(expected, scenario.steps)
    return replace(scenario, claims=(*claims, *scenario.claims))


def replay(
    folder_name: str, scenario: Scenario | None = None, *, folder_of_scenarios: str = ""
) -> Result:
    """The run recorded in a folder, judged again: by its own scenario unless another is given.

    Its report.json is written again where it differs from what it was, and only then: a
    recording may lie where one cannot write. Raises CaptureFileError, UsageError.
    """
    import dataclasses

    result = judged(folder_name, scenario, folder_of_scenarios=folder_of_scenarios)
    try:
        note = _rewrite_report(result, result.folder)
    except OSError as error:
        raise UsageError(f"cannot write {result.folder / REPORT_FILE}: {error.strerror}") from None
    return dataclasses.replace(result, note=f"{note}; {result.note}" if result.note else note)


def judged(
    folder_name: str, scenario: Scenario | None = None, *, folder_of_scenarios: str = ""
) -> Result:
    """The same, without writing anything."""
    from lab.recording.storage import load_recording

    folder = Path(folder_name)
    recording = load_recording(folder)
    judge = ""
    if scenario is None:
        scenario, judge = _scenario_of(recording, folder_of_scenarios)
    scenario = with_expectations(scenario, recording.expected)
    timelines, judgements = judge_recording(recording, scenario)
    note = f"judged by {judge}" if judge else ""
    return _result(timelines, judgements, scenario, folder, note)


def _scenario_of(recording: Recording, folder: str) -> tuple[Scenario, str]:
    """What a recording is judged by, and its file; "" where it is wirelab's own."""
    from lab.ad_hoc import AD_HOC, SHELL, recorded_scenario
    from lab.scenario_files import find_recorded

    if recording.scenario in (AD_HOC, SHELL) and not recording.source:
        return recorded_scenario(recording.scenario), ""
    path = find_recorded(recording.scenario, recording.source, folder)
    return _load(path), _source_of(path)


def _confinement(
    wanted: Path | Scenario, source: str, allowed: Allowed | None
) -> Callable[[Sequence[Step], Mapping[str, str]], Confined] | None:
    """What confines the programs of steps, on hosts that have those names and addresses.

    None for those of wirelab's own scenarios. Raises UsageError where these are to be allowed
    something.
    """
    if isinstance(wanted, Path) and not source:
        if allowed is not None:
            raise UsageError(
                f"{wanted.stem} is wirelab's own scenario, whose programs are not confined: "
                "--as, --cap, --writable, --socket and --host-files are for programs of yours"
            )
        return None
    from lab.kernel.confinement import confine
    from lab.model.allowed import Allowed

    file = wanted if isinstance(wanted, Path) else None
    return lambda steps, names: confine(allowed or Allowed(), steps, file, names)


def _start(
    sandbox: Sandbox,
    scenario: Scenario,
    family: Family,
    trace: str,
    source: str,
    confined: Callable[[Sequence[Step], Mapping[str, str]], Confined] | None,
    *,
    notes_lines: bool,
    keeps_secrets: bool,
    wire: Sequence[str],
    sysctls: Mapping[str, int | str] | None,
    is_session: bool,
    stepping: Stepping | None,
    capturing: Capturing | None,
    spools: tuple[int, ...],
) -> Pending[Recorded]:
    from lab.kernel.capture.capturing import ALL_OF_IT
    from lab.kernel.plan import Plan
    from lab.kernel.recorder import record_session_spooled, record_spooled

    placeholders = scenario.placeholders(family, sys.executable)
    steps = scenario.expanded_steps(placeholders)
    names = {name: placeholders[name] for name in scenario.topology.hosts if name in placeholders}
    if wire:
        from dataclasses import replace

        from lab.wire.binding import bound

        bound(wire, scenario.topology.link_ends)  # a mistake is found before anything is run
        steps = tuple(replace(step, wire=(*step.wire, *wire)) for step in steps)
    if stepping is not None:
        steps = tuple(step.patient(stepping.deadline_s) for step in steps)
    plan = Plan(
        scenario.name,
        family if scenario.speaks_ip else None,
        scenario.topology.with_sysctls(sysctls) if sysctls else scenario.topology,
        steps,
        scenario.captures_loopback,
        trace,
        source,
        is_session,
        notes_lines,
        keeps_secrets,
        confined and confined(steps, names),
        stepping,
        capturing or ALL_OF_IT,
        spools,
    )
    if is_session or stepping is not None:
        return sandbox.converse(record_session_spooled, plan)
    return sandbox.submit(record_spooled, plan)


def _source_of(path: Path) -> str:
    from lab.scenario_files import source_of

    return source_of(path)


def _load(path: Path) -> Scenario:
    # Imported by now, while the sandbox gets ready.
    from lab.scenario_files import load_scenario

    return load_scenario(path)


def _import_what_comes_after(*, shown: bool, pages: bool) -> None:
    """Import, while the programs run, what understanding, saving and showing them needs.

    That takes longer than the programs to run.
    """
    import lab.analysis.assembly
    import lab.recording.storage
    import lab.report.document.report

    if shown:
        import lab.report.terminal.page
        import lab.report.terminal.pager  # noqa: F401
    if pages:
        from lab.derive import prepare_pages

        prepare_pages()


def prepare() -> None:
    """Import what runs and their judging need, for processes that are forked from this one."""
    import lab.analysis.packets.scapy_layers
    import lab.kernel.recorder
    import lab.report.failure.failure  # noqa: F401

    _import_what_comes_after(shown=False, pages=True)


def share_collectors() -> CollectorPool:
    """What lends collectors of what BPF records to runs of processes forked from this one.

    Each run would make its own else (lab.kernel.trace.collecting.pool). To be called in a process
    of one thread.
    """
    from lab.kernel.trace.collecting.pool import CollectorPool

    return CollectorPool()


def lent_collectors() -> AbstractContextManager[None]:
    """Have runs that threads of this process make meanwhile borrow collectors of what BPF records.

    To be entered while it has one thread (lab.kernel.sandbox.lent_collectors). Raises OSError.
    """
    from lab.kernel.sandbox import lent_collectors

    return lent_collectors.lent_collectors()


def _result(
    timelines: tuple[Timeline, ...],
    judgements: tuple[Judgement, ...],
    scenario: Scenario,
    folder: Path,
    note: str = "",
) -> Result:
    from lab.results import Result, run_name

    title = f"{run_name(scenario.name, timelines[0].recording.family)}: {scenario.summary}"
    return Result(timelines, judgements, scenario.name, title, scenario, folder, note)


def _save(
    timelines: tuple[Timeline, ...], judgements: tuple[Judgement, ...] | None, out: Path
) -> tuple[Path, str]:
    """Write the artifacts; the report comes last, as the sign that they are whole.

    Their folder, and what is to be said of it. Raises UsageError.
    """
    from lab.analysis.key_logs import secrets_for_wireshark
    from lab.recording.artifacts import create_folder, finish_folder
    from lab.recording.storage import save_recording
    from lab.report.capture.comments import frame_comments
    from lab.report.capture.notes import trace_notes
    from lab.report.document.report import report_fields

    recording = timelines[0].recording
    try:
        folder = create_folder(out, recording.scenario, recording.started_ns)
        secrets = secrets_for_wireshark(recording.key_logs)
        comments, notes = frame_comments(timelines), trace_notes(timelines)
        save_recording(recording, folder, comments, notes, secrets)
        if judgements is not None:
            _write_report(report_fields(timelines, judgements), folder)
        note = finish_folder(folder)
    except OSError as error:
        where = error.filename or out
        raise UsageError(
            f"cannot write artifacts to {where}: {error.strerror}; use --out DIR"
        ) from None
    return folder, note


def _rewrite_report(result: Result, folder: Path) -> str:
    """Bring the folder's report up to date, and return a note on what changed. Raises OSError."""
    from lab.derive import document_fields

    path = folder / REPORT_FILE
    existed = path.exists()
    if existed and _holds(path, document_fields(result)):
        return f"{REPORT_FILE} is derived again, identical"
    _write_report(document_fields(result), folder)
    return f"{REPORT_FILE} is derived again; " + ("it differed" if existed else "there was none")


def _holds(path: Path, fields: Iterable[NamedValue]) -> bool:
    """Whether the file is the document of these fields. Raises OSError."""
    from lab.report.document.writing import written

    with path.open("rb") as file:
        pieces = (piece.encode("utf-8") for piece in written(fields))
        return all(file.read(len(piece)) == piece for piece in pieces) and not file.read(1)


def _write_report(fields: Iterable[NamedValue], folder: Path) -> None:
    from lab.recording.artifacts import check_links, give_to_invoker, named
    from lab.report.document.writing import written

    check_links(folder / REPORT_FILE)
    with named(folder / REPORT_FILE) as path:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(written(fields))
        give_to_invoker(path)
