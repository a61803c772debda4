"""The words of the command line: commands, their options, and the help on them."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from typing import Any

EXIT_STATUS_HELP = """\
exit status:
  0  every claim holds, or is skipped for want of a feature
  1  a claim is broken
  2  wrong usage: an unknown name, an unreadable file, a program that fails
  3  this machine cannot run it
  4  something is undecided: the capture was blind
"""

AD_HOC_HELP = """\
Both commands are split into words as by a shell. {server}, {client} and {port}
stand for addresses and the port, {server_url} for an address as a URL has it,
{unix} for the unix socket's path, {python} for this interpreter.
"""
LONGEST_S = 86400  # as a deadline


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """argparse's own at 80 columns: to ask for the terminal's it imports the archivers."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


class _CommandParser(argparse.ArgumentParser):
    """A command's parser, with the same help formatter."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401  ArgumentParser's own
        super().__init__(**settings, formatter_class=_HelpFormatter)


def make_parser() -> argparse.ArgumentParser:
    """What reads the command line; it exits with status 2 where that cannot be read."""
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
    listing = commands.add_parser("list", help="list the scenarios")
    run = commands.add_parser(
        "run", help="run scenarios, or two programs of your own, and judge claims"
    )
    run.add_argument("names", nargs="*", metavar="NAME", help="a scenario's name, or its file")
    _add_ad_hoc_options(run.add_argument_group("your own programs", AD_HOC_HELP))
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
            default="auto",
            help="what traces the programs' system calls (default: the best there is)",
        )
    for command in (run, every):
        command.add_argument("--junit", metavar="FILE", help="write the verdicts as JUnit XML")
    replay = commands.add_parser("replay", help="judge a recorded run again, unprivileged")
    replay.add_argument("folder", metavar="DIR", help="such as runs/tcp/latest")
    show = commands.add_parser("show", help="show the flows of any pcap or pcapng file")
    show.add_argument("file", metavar="FILE")
    commands.add_parser("doctor", help="tell what this machine allows, and how to mend it")
    new = commands.add_parser("new", help="write a scenario of two programs to begin with")
    new.add_argument("name", metavar="NAME", help="the new scenario's name, such as my-own")
    new.add_argument(
        "--scenarios", metavar="DIR", default="", help="where it goes (default: ./scenarios)"
    )
    for command in (listing, run, replay):
        command.add_argument(
            "--scenarios",
            metavar="DIR",
            default="",
            help="a folder of scenarios of your own, whose names come before wirelab's "
            "(default: ./scenarios adds its names)",
        )
    for command in (run, replay):
        command.add_argument("--json", action="store_true", help="print report.json instead")
    for command in (run, every, compare, replay, show):
        command.add_argument("--ascii", action="store_true", help="draw with ASCII only")
    return parser


def _add_ad_hoc_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--server", metavar="CMD", help="what runs on the host `server`")
    group.add_argument("--client", metavar="CMD", help="what runs on the host `client`, then")
    group.add_argument(
        "--port", type=_port, help="where the server listens (default: {port} is 4242, else any)"
    )
    group.add_argument(
        "--unix", metavar="PATH", default="", help="the unix socket that it listens on instead"
    )
    group.add_argument(
        "--deadline",
        type=_seconds,
        metavar="SECONDS",
        help="when the client must have ended (default: 10)",
    )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 1 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds up to {LONGEST_S}")
    return seconds
