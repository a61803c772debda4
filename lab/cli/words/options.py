"""The commands of the command line, their options, and the help on them."""

from __future__ import annotations

from lab import __version__
from lab.cli.words.parser import CommandParser, parser_of_command
from lab.cli.words.shared import (
    add_allowed,
    add_ascii,
    add_capturing,
    add_conditions,
    add_detail,
    add_expect,
    add_family,
    add_jobs,
    add_json,
    add_junit,
    add_making,
    add_scenarios,
)
from lab.cli.words.values import flow, number_of_jobs, port, seconds, whole_number

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

AD_HOC_HELP = """\
Both commands are split into words as by a shell. {server}, {client} and {port}
stand for addresses and the port, {server_url} for an address as a URL has it,
{unix} for the unix socket's path, {python} for this interpreter.
"""
SHOW_HELP = """\
Ctrl-C ends the reading of a pipe, and what came until then is shown.

exit status:
  0  the file was read whole; what of it is not dissected is said and counted
  2  it cannot be read, or is broken: what comes before that place is shown
"""
DIFF_HELP = """\
exit status:
  0  nothing differs but times
  1  something does
  2  a recording cannot be read, or they are of two scenarios
"""
CHECK_HELP = """\
exit status:
  0  everything is as expected
  1  something is not
  2  the file cannot be read, or an expectation is wrong
  4  something is undecided: what the file has does not show it
"""
GRADE_HELP = """\
exit status:
  0  everything was graded, whatever its score
  2  the sheet, the check or the folder is wrong; or a check failed itself, and the
     sheet has to be mended
  3  the lab could not grade all of it; the same command grades the rest again
"""
SWEEP_HELP = """\
What can be varied, each NAME=VALUE,VALUE: rate, queue, delay, jitter and loss (in %)
of every link, or of a way, client>server:loss; wire, rules in their own words;
congestion; sysctls by their names, net.ipv4.tcp_sack or server:net.ipv4.tcp_sack;
family; trace; and what the function `scenario` of a FILE.py takes (docs/sweep.md).

exit status:
  0  all runs were made, whatever their verdicts
  1  some could not be made; their rows say why, and --again tries them again
  2  wrong usage, or what is needed is not installed
  3  no machine can make them; what was made until then is there
"""
SHEET_HELP = """\
The key goes beside it: tcp.html and tcp-key.html.
"""
NETWORK_HELP = (
    "a network: two, star:3, chain:3, dumbbell:4, nat:2, or a Python file that has one, "
    "TOPOLOGY = star(3), or a scenario"
)
ABOUT = (
    "flags",
    "sequence number",
    "acknowledgment number",
    "payload bytes",
    "sender's state",
    "receiver's state",
    "return value",
    "next segment",
)
"""What a quiz may be about: lab.study.exercise has each, and is not imported for the help."""
MEASURES = (
    "goodput_bps", "lasted_s", "handshake_s", "retransmissions", "lost", "frames", "wire_bytes",
    "payload_bytes", "took_s",
)  # fmt: skip
"""What a sweep has medians of: lab.sweep.summary has the same, and is not imported for the help."""
SHELLS = ("bash", "zsh", "fish")


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
    for name, (text, add_options) in COMMANDS.items():
        is_wanted = name in words
        command = commands.add_parser(name, help=text, add_help=is_wanted)
        if is_wanted:
            add_options(command)
    return parser


def _list(command: argparse.ArgumentParser) -> None:
    add_scenarios(command)


def _run(command: argparse.ArgumentParser) -> None:
    command.add_argument("names", nargs="*", metavar="NAME", help="a scenario's name, or its file")
    own = command.add_argument_group("your own programs", AD_HOC_HELP)
    own.add_argument("--server", metavar="CMD", help="what runs on the host `server`")
    own.add_argument(
        "--client", metavar="CMD", help="what runs on the host `client`, then; or alone"
    )
    own.add_argument(
        "--topology",
        metavar="NETWORK",
        help=f"for --on: {NETWORK_HELP}",
    )
    own.add_argument(
        "--on",
        nargs=2,
        action="append",
        default=[],
        metavar=("HOST", "CMD"),
        help="what runs on a host of the topology, again for each; the first serves the others",
    )
    own.add_argument(
        "--port", type=port, help="where the server listens (default: {port} is 4242, else any)"
    )
    own.add_argument(
        "--unix", metavar="PATH", default="", help="the unix socket that it listens on instead"
    )
    own.add_argument(
        "--deadline",
        type=seconds,
        metavar="SECONDS",
        help="when the server must listen, and the client have ended (default: 10)",
    )
    own.add_argument(
        "--no-wait", action="store_true", help="start the client at once, listening or not"
    )
    own.add_argument(
        "--linger",
        type=seconds,
        metavar="SECONDS",
        help="how long the server may go on after the client has ended",
    )
    add_conditions(command)
    add_capturing(command)
    add_expect(command)
    command.add_argument(
        "--update-snapshot",
        action="store_true",
        help="write --snapshot's FILE, and do not compare with it",
    )
    add_allowed(command)
    add_family(command, default="4")
    add_making(command)
    add_junit(command)
    add_scenarios(command)
    add_json(command)
    add_detail(command)
    add_ascii(command)


