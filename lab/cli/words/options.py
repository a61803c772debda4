"""The commands of the command line, and the help on them; their options are in files beside."""

from __future__ import annotations

from lab import __version__
from lab.cli.words.parser import CommandParser, parser_of_command

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection
    from typing import Any

EXIT_STATUS_HELP = """\
exit status:
  0  every claim holds, or is skipped: nothing to judge, or a feature is missing
  1  a claim is broken
  2  wrong usage: an unknown name, an unreadable file, a program that fails
  3  this machine cannot run it
  4  a claim is undecided: the capture is incomplete, or the programs did not
     do what the claim is about
"""
SHELLS = ("bash", "zsh", "fish")

COMMANDS = {
    "list": "list the scenarios",
    "run": "run scenarios, or two programs of your own, and judge claims",
    "shell": "a prompt in a network, recorded",
    "step": "run with a wire on which every frame waits for you",
    "scenarios": "run all; end with a table of the statements",
    "sweep": "run scenarios under many conditions, many times, into a table",
    "compare": "the same messages over TCP, UDP and unix",
    "claims": "list the statements, and the claims that decide them",
    "replay": "judge a recorded run again, unprivileged",
    "play": "walk through a recorded run, event by event or in time",
    "report": "a recorded run as a page, a picture, Markdown or JUnit",
    "diff": "two runs of a scenario against each other",
    "show": "show the flows of any pcap or pcapng file",
    "check": "judge any capture file by what you expect of it",
    "expect": "list what can be expected of a run or a capture file",
    "grade": "grade what students handed in, by a lab sheet",
    "snapshot": "print the shape of a recorded conversation, to be kept",
    "record-test": "write a test of pytest from runs that went as they should",
    "sheet": "write a worksheet of a scenario, to be filled in, and its key",
    "quiz": "ask what recorded runs answer",
    "export": "write cards to learn from, for Anki, as Markdown or CSV",
    "new": "write a scenario of two programs to begin with",
    "doctor": "report what this machine allows, and how to mend it",
    "completion": "print what completes words in a shell",
}
"""By name, a command's line of help."""


def make_parser(words: Collection[str]) -> argparse.ArgumentParser:
    """The parser for the command line `words`; it exits with status 2 on wrong usage.

    A command that is not among them has its line of help and no options: making those of all would
    slow every start down.
    """
    parser = CommandParser(
        prog="wirelab",
        description="See what a socket puts on the wire, and what it does not.",
        epilog=EXIT_STATUS_HELP,
    )
    parser.add_argument("--version", action="version", version=f"wirelab {__version__}")
    # The prefix given, argparse need not format a usage line for each command.
    factory: Any = parser_of_command
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", prog="wirelab", parser_class=factory
    )
    for name, text in COMMANDS.items():
        is_wanted = name in words
        command = commands.add_parser(name, help=text, add_help=is_wanted)
        if is_wanted:
            _add_options(name, command)
    return parser


def _add_options(name: str, command: argparse.ArgumentParser) -> None:
    """Add those of that command. Of their files the one that has them is imported."""
    match name:
        case "claims" | "doctor":
            return
        case "completion":
            _completion(command)
            return
        case "list" | "run" | "shell" | "step" | "scenarios" | "sweep" | "compare" | "new":
            from lab.cli.words.running import OPTIONS
        case (
            "replay"
            | "play"
            | "report"
            | "diff"
            | "show"
            | "check"
            | "expect"
            | "snapshot"
            | "record-test"
        ):
            from lab.cli.words.recorded import OPTIONS
        case "grade" | "sheet" | "quiz" | "export":
            from lab.cli.words.course import OPTIONS
        case _:
            raise LookupError(f"no file has the options of {name!r}")
    OPTIONS[name](command)


def _completion(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "shell", choices=SHELLS, metavar="SHELL", help=f"{', '.join(SHELLS)}; see docs/command.md"
    )
