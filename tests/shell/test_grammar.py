from __future__ import annotations

import pytest

from lab.errors import PointedError, UsageError
from lab.shell.command import (
    Command,
    EndJob,
    EndRulesOf,
    PingAll,
    Quit,
    RunProgram,
    SetRule,
    ShowHelp,
    ShowHosts,
    ShowJobs,
    ShowLadder,
    ShowLinks,
    ShowRules,
)
from lab.shell.grammar import Names, parse_line

NAMES = Names(
    ("h1", "h2", "s1"),
    {"h1": "192.0.2.1", "h2": "192.0.2.2"},
    {"h2": "192.0.2.2", "h2_url": "192.0.2.2", "port": "4242"},
    ((("h1", "eth0"), ("s1", "eth0")), (("h2", "eth0"), ("s1", "eth1"))),
)


def program(line: str) -> RunProgram:
    command = parse_line(line, NAMES)
    assert isinstance(command, RunProgram)
    return command


@pytest.mark.parametrize("line", ["", "   ", "# a comment", "  # h1 ls"])
def test_a_line_that_asks_for_nothing(line: str) -> None:
    assert parse_line(line, NAMES) is None


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("hosts", ShowHosts()),
        (" links ", ShowLinks()),
        ("jobs", ShowJobs()),
        ("kill 2", EndJob(2)),
        ("kill %2", EndJob(2)),
        ("wire", ShowRules()),
        ("wire  h1>s1 drop SYN 1 ", SetRule("h1>s1 drop SYN 1")),
        ("wire h1-s1 drop bpf 'tcp[13] & 2 != 0'", SetRule("h1-s1 drop bpf 'tcp[13] & 2 != 0'")),
        ("wire s1>h1 off", EndRulesOf("s1>h1")),
        ("wire h1-s1  off", EndRulesOf("h1-s1")),
        ("link h1 s1 down", SetRule("h1-s1 down")),
        ("link s1-h1 up", SetRule("s1-h1 up")),
        ("link h1/eth0 s1/eth0 up", SetRule("h1/eth0-s1/eth0 up")),
        ("ladder", ShowLadder()),
        ("pingall", PingAll()),
        ("nodes", ShowHosts()),
        ("net", ShowLinks()),
        ("help", ShowHelp()),
        ("quit", Quit()),
        ("exit", Quit()),
    ],
)
def test_commands(line: str, command: Command) -> None:
    assert parse_line(line, NAMES) == command


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("h1 ls -l", ("ls", "-l")),
        ("h1 echo 'a  b' c\\ d", ("echo", "a  b", "c d")),
        ("h1 ping -c1 h2", ("ping", "-c1", "192.0.2.2")),
        ("h1 echo 'h2' h2x xh2 s1", ("echo", "h2", "h2x", "xh2", "s1")),
        ("h1 h2", ("h2",)),
        ("h1 curl 'http://{h2_url}:{port}/{x}'", ("curl", "http://192.0.2.2:4242/{x}")),
        ("h1 ping -c1 h2 | head", ("/bin/sh", "-c", "ping -c1 192.0.2.2 | head")),
        ("h1 sleep 1; ping h2;", ("/bin/sh", "-c", "sleep 1; ping 192.0.2.2;")),
        ("h1 sh -c 'echo ${h2} $0' a", ("sh", "-c", "echo ${h2} $0", "a")),
    ],
)
def test_a_program_has_its_words(line: str, argv: tuple[str, ...]) -> None:
    assert program(line).argv == argv
    assert not program(line).is_job


def test_a_job_is_a_program_with_an_ampersand_behind_it() -> None:
    assert program("h1 sleep 5 &") == RunProgram("h1", ("sleep", "5"), "sleep 5", is_job=True)
    assert program("h1 a & b").argv == ("/bin/sh", "-c", "a & b")
    assert program("h1 echo '&'").argv == ("echo", "&")


@pytest.mark.parametrize(
    ("line", "place", "what"),
    [
        ("jbos", (0, 4), "did you mean 'jobs'"),
        (" foo x", (1, 4), "there are hosts, links"),
        ("h1", (0, 2), "h1 COMMAND"),
        ("h1 &", (0, 2), "h1 COMMAND"),
        ("hosts now please", (6, 16), "hosts takes nothing more"),
        ("kill", (4, 4), "one job's number"),
        ("kill x", (5, 6), "one job's number"),
        ("kill 1 2", (5, 8), "one job's number"),
        ("h1 echo 'x", (8, 9), "not closed"),
        ("wire h1>h2 drop", (5, 10), "no link of the network; those are h1-s1, h2-s1"),
        ("wire h1>s1", (10, 10), "an action is missing"),
        ("wire h1>s1 drp", (11, 14), "did you mean 'drop'"),
        ("wire h1>s1 drop SNY", (16, 19), "did you mean 'SYN'"),
        ("wire h1>h2 off", (5, 10), "no link"),
        ("wire off", (5, 8), "no link"),
        ("link", (4, 4), "two hosts, and down or up"),
        ("link h1 s1", (5, 10), "two hosts, and down or up"),
        ("link h1 s1 off", (5, 14), "two hosts, and down or up"),
        ("link h1 h2 down", (5, 10), "no link"),
    ],
)
def test_what_is_wrong_is_pointed_at(line: str, place: tuple[int, int], what: str) -> None:
    with pytest.raises(PointedError, match=what) as caught:
        parse_line(line, NAMES)
    assert (caught.value.start, caught.value.end) == place


def test_a_host_cannot_have_the_name_of_a_command() -> None:
    with pytest.raises(UsageError, match="'jobs' has the name of a command"):
        Names(("jobs",), {}, {})
