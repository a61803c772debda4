"""Options that several commands share, and the help on them."""

from __future__ import annotations

from lab.cli.words.values import (
    capability,
    number_of_frames,
    number_of_jobs,
    ring_bytes,
    snap_bytes,
    wire_rules,
)

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    import argparse

ALLOWED_HELP = """\
Programs of yours run as the user who called sudo, without root's capabilities,
and can write to the current folder alone: see docs/isolation.md.
"""


def add_conditions(command: argparse.ArgumentParser) -> None:
    """On what terms it runs: rules of wires, sysctls."""
    command.add_argument(
        "--wire",
        action="extend",
        type=wire_rules,
        default=[],
        metavar="RULE",
        help="what happens to frames on a link, again for each: 'client>server drop SYN 1' "
        "(docs/wire.md); @FILE: the rules in a file, a line each",
    )
    command.add_argument(
        "--sysctl",
        action="append",
        default=[],
        metavar="[HOST:]NAME=VALUE",
        help="a setting of the hosts' network namespaces, of all or one, again for each: "
        "net.ipv4.tcp_syn_retries=3 (docs/sysctls.md)",
    )


def add_capturing(command: argparse.ArgumentParser) -> None:
    """How much of the frames is captured."""
    command.add_argument(
        "--snap",
        type=snap_bytes,
        metavar="BYTES",
        help="keep so much of each frame (default: all); frames that were cut decide what goes by "
        "headers alone",
    )
    command.add_argument(
        "--max-frames",
        type=number_of_frames,
        metavar="N",
        help="capture so many frames, at all points together, and then no more",
    )
    command.add_argument(
        "--ring",
        type=ring_bytes,
        metavar="MiB",
        help="the memory that the frames of each point wait in to be written to disk "
        "(default: 4 to 16, by how many points there are)",
    )


def add_allowed(command: argparse.ArgumentParser) -> None:
    """What programs of the user's may do."""
    allowed = command.add_argument_group("what programs of yours may do", ALLOWED_HELP)
    allowed.add_argument(
        "--as", dest="user", metavar="USER", default="", help="run as this user: a name or a uid"
    )
    allowed.add_argument(
        "--cap",
        action="append",
        default=[],
        type=capability,
        metavar="NAME",
        help="one more capability, such as CAP_NET_ADMIN or net_admin; may be repeated",
    )
    for option, metavar, text in (
        ("--writable", "DIR", "one more folder of the host's to write to"),
        ("--socket", "PATH", "a unix socket of the host's to connect to"),
    ):
        allowed.add_argument(
            option, action="append", default=[], metavar=metavar, help=f"{text}; may be repeated"
        )
    allowed.add_argument(
        "--host-files",
        action="store_true",
        help="leave them the host's files as they are, where the kernel cannot do otherwise",
    )


def add_family(command: argparse.ArgumentParser, default: str) -> None:
    """The IP version."""
    command.add_argument(
        "--family",
        choices=("4", "6", "both"),
        default=default,
        help=f"IP version (default: {default})",
    )


def add_making(command: argparse.ArgumentParser, *, notes_lines: bool = True) -> None:
    """How a recording is made, and where it goes; whether lines are noted is an option or not."""
    command.add_argument(
        "--out", default="runs", metavar="DIR", help="where artifacts go (default: runs)"
    )
    command.add_argument(
        "--trace",
        choices=("auto", "bpf", "ptrace", "none"),
        default="auto",
        help="what traces the programs' system calls (default: the best there is)",
    )
    if notes_lines:
        command.add_argument(
            "--source",
            action="store_true",
            help="have Python programs note the lines that make their calls; it slows them down",
        )
    command.add_argument(
        "--no-secrets",
        action="store_true",
        help="do not set SSLKEYLOGFILE, nor keep the TLS secrets that programs write there",
    )


def add_expect(command: argparse.ArgumentParser) -> None:
    """What ought to be."""
    command.add_argument(
        "--expect",
        action="append",
        default=[],
        metavar="WORDS",
        help="what ought to be, again for each: no-reset, 'round-trips<=2' (docs/expect.md; "
        "`wirelab expect` lists all)",
    )
    command.add_argument(
        "--snapshot",
        metavar="FILE",
        help="the shape that the conversation ought to have, as `wirelab snapshot` prints it",
    )


def add_junit(command: argparse.ArgumentParser) -> None:
    """JUnit XML."""
    command.add_argument("--junit", metavar="FILE", help="write the verdicts as JUnit XML")


def add_scenarios(command: argparse.ArgumentParser) -> None:
    """Whence scenarios come."""
    command.add_argument(
        "--scenarios",
        metavar="DIR",
        default="",
        help="a folder of scenarios of your own, whose names come before wirelab's "
        "(default: ./scenarios adds its names)",
    )


def add_jobs(command: argparse.ArgumentParser) -> None:
    """How many runs at once."""
    command.add_argument(
        "-j",
        "--jobs",
        metavar="N",
        type=number_of_jobs,
        help="how many run at once (default: two for each CPU)",
    )


def add_json(command: argparse.ArgumentParser) -> None:
    """report.json on standard output."""
    command.add_argument(
        "--json",
        action="store_true",
        help="print report.json instead; of several runs, one document",
    )


def add_detail(command: argparse.ArgumentParser) -> None:
    """How much is printed."""
    detail = command.add_mutually_exclusive_group()
    detail.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="what programs printed, every event, each claim's reason and evidence, instruments",
    )
    detail.add_argument("-q", "--quiet", action="store_true", help="the verdict alone, in a line")


def add_ascii(command: argparse.ArgumentParser) -> None:
    """How it is drawn, and in what."""
    command.add_argument("--ascii", action="store_true", help="draw with ASCII only")
    command.add_argument(
        "--no-pager",
        action="store_true",
        help="print what is longer than the terminal, too, without $PAGER (default: less -FRX)",
    )