def _shell(command: argparse.ArgumentParser) -> None:
    command.add_argument("topology", metavar="NETWORK", help=NETWORK_HELP)
    command.add_argument(
        "--command",
        dest="lines",
        action="append",
        default=[],
        metavar="LINE",
        help="a line, again for each, instead of those typed or read from standard input",
    )
    add_conditions(command)
    add_expect(command)
    add_allowed(command)
    command.add_argument(
        "--family", choices=("4", "6"), default="4", help="IP version (default: 4)"
    )
    add_making(command)
    add_json(command)
    add_detail(command)
    add_ascii(command)


def _step(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", nargs="?", metavar="NAME", help="a scenario's name, or its file")
    own = command.add_argument_group("your own programs", AD_HOC_HELP)
    own.add_argument("--server", metavar="CMD", help="what runs on the host `server`")
    own.add_argument(
        "--client", metavar="CMD", help="what runs on the host `client`, then; or alone"
    )
    own.add_argument(
        "--port", type=port, help="where the server listens (default: {port} is 4242, else any)"
    )
    command.add_argument(
        "--deadline",
        type=seconds,
        metavar="SECONDS",
        help="when everything passes, and programs have 10 seconds to end (default: 600)",
    )
    command.add_argument(
        "--hold-all",
        action="store_true",
        help="hold ARP and neighbour discovery too, which else pass",
    )
    command.add_argument(
        "--at-quit",
        choices=("ask", "deliver", "drop"),
        default="ask",
        help="what becomes of what waits when you end the stepping (default: ask)",
    )
    command.add_argument(
        "--save-rules",
        metavar="FILE",
        default="",
        help="write what you did as rules, for `--wire @FILE` of another run",
    )
    command.add_argument(
        "--no-source",
        action="store_true",
        help="do not have Python programs note the lines that make their calls",
    )
    add_conditions(command)
    add_expect(command)
    add_allowed(command)
    command.add_argument(
        "--family", choices=("4", "6"), default="4", help="IP version (default: 4)"
    )
    add_making(command, notes_lines=False)
    add_scenarios(command)
    add_json(command)
    add_detail(command)
    add_ascii(command)


def _scenarios(command: argparse.ArgumentParser) -> None:
    add_family(command, default="both")
    add_making(command)
    add_jobs(command)
    add_junit(command)
    add_ascii(command)


def _sweep(command: argparse.ArgumentParser) -> None:
    command.add_argument("names", nargs="+", metavar="NAME", help="a scenario's name, or its file")
    command.add_argument(
        "--over",
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help="what differs between runs, again for each: loss=0,1,5",
    )
    command.add_argument(
        "--repeat",
        type=whole_number,
        default=1,
        metavar="N",
        help="how often each combination is run, each time with other lots (default: 1)",
    )
    command.add_argument(
        "--out",
        default="sweep",
        metavar="DIR",
        help="where the table goes; what is there already is not made again (default: sweep)",
    )
    command.add_argument(
        "-j",
        "--jobs",
        type=number_of_jobs,
        default=1,
        metavar="N",
        help="how many run at once, each in a worker of Dask (default: 1, without Dask)",
    )
    command.add_argument(
        "--scheduler",
        metavar="tcp://HOST:PORT",
        default="",
        help="have the workers of this Dask scheduler make the runs",
    )
    command.add_argument(
        "--again", action="store_true", help="try again what could not be made before"
    )
    command.add_argument(
        "--keep",
        action="append",
        default=[],
        choices=("HOLDS", "BROKEN", "UNDECIDED"),
        help="keep the artifacts of runs of this outcome, in DIR/kept; may be repeated",
    )
    command.add_argument(
        "--plot",
        action="append",
        default=[],
        choices=MEASURES,
        help="a column whose medians are drawn as SVG, again for each (default: those that differ "
        "of goodput_bps, lasted_s and retransmissions)",
    )
    command.add_argument(
        "--trace",
        choices=("auto", "tracefs", "ptrace", "none"),
        default="auto",
        help="what traces the programs' system calls (default: the best there is)",
    )
    command.add_argument(
        "--expect",
        action="append",
        default=[],
        metavar="WORDS",
        help="what ought to be besides the claims, again for each (docs/expect.md)",
    )
    add_conditions(command)
    add_family(command, default="4")
    add_scenarios(command)
    add_ascii(command)
    command.epilog = SWEEP_HELP


def _compare(command: argparse.ArgumentParser) -> None:
    add_making(command)
    add_ascii(command)


def _replay(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", metavar="DIR", help="such as runs/tcp/latest")
    add_scenarios(command)
    add_json(command)
    add_detail(command)
    add_ascii(command)


def _play(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", metavar="RUN", help="its folder, such as runs/tcp/latest")
    add_scenarios(command)


def _report(command: argparse.ArgumentParser) -> None:
    from lab.derive import FORMATS

    command.add_argument("folder", metavar="DIR", help="such as runs/tcp/latest")
    command.add_argument(
        "--format",
        choices=tuple(FORMATS),
        default="html",
        help="; ".join(f"{name}: {each.what}" for name, each in FORMATS.items())
        + " (default: html)",
    )
    command.add_argument(
        "--unix-as",
        metavar="PROTOCOL",
        default="",
        help="the dissector of Wireshark's for --format unix, such as http "
        "(default: by what the bytes begin with)",
    )
    command.add_argument(
        "--output",
        metavar="FILE",
        default="",
        help='where it goes (default: into DIR); "-": stdout',
    )
    command.add_argument("--open", action="store_true", help="open it in the browser")
    add_scenarios(command)


def _diff(command: argparse.ArgumentParser) -> None:
    for name, text in (("first", "a run's folder"), ("second", "another of the same scenario")):
        command.add_argument(name, metavar="RUN", help=text)
    command.add_argument("--html", metavar="FILE", help="write a page for a browser instead")
    add_scenarios(command)
    add_ascii(command)
    command.epilog = DIFF_HELP


def _show(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "file",
        metavar="FILE",
        help='pcap or pcapng, gzipped or not; "-" is standard input: '
        "`tcpdump -w - | wirelab show -`",
    )
    command.add_argument(
        "--flow",
        action="append",
        type=flow,
        default=[],
        metavar="FLOW",
        help="show this flow alone, such as tcp:7 or udp:3, as tshark numbers streams; none: the "
        "frames of no flow; may be repeated (default: all up to 50 frames, else a table)",
    )
    command.add_argument(
        "--filter",
        metavar="WORDS",
        help="show the frames that these are true of, such as 'host 192.0.2.1 and not port 80' or "
        "'note retransmission and after 1.5'; docs/capture-files.md has every word",
    )
    command.add_argument(
        "--frames",
        metavar="A-B",
        help="show the frames of these numbers, as Wireshark has them: 3-9,12,40-",
    )
    command.add_argument("--json", action="store_true", help="print one JSON document instead")
    command.add_argument("--html", metavar="FILE", help="write a page for a browser instead")
    command.add_argument(
        "--parquet",
        metavar="DIR",
        help="write packets.parquet and flows.parquet into DIR instead, for DuckDB or polars "
        "(docs/large-captures.md)",
    )
    add_ascii(command)
    command.epilog = SHOW_HELP


def _check(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "file", metavar="FILE", help='pcap or pcapng, gzipped or not; "-" is standard input'
    )
    add_expect(command)
    add_junit(command)
    add_ascii(command)
    command.epilog = CHECK_HELP


def _grade(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "sheet", metavar="SHEET", help="the lab sheet, a path or a name (docs/grading.md)"
    )
    command.add_argument(
        "submissions",
        nargs="*",
        metavar="SUBMISSION",
        help="programs: a file, a folder or an archive of each student",
    )
    what = command.add_mutually_exclusive_group()
    what.add_argument("--pcap", nargs="+", metavar="FILE", help="captures, one of each student")
    what.add_argument(
        "--explain",
        nargs="?",
        const="",
        metavar="CHECK",
        help="show a check as students see it; without a name all of them",
    )
    command.add_argument(
        "--out", default="grades", metavar="DIR", help="where outputs go (default: grades)"
    )
    command.add_argument(
        "-j",
        "--jobs",
        type=number_of_jobs,
        default=1,
        metavar="N",
        help="how many programs are graded at once (default: 1)",
    )
    command.add_argument(
        "--again", action="store_true", help="grade those again that have not changed, too"
    )
    command.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="say how programs were held, and which limits were in force",
    )
    add_ascii(command)
    command.epilog = GRADE_HELP


def _snapshot(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help="a run's folder, or a capture file")


def _record_test(command: argparse.ArgumentParser) -> None:
    command.add_argument("runs", nargs="+", metavar="RUN", help="folders of runs of one kind")
    command.add_argument("--out", metavar="FILE", default="", help="where it goes (or stdout)")


def _expect(command: argparse.ArgumentParser) -> None:
    command.add_argument("--list", action="store_true", help="the list, which is the default too")


def _new(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="the new scenario's name, such as my-own")
    command.add_argument(
        "--scenarios", metavar="DIR", default="", help="where it goes (default: ./scenarios)"
    )


def _completion(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "shell", choices=SHELLS, metavar="SHELL", help=f"{', '.join(SHELLS)}; see docs/command.md"
    )


def _export(command: argparse.ArgumentParser) -> None:
    command.add_argument("what", choices=("anki",), help="cards for Anki")
    command.add_argument("--out", metavar="FILE.apkg", default="", help="a package for Anki")
    command.add_argument("--markdown", metavar="FILE", default="", help="the same as Markdown")
    command.add_argument("--csv", metavar="FILE", default="", help="the same as CSV")
    command.add_argument(
        "--runs",
        metavar="DIR",
        help="take the latest runs recorded there (default: run every scenario now)",
    )
    add_jobs(command)


def _sheet(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "name", metavar="NAME", help="a scenario, which is run, or a recorded run's folder"
    )
    command.add_argument(
        "--html", metavar="FILE", default="", help="as a page (default: NAME.html)"
    )
    command.add_argument(
        "--pdf", metavar="FILE", default="", help="as PDF, printed by the Chromium that is here"
    )
    command.add_argument(
        "--seed", type=whole_number, default=1, metavar="N", help="which gaps (default: 1)"
    )
    command.add_argument(
        "--gaps", type=whole_number, default=16, metavar="N", help="how many a step (default: 16)"
    )
    command.add_argument("--step", metavar="STEP", default="", help="one step of the run alone")
    command.add_argument(
        "--family", choices=("4", "6"), default="4", help="IP version (default: 4)"
    )
    add_making(command)
    add_scenarios(command)
    command.epilog = SHEET_HELP


def _quiz(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a scenario whose latest run asks, or a run's folder (default: all that are recorded)",
    )
    command.add_argument(
        "--questions", type=whole_number, default=10, metavar="N", help="how many (default: 10)"
    )
    command.add_argument(
        "--about",
        action="append",
        default=[],
        choices=ABOUT,
        help="what is asked, again for each (default: everything)",
    )
    command.add_argument("--seed", type=whole_number, metavar="N", help="ask the same again")
    command.add_argument(
        "--out", default="runs", metavar="DIR", help="where runs are (default: runs)"
    )
    add_ascii(command)


def _nothing(command: argparse.ArgumentParser) -> None:
    """It has no options."""


COMMANDS = {
    "list": ("list the scenarios", _list),
    "run": ("run scenarios, or two programs of your own, and judge claims", _run),
    "shell": ("a prompt in a network, recorded", _shell),
    "step": ("run with a wire on which every frame waits for you", _step),
    "scenarios": ("run all; end with a table of the statements", _scenarios),
    "sweep": ("run scenarios under many conditions, many times, into a table", _sweep),
    "compare": ("the same messages over TCP, UDP and unix", _compare),
    "claims": ("list the statements, and the claims that decide them", _nothing),
    "replay": ("judge a recorded run again, unprivileged", _replay),
    "play": ("walk through a recorded run, event by event or in time", _play),
    "report": ("a recorded run as a page, a picture, Markdown or JUnit", _report),
    "diff": ("two runs of a scenario against each other", _diff),
    "show": ("show the flows of any pcap or pcapng file", _show),
    "check": ("judge any capture file by what you expect of it", _check),
    "expect": ("list what can be expected of a run or a capture file", _expect),
    "grade": ("grade what students handed in, by a lab sheet", _grade),
    "snapshot": ("print the shape of a recorded conversation, to be kept", _snapshot),
    "record-test": ("write a test of pytest from runs that went as they should", _record_test),
    "sheet": ("write a worksheet of a scenario, to be filled in, and its key", _sheet),
    "quiz": ("ask what recorded runs answer", _quiz),
    "export": ("write cards to learn from, for Anki, as Markdown or CSV", _export),
    "new": ("write a scenario of two programs to begin with", _new),
    "doctor": ("report what this machine allows, and how to mend it", _nothing),
    "completion": ("print what completes words in a shell", _completion),
}
"""By name, a command's line of help and what adds its options."""
