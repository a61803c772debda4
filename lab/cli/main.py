"""The command line: words in, one command executed, an exit status out."""

from __future__ import annotations

import argparse
import errno
import gc
import os
import signal
import sys

from lab.cli.words.options import make_parser

TYPE_CHECKING = False  # as typing has it; importing that takes a quarter of a bare interpreter
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

# What write(2) says of a full disk or a lost terminal.
OUTPUT_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def main(arguments: Sequence[str] | None = None, *, is_own_process: bool = False) -> NoReturn:
    """Run the command line and exit with its status.

    `is_own_process`: this process is about nothing else, so that others may be forked from it.
    """
    # What is imported stays: collecting it again and again costs an eighth of a run.
    gc.disable()
    _open_standard_streams()
    # ./wirelab is a script that executes another: this is how it was called itself.
    sys.argv[0] = os.environ.pop("WIRELAB_CALLED_AS", sys.argv[0])
    if "_ARGCOMPLETE" in os.environ:
        from lab.cli.completion import complete

        complete()
    words = sys.argv[1:] if arguments is None else arguments
    parser = make_parser(words)
    try:
        try:
            options = parser.parse_args(words)
        finally:
            sys.stdout.flush()  # of --help and --version this is the end
        if options.command is None:
            parser.print_help()
            status = 0
        else:
            if is_own_process:
                from lab.kernel.sandbox.starting import fork_from_here

                fork_from_here()
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
    from lab.errors import LabError, terminal_text

    try:
        return _command(options.command)(options)
    except LabError as error:
        print(f"wirelab: {terminal_text(error)}", file=sys.stderr)
        return error.exit_status
    except (OSError, RuntimeError) as error:
        from lab.kernel.system.limits import as_refusal

        if (refusal := as_refusal(error)) is None:
            raise
        print(f"wirelab: {refusal}", file=sys.stderr)
        return refusal.exit_status


def _command(name: str) -> Callable[[argparse.Namespace], int]:
    """What executes the command of that name; of all the commands it alone is imported."""
    match name:
        case "list":
            from lab.cli.list import execute
        case "run":
            from lab.cli.run import execute
        case "shell":
            from lab.cli.shell import execute
        case "step":
            from lab.cli.step import execute
        case "scenarios":
            from lab.cli.scenarios import execute
        case "sweep":
            from lab.cli.swept.sweep import execute
        case "compare":
            from lab.cli.compare import execute
        case "claims":
            from lab.cli.claims import execute
        case "replay":
            from lab.cli.replay import execute
        case "play":
            from lab.cli.stepped.play import execute
        case "report":
            from lab.cli.derived.report import execute
        case "diff":
            from lab.cli.derived.diff import execute
        case "show":
            from lab.cli.show import execute
        case "check":
            from lab.cli.expected.check import execute
        case "expect":
            from lab.cli.expected.expect import execute
        case "grade":
            from lab.cli.expected.grade import execute
        case "snapshot":
            from lab.cli.expected.snapshot import execute
        case "record-test":
            from lab.cli.expected.record_test import execute
        case "sheet":
            from lab.cli.study.sheet import execute
        case "quiz":
            from lab.cli.study.quiz import execute
        case "export":
            from lab.cli.study.export import execute
        case "new":
            from lab.cli.new import execute
        case "doctor":
            from lab.cli.doctor import execute
        case "completion":
            from lab.cli.completion import execute
        case _:
            raise LookupError(f"the parser knows a command {name!r}, and nothing executes it")
    return execute
