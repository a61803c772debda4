"""The options of what looks at something recorded: runs and capture files."""

from __future__ import annotations

from lab.cli.words.shared import (
    add_ascii,
    add_detail,
    add_expect,
    add_json,
    add_junit,
    add_scenarios,
)
from lab.cli.words.values import flow

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    import argparse

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


def _expect(command: argparse.ArgumentParser) -> None:
    command.add_argument("--list", action="store_true", help="the list, which is the default too")


def _snapshot(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help="a run's folder, or a capture file")


def _record_test(command: argparse.ArgumentParser) -> None:
    command.add_argument("runs", nargs="+", metavar="RUN", help="folders of runs of one kind")
    command.add_argument("--out", metavar="FILE", default="", help="where it goes (or stdout)")


OPTIONS = {
    "replay": _replay,
    "play": _play,
    "report": _report,
    "diff": _diff,
    "show": _show,
    "check": _check,
    "expect": _expect,
    "snapshot": _snapshot,
    "record-test": _record_test,
}
"""By a command's name, what adds its options."""
