"""What commands share that run scenarios: IP versions, results, reports."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from functools import cache, partial

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from lab.kernel.capture.capturing import Capturing
    from lab.model.allowed import Allowed
    from lab.model.family import Family
    from lab.report.terminal.page import Page
    from lab.results import Result


def families(choice: str) -> list[Family]:
    """What --family stands for: "4", "6" or "both"."""
    from lab.model.family import Family

    return list(Family) if choice == "both" else [Family(int(choice))]


def allowed_of(options: Namespace) -> Allowed | None:
    """What the options allow to programs; None where they allow nothing more than usual."""
    words = options.user, options.cap, options.writable, options.socket, options.host_files
    if not any(words):
        return None  # without an import: the sandbox starts before it
    from lab.model.allowed import Allowed

    user, capabilities, writable, sockets, host_files = words
    return Allowed(user, tuple(capabilities), tuple(writable), tuple(sockets), host_files)


def sysctls_of(options: Namespace) -> dict[str, str] | None:
    """What is set of the hosts' namespaces; None for nothing. Raises UsageError."""
    if not options.sysctl:
        return None
    from lab.linux.sysctl import sysctl_words

    return sysctl_words(options.sysctl)


def capturing_of(options: Namespace) -> Capturing | None:
    """How much of the frames is to be captured; None for all."""
    words = options.ring, options.snap, options.max_frames
    if not any(words):
        return None
    from lab.kernel.capture.capturing import Capturing

    return Capturing(*words)


def collect(runs: Iterable[Result], junit: str | None) -> list[Result]:
    """The results of runs, which are made one by one; they are published for CI services too."""
    if not junit and os.environ.get("GITHUB_ACTIONS") != "true":
        return list(runs)
    from lab.report.ci.publish import publish

    return publish(runs, junit)


@contextmanager
def reports(options: Namespace, *, several: bool) -> Iterator[Callable[[Result], None]]:
    """What prints the report of each run that it is given; with --json all as one document."""
    if options.json and several:
        from lab.derive import document_fields
        from lab.report.document.runs import runs_document

        with runs_document(sys.stdout.write) as add:
            yield lambda result: add(document_fields(result))
        return
    with ExitStack() as stack:
        page = cache(partial(open_page, options, stack))
        yield lambda result: _print_report(result, options, page)


def print_report(result: Result, options: Namespace) -> None:
    """Print the report of one run; with --json what report.json holds."""
    with reports(options, several=False) as present:
        present(result)


def _print_report(result: Result, options: Namespace, opened: Callable[[], Page]) -> None:
    if options.json:
        from lab.derive import document_fields
        from lab.report.document.writing import written

        sys.stdout.writelines(written(document_fields(result)))
        return
    from lab.report.terminal.claims import draw_closing, draw_quietly
    from lab.report.terminal.page import About, draw_brief, draw_report

    page = opened()
    if options.quiet:
        lines = draw_quietly(result.title, result.judgements, result.failures, page.style)
        page.print(lines)
        return
    draw = draw_report if options.verbose else draw_brief
    about = About(result.heading, result.lesson, result.table)
    page.print(draw(result.timelines, result.ladders, result.judgements, about, page.style))
    again = replay_command(result.folder)
    page.print(draw_closing(result.folder, result.note, again, page.style))


def open_page(options: Namespace, stack: ExitStack) -> Page:
    """A page on the terminal, in a pager where that is too short, or on what else is printed to.

    `stack` ends the pager.
    """
    from lab.report.terminal.page import Page
    from lab.report.terminal.pager import paged

    return Page(stack.enter_context(paged(not options.no_pager)), ascii_only=options.ascii)


def replay_command(folder: Path) -> str:
    """The command that judges the run in that folder again, as the user would type it."""
    from shlex import quote

    return f"{command_as_typed()} replay {quote(str(folder))}"


def command_as_typed() -> str:
    """ "wirelab" where PATH has it, or where it was not called by that name; else its path."""
    from pathlib import PurePath
    from shlex import quote
    from shutil import which

    typed = sys.argv[0]
    is_path = PurePath(typed).name == "wirelab" and typed not in ("wirelab", which("wirelab"))
    return quote(typed) if is_path else "wirelab"
