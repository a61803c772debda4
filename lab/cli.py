"""The command line: words in, a call to the composer, lines and an exit status out."""

from __future__ import annotations

import argparse
import errno
import gc
import os
import signal
import sys

TYPE_CHECKING = False  # as typing has it; importing that takes a quarter of a bare interpreter
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, NoReturn

    from lab.analysis.claims import Judgement
    from lab.family import Family
    from lab.results import Result

EXIT_STATUS_HELP = """\
exit status:
  0  every claim holds, or is skipped for want of a feature
  1  a claim is broken
  2  wrong usage: an unknown name, an unreadable file, a program that fails
  3  this machine cannot run it
  4  something is undecided: the capture was blind
"""

# What write(2) says of a full disk or a lost terminal.
OUTPUT_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its status."""
    # What is imported stays: collecting it again and again costs an eighth of a run.
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else: ignored, by nohup
        signal.signal(signal.SIGINT, _end_interrupted)
    _open_standard_streams()
    options = _parser().parse_args(arguments)
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
    """End at once on Ctrl-C; the keeper ends the sandbox when it sees that.

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


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """argparse's own at 80 columns: to ask for the terminal's it imports the archivers."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


class _CommandParser(argparse.ArgumentParser):
    """A command's parser, with the same help formatter."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401  ArgumentParser's own
        super().__init__(**settings, formatter_class=_HelpFormatter)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wirelab",
        description="See what a socket puts on the wire, and what it does not.",
        epilog=EXIT_STATUS_HELP,
        formatter_class=_HelpFormatter,
    )
    # The prefix given, argparse need not format a usage line for each command.
    commands = parser.add_subparsers(
        dest="command",
        required=True,
        metavar="COMMAND",
        prog="wirelab",
        parser_class=_CommandParser,
    )
    commands.add_parser("list", help="list the scenarios")
    run = commands.add_parser("run", help="run scenarios and judge their claims")
    run.add_argument("names", nargs="+", metavar="NAME", help="a scenario's name")
    run.add_argument(
        "--family", choices=("4", "6", "both"), default="4", help="IP version (default: 4)"
    )
    every = commands.add_parser("scenarios", help="run all; end with a table of the statements")
    every.add_argument(
        "--family", choices=("4", "6", "both"), default="both", help="IP version (default: both)"
    )
    compare = commands.add_parser("compare", help="the same messages over TCP, UDP and unix")
    commands.add_parser("claims", help="list the statements, and the claims that decide them")
    for command in (run, every, compare):
        command.add_argument(
            "--out",
            default="runs",
            metavar="DIR",
            help="where artifacts go (default: runs)",
        )
        command.add_argument(
            "--trace",
            choices=("auto", "tracefs", "ptrace", "none"),
            default="none",
            help="what traces the programs' system calls (default: the best there is)",
        )
    replay = commands.add_parser("replay", help="judge a recorded run again, unprivileged")
    replay.add_argument("folder", metavar="DIR", help="such as runs/tcp/latest")
    show = commands.add_parser("show", help="show the flows of any pcap or pcapng file")
    show.add_argument("file", metavar="FILE")
    commands.add_parser("doctor", help="tell what this machine allows, and how to mend it")
    for command in (run, replay):
        command.add_argument("--json", action="store_true", help="print report.json instead")
    for command in (run, every, compare, replay, show):
        command.add_argument("--ascii", action="store_true", help="draw with ASCII only")
    return parser


def _list(_: argparse.Namespace) -> int:
    from lab.errors import UsageError
    from lab.run import load_scenario, scenario_names

    status = 0
    for name in scenario_names():
        try:
            print(f"{name:<12} {load_scenario(name).summary}")
        except UsageError as error:
            print(f"wirelab: {error}", file=sys.stderr)
            status = error.exit_status
    return status


def _run(options: argparse.Namespace) -> int:
    from lab.run import run_scenario, wanted_runs

    families = _families(options.family)
    results = [
        run_scenario(name, family, options.out, options.trace, lambda r: _print_result(r, options))
        for name, family in wanted_runs(options.names, families)
    ]
    return _status(judgement for result in results for judgement in result.judgements)


def _scenarios(options: argparse.Namespace) -> int:
    """Run every scenario; a few lines for each, then the statements."""
    from lab.analysis.decisions import decide
    from lab.run import run_scenario, scenario_names, wanted_runs
    from lab.statements import STATEMENTS

    judged: list[tuple[str, Judgement]] = []

    def present(result: Result) -> None:
        from lab.report.terminal import Page, draw_summary

        page = Page(ascii_only=options.ascii)
        page.print(draw_summary(result.title, result.judgements, page.style))
        judged.extend((result.scenario, judgement) for judgement in result.judgements)

    for name, family in wanted_runs(scenario_names(), _families(options.family)):
        run_scenario(name, family, options.out, options.trace, present)
    decisions = decide(STATEMENTS, judged)

    from lab.report.tables import draw_decisions
    from lab.report.terminal import Page

    page = Page(ascii_only=options.ascii)
    page.print([page.style.heading("Statements")])
    page.print(draw_decisions(decisions, page.style))
    return _status(judgement for _, judgement in judged)


def _compare(options: argparse.Namespace) -> int:
    from lab.family import Family
    from lab.run import run_scenario

    def present(result: Result) -> None:
        from lab.analysis.comparison import compare_steps
        from lab.report.tables import draw_comparison
        from lab.report.terminal import Page, draw_closing, draw_summary

        page = Page(ascii_only=options.ascii)
        page.print(draw_comparison(compare_steps(result.timelines), page.style))
        page.print(draw_summary("Claims", result.judgements, page.style))
        page.print(draw_closing(result.judgements, result.folder, result.note, page.style))

    result = run_scenario("compare", Family.IPV4, options.out, options.trace, present)
    return _status(result.judgements)


def _claims(_: argparse.Namespace) -> int:
    from lab.run import load_scenario, scenario_names
    from lab.statements import STATEMENTS

    scenarios = [load_scenario(name) for name in scenario_names()]
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

    result = replay(options.folder)
    _print_result(result, options)
    return _status(result.judgements)


def _show(options: argparse.Namespace) -> int:
    from lab.report.terminal import Page, draw_capture
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
        from lab.report.document import write_document

        print(write_document(result.document), end="")
        return
    from lab.report.terminal import Page, draw_closing, draw_report

    page = Page(ascii_only=options.ascii)
    page.print(draw_report(result.timelines, result.judgements, result.title, page.style))
    page.print(draw_closing(result.judgements, result.folder, result.note, page.style))


def _families(choice: str) -> list[Family]:
    from lab.family import Family

    return list(Family) if choice == "both" else [Family(int(choice))]


def _status(judgements: Iterable[Judgement]) -> int:
    from lab.analysis.claims import Outcome, overall

    return {Outcome.HOLDS: 0, Outcome.BROKEN: 1, Outcome.UNDECIDED: 4}[overall(judgements)]
