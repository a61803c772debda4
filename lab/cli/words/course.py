"""The options of what a course is taught and graded with."""

from __future__ import annotations

from lab.cli.words.shared import add_ascii, add_jobs, add_making, add_scenarios
from lab.cli.words.values import number_of_jobs, whole_number

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    import argparse

GRADE_HELP = """\
exit status:
  0  everything was graded, whatever its score
  2  the sheet, the check or the folder is wrong; or a check failed itself, and the
     sheet has to be mended
  3  the lab could not grade all of it; the same command grades the rest again
"""
SHEET_HELP = """\
The key goes beside it: tcp.html and tcp-key.html.
"""
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


OPTIONS = {
    "grade": _grade,
    "sheet": _sheet,
    "quiz": _quiz,
    "export": _export,
}
"""By a command's name, what adds its options."""
