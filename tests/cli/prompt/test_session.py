"""Lines executed, by what a session in a sandbox would answer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from session_answers import Answers

from lab.ad_hoc import session_scenario
from lab.cli.prompt.interrupts import Interrupts
from lab.cli.prompt.session import Session
from lab.kernel.session.requests import Ended, Job, Written
from lab.model.family import Family
from lab.model.topology import two_hosts
from lab.recording.storage import load_recording


def executed(answers: Answers, lines: Iterable[str]) -> Session:
    scenario = session_scenario(two_hosts())
    with Interrupts() as interrupts:
        session = Session(
            answers,  # type: ignore[arg-type]
            scenario,
            Family.IPV4,
            interrupts,
            draw=lambda recording: print("drawn:", recording),
        )
        session.execute_all(lines)
    return session


def test_programs_have_names_of_their_own() -> None:
    answers = Answers(Ended(0), Ended(0), Ended(0))
    executed(answers, ["client a", "server b", "client c"])
    assert [(each.name, each.host) for each in answers.started] == [
        ("client", "client"),
        ("server", "server"),
        ("client-2", "client"),
    ]


def test_the_first_line_that_quits_is_the_last() -> None:
    answers = Answers(Ended(0))
    executed(answers, ["client a", "quit", "client b"])
    assert len(answers.started) == 1


@pytest.mark.parametrize(
    ("line", "answers", "said"),
    [
        ("client a", [Ended(3)], "exit status 3\n"),
        ("client a", [Ended(127, "cannot be started: a")], "cannot be started: a\n"),
        ("client a &", [Ended(127, "cannot be started: a")], "cannot be started: a\n"),
        ("kill 4", [False], "no job 4 is running\n"),
        ("wire client-server off", [0], "no rule holds for client-server\n"),
        ("wire client-server off", ["killed"], "killed\n"),
        ("wire client-server drop bpf x", ["bpf 'x': syntax error"], "bpf 'x': syntax"),
        ("wire", ["killed"], "killed\n"),
        ("ladder", ["killed"], "killed\n"),
        ("klient a", [], "column 1: 'klient': no command and no host; did you mean 'client'?"),
    ],
)
def test_a_line_that_fails_is_counted(
    line: str, answers: list[object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert executed(Answers(*answers), [line]).failed_lines == 1
    assert capsys.readouterr().err.startswith(said)


def test_what_jobs_do_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(
        Job(1, 12, "client", None, b""),
        (Job(1, 12, "client", None, b"one\ntwo"),),
        (Job(1, 12, "client", 1, b""),),
        (Job(1, 12, "client", 1, b""),),
        (Job(1, 12, "client", 1, b""),),
    )
    session = executed(answers, ["client a 'b' &", "", "jobs"])
    assert session.failed_lines == 0
    assert capsys.readouterr().out.splitlines() == [
        "[1] 12",
        "[1] one",
        "[1] two",
        "[1] exit status 1: client a 'b'",
        "[1] exit status 1: client a 'b'",
    ]


def test_what_there_is_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    executed(Answers(), ["hosts", "links", "help"])
    out = capsys.readouterr().out
    assert "client/eth0 -- server/eth0, MTU 1500" in out
    assert "quit  " in out


def test_rules_are_set_listed_and_ended(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers("", (("client>server drop", 1), ("client-server up", 2)), 1)
    lines = ["wire client>server drop", "wire", "wire client-server off"]
    assert executed(answers, lines).failed_lines == 0
    assert capsys.readouterr().out.splitlines() == [
        "client>server drop  (1 frame)",
        "client-server up  (2 frames)",
    ]


def test_what_is_recorded_so_far_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    recording = load_recording(Path(__file__).parents[2] / "recordings" / "tcp4")
    executed(Answers(recording), ["ladder"])
    assert capsys.readouterr().out.startswith("drawn: Recording(")


def test_each_host_pings_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(Written(b"PING", False), Ended(0), Ended(1))
    assert executed(answers, ["pingall"]).failed_lines == 1
    assert [each.argv[-1] for each in answers.started] == ["198.51.100.2", "198.51.100.1"]
    shown = capsys.readouterr()
    assert shown.out.splitlines() == ["client -> server", "server -> X"]
    assert shown.err == "1 of 2 pings answered\n"


def test_where_there_is_no_ping_it_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    executed(Answers(Ended(127, "cannot be started: ping")), ["pingall"])
    assert capsys.readouterr() == ("", "cannot be started: ping\n")
