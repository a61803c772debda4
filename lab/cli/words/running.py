"""The options of what runs something: scenarios, programs, prompts, sweeps."""

from __future__ import annotations

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
from lab.cli.words.values import number_of_jobs, port, seconds, whole_number

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    import argparse

AD_HOC_HELP = """\
Both commands are split into words as by a shell. {server}, {client} and {port}
stand for addresses and the port, {server_url} for an address as a URL has it,
{unix} for the unix socket's path, {python} for this interpreter.
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
NETWORK_HELP = (
    "a network: two, star:3, chain:3, dumbbell:4, nat:2, or a Python file that has one, "
    "TOPOLOGY = star(3), or a scenario"
)
MEASURES = (
    "goodput_bps", "lasted_s", "handshake_s", "retransmissions", "lost", "frames", "wire_bytes",
    "payload_bytes", "took_s",
)  # fmt: skip
"""What a sweep has medians of: lab.sweep.summary has the same, and is not imported for the help."""


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
        choices=("auto", "bpf", "ptrace", "none"),
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


def _new(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="the new scenario's name, such as my-own")
    command.add_argument(
        "--scenarios", metavar="DIR", default="", help="where it goes (default: ./scenarios)"
    )


OPTIONS = {
    "list": _list,
    "run": _run,
    "shell": _shell,
    "step": _step,
    "scenarios": _scenarios,
    "sweep": _sweep,
    "compare": _compare,
    "new": _new,
}
"""By a command's name, what adds its options."""
