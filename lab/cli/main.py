"""The command line: words in, a call to the composer, lines and an exit status out."""

from __future__ import annotations

import argparse
import errno
import gc
import os
import signal
import sys

from lab.cli.options import make_parser

TYPE_CHECKING = False  # as typing has it; importing that takes a quarter of a bare interpreter
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import NoReturn

    from lab.model.family import Family
    from lab.model.scenario import Scenario
    from lab.results import Result

# What write(2) says of a full disk or a lost terminal.
OUTPUT_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its status."""
    # What is imported stays: collecting it again and again costs an eighth of a run.
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else: ignored, by nohup
        signal.signal(signal.SIGINT, _end_interrupted)
    _open_standard_streams()
    options = make_parser().parse_args(arguments)
    try:
        status = _run_command(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does.
        _discard_output()
        status = 128 + signal.SIGPIPE
    except OSError as error:
        if error.errno not in OUTPUT_ERRORS or error.filename is not None:
            raise
        _discard_output()
        print(f"wirelab: cannot write to standard output: {error.strerror}", file=sys.stderr)
        status = 2
    sys.exit(status)


def _end_interrupted(*_: object) -> NoReturn:
    """End at once on Ctrl-C; the supervisor ends the sandbox when it sees that.

    KeyboardInterrupt may be raised where Python ignores exceptions, between two imports say:
    a traceback is printed, and the run goes on.
    """
    os.write(2, b"wirelab: interrupted\n")
    os._exit(128 + signal.SIGINT)


def _open_standard_streams() -> None:
    """Put /dev/null where a standard stream is closed, as by `>&-`.

    A descriptor opened later would take its number, and get what is printed.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(descriptor)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _discard_output() -> None:
    """Let what is still to be flushed go nowhere: the interpreter tries once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run_command(options: argparse.Namespace) -> int:
    from lab.errors import LabError

    try:
        command: str = options.command
        return {
            "list": _list,
            "run": _run,
            "scenarios": _scenarios,
            "compare": _compare,
            "claims": _claims,
            "replay": _replay,
            "show": _show,
            "doctor": _doctor,
        }[command](options)
    except LabError as error:
        print(f"wirelab: {error}", file=sys.stderr)
        return error.exit_status


def _list(options: argparse.Namespace) -> int:
    from lab.errors import UsageError
    from lab.scenario_files import builtin_scenarios, load_scenario, own_scenarios

    status = 0
    own = [(name, path, f" ({path})") for name, path in own_scenarios(options.scenarios).items()]
    for name, path, place in (*((*each, "") for each in builtin_scenarios().items()), *own):
        try:
            print(f"{name:<12} {load_scenario(path).summary}{place}")
        except UsageError as error:
            print(f"wirelab: {error}", file=sys.stderr)
            status = error.exit_status
    return status


def _run(options: argparse.Namespace) -> int:
    from lab.run import run_scenario, runs_of_own, wanted_runs
    from lab.scenario_files import find_scenario

    families = _families(options.family)
    own = _own_scenario(options)
    files = (find_scenario(name, options.scenarios) for name in options.names)
    wanted = runs_of_own(own, families) if own else wanted_runs(files, families)
    runs = (
        run_scenario(which, family, options.out, options.trace, lambda r: _print_result(r, options))
        for which, family in wanted
    )
    return _status(_collect(runs, options))


def _collect(runs: Iterable[Result], options: argparse.Namespace) -> list[Result]:
    """The results of runs, which are made one by one; CI services are told of them as well."""
    if not options.junit and os.environ.get("GITHUB_ACTIONS") != "true":
        return list(runs)
    from lab.report.ci.publish import publish

    return publish(runs, options.junit)


def _own_scenario(options: argparse.Namespace) -> Scenario | None:
    """What --server and --client ask for; None where names do. Raises UsageError."""
    from lab.errors import UsageError

    server, client = options.server, options.client
    if server is None and client is None:
        if not options.names:
            raise UsageError("run what? Give a scenario's NAME, or both --server and --client")
        if options.port is not None or options.unix or options.deadline is not None:
            raise UsageError("--port, --unix and --deadline go with --server and --client")
        return None
    if options.names:
        raise UsageError("run either scenarios by NAME or --server and --client, not both")
    if server is None or client is None:
        given, missing = ("--client", "--server") if server is None else ("--server", "--client")
        raise UsageError(f"{given} needs {missing} as well")
    from lab.ad_hoc import DEADLINE_S, own_scenario

    return own_scenario(
        server,
        client,
        port=options.port,
        unix=options.unix,
        deadline_s=options.deadline or DEADLINE_S,
    )


def _scenarios(options: argparse.Namespace) -> int:
    """Run every scenario; a few lines for each, then the statements."""
    from lab.analysis.decisions import decide
    from lab.model.statements import STATEMENTS
    from lab.run import run_scenario, wanted_runs
    from lab.scenario_files import builtin_scenarios

    def present(result: Result) -> None:
        from lab.report.terminal.page import Page, draw_summary

        page = Page(ascii_only=options.ascii)
        page.print(draw_summary(result.title, result.judgements, page.style, result.failures))

    runs = (
        run_scenario(path, family, options.out, options.trace, present)
        for path, family in wanted_runs(builtin_scenarios().values(), _families(options.family))
    )
    results = _collect(runs, options)
    decisions = decide(STATEMENTS, [(r.scenario, j) for r in results for j in r.judgements])

    from lab.report.terminal.page import Page
    from lab.report.terminal.tables import draw_decisions

    page = Page(ascii_only=options.ascii)
    page.print([page.style.heading("Statements")])
    page.print(draw_decisions(decisions, page.style))
    return _status(results)


def _compare(options: argparse.Namespace) -> int:
    from lab.model.family import Family
    from lab.run import run_scenario
    from lab.scenario_files import builtin_scenarios

    def present(result: Result) -> None:
        from lab.analysis.comparison import compare_steps
        from lab.report.terminal.page import Page, draw_closing, draw_summary
        from lab.report.terminal.tables import draw_comparison

        page = Page(ascii_only=options.ascii)
        page.print(draw_comparison(compare_steps(result.timelines), page.style))
        page.print(draw_summary("Claims", result.judgements, page.style, result.failures))
        page.print(draw_closing(result.judgements, result.folder, result.note, page.style))

    compare = builtin_scenarios()["compare"]
    result = run_scenario(compare, Family.IPV4, options.out, options.trace, present)
    return _status([result])


def _claims(_: argparse.Namespace) -> int:
    from lab.model.statements import STATEMENTS
    from lab.scenario_files import builtin_scenarios, load_scenario

    scenarios = [load_scenario(path) for path in builtin_scenarios().values()]
    for statement in STATEMENTS:
        print(f"{statement.id:<4}{statement.text}")
        print(f"    precisely: {statement.precisely}")
        for scenario in scenarios:
            for claim in scenario.claims:
                if statement.id in claim.statements:
                    print(f"    {scenario.name}: {claim.id} ({claim.source})")
    return 0


def _replay(options: argparse.Namespace) -> int:
    from lab.run import replay

    result = replay(options.folder, folder_of_scenarios=options.scenarios)
    _print_result(result, options)
    return _status([result])


def _show(options: argparse.Namespace) -> int:
    from lab.report.terminal.page import Page, draw_capture
    from lab.run import read_file

    shown = read_file(options.file)
    page = Page(ascii_only=options.ascii)
    page.print(
        draw_capture(shown.crossings, shown.flows, shown.conversations, shown.canaries, page.style)
    )
    return 0


def _doctor(_: argparse.Namespace) -> int:
    from lab.kernel.preflight import examine

    findings = examine()
    for finding in findings:
        print(finding)
    return 0 if all(finding.ok or not finding.needed for finding in findings) else 3


def _print_result(result: Result, options: argparse.Namespace) -> None:
    """The report of one run; with --json its document, one after another for several."""
    if options.json:
        from lab.report.document.report import write_document

        print(write_document(result.document), end="")
        return
    from lab.report.terminal.page import Page, draw_closing, draw_report

    page = Page(ascii_only=options.ascii)
    page.print(draw_report(result.timelines, result.judgements, result.title, page.style))
    page.print(draw_closing(result.judgements, result.folder, result.note, page.style))


def _families(choice: str) -> list[Family]:
    from lab.model.family import Family

    return list(Family) if choice == "both" else [Family(int(choice))]


def _status(results: Sequence[Result]) -> int:
    from lab.analysis.judging import overall
    from lab.model.claim import Outcome

    if any(result.failures for result in results):
        return 2
    judgements = [judgement for result in results for judgement in result.judgements]
    return {Outcome.HOLDS: 0, Outcome.BROKEN: 1, Outcome.UNDECIDED: 4}[overall(judgements)]
