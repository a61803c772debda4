from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from handed_in import RIGHT, WRONG, hand_in
from trial_clients import dies, is_mistaken, listens_for_long, loops, meets, says, waits_for_ever

import lab.run
from lab.errors import KernelRefused
from lab.grade.check import Check
from lab.grade.judging import judge_trials
from lab.grade.seen import Blame, Seen
from lab.grade.sheet import Sheet
from lab.grade.submission import Submission
from lab.grade.trial import Trial, trial
from lab.grading.building import make_ready
from lab.grading.trials import MOST_ATTEMPTS, Trials
from lab.model.allowed import Cell, Limits

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]

ECHO = Submission("echo_server")


def trials(folder: Path, program: str = RIGHT) -> Trials:
    hand_in(folder / "up", echo_server=program)
    ready = make_ready(ECHO, folder / "up")
    return Trials(ECHO, ready.command, Cell(str(ready.folder)), nullcontext)


def made(make: Callable[[Any], object], name: str = "one") -> Trial:
    make.__doc__ = "What is tried."
    return trial(name=name)(make)


def with_client(client: Callable[..., object], *rules: str) -> Trial:
    def make(bench: Any) -> object:
        bench.submission()
        for rule in rules:
            bench.wire.rule(rule)
        called = bench.python(client, "{server}", bench.port)
        bench.run()
        return called.value

    return made(make)


def blamed(seen: Seen) -> tuple[Blame, str]:
    assert seen.failed is not None
    return seen.failed.blame, seen.failed.why


def test_a_trial_is_made_once(tmp_path: Path) -> None:
    times = []

    def make(bench: Any) -> object:
        times.append(bench)
        bench.submission()
        called = bench.python(says, "{server} {server4} {server6} {port}")
        bench.run()
        return called.value

    each, one = trials(tmp_path), made(make)
    seen = each(one)
    assert seen.failed is None
    assert seen.value == "198.51.100.2 198.51.100.2 2001:db8::2 4242"
    assert each(one) is seen and len(times) == 1 and each.made() == [seen]
    assert [run.name for run in seen.submissions] == ["server"]
    assert not [*(tmp_path / "runs").rglob("*.pcapng")]


def test_what_a_client_meets_is_the_submissions_doing(tmp_path: Path) -> None:
    blame, why = blamed(trials(tmp_path, WRONG["loopback"])(with_client(meets)))
    assert blame is Blame.SUBMISSION
    assert why == "who tried it met ConnectionRefusedError: [Errno 111] Connection refused"


def test_a_clients_own_mistake_is_the_sheets(tmp_path: Path) -> None:
    seen = trials(tmp_path)(with_client(is_mistaken))
    assert blamed(seen) == (
        Blame.SHEET, "a function of the trial failed itself: KeyError: '198.51.100.2'",
    )  # fmt: skip


def test_a_trial_that_makes_no_sense_is_the_sheets_fault(tmp_path: Path) -> None:
    each = trials(tmp_path)

    def makes_none(bench: Any) -> None:
        bench.submission()

    def makes_two(bench: Any) -> None:
        bench.submission()
        bench.python(says, "x")
        bench.run()
        bench.run()

    def has_none(bench: Any) -> None:
        bench.python(says, "x")
        bench.run()

    def fails(bench: Any) -> None:
        raise KeyError("x")

    said = [
        ("never called bench.run()", makes_none),
        ("a trial makes one run", makes_two),
        ("the submission among them", has_none),
        ("the trial failed itself: KeyError", fails),
    ]
    for number, (part, make) in enumerate(said):
        blame, why = blamed(each(made(make, f"t-{number}")))
        assert blame is Blame.SHEET and part in why


def test_a_rule_that_struck_nothing_is_told_and_what_was_seen_is_decided(tmp_path: Path) -> None:
    seen = trials(tmp_path)(with_client(meets, "client>server drop udp 1"))
    assert seen.failed is None
    assert seen.unmatched == ("the wire rule 'client>server drop udp 1' matched no frame",)
    seen.run.tcp().handshake()


def test_whether_it_listens_is_seen_in_each_trial_anew(tmp_path: Path) -> None:
    """In one its port is taken: that says nothing of another."""
    holds = (
        "python3 -c 'import socket, time; s = socket.create_server((\"\", 4242)); time.sleep(9)'"
    )

    def taken(bench: Any) -> object:
        bench.start(holds.replace("python3", "{python}"), name="first", waits=True, port=4242)
        bench.submission()
        called = bench.python(says, "x")
        bench.run()
        return called.value

    each = trials(tmp_path)
    first, second = each(made(taken, "taken")), each(made(with_client(meets).make, "free"))
    assert first.refused and not second.refused
    assert second.failed is None


STARTS = ("dies", "loops", "stays")
OF_EACH = (
    """
import socket, sys
if sys.argv[2] == "dies":
    sys.exit("I die")
while sys.argv[2] == "loops":
    pass
"""
    + RIGHT
)


def test_of_several_starts_each_is_tried_and_only_its_own_checks_fail(tmp_path: Path) -> None:
    def make(bench: Any) -> object:
        for number, name in enumerate(STARTS):
            words = f"{5000 + number} {name}"
            bench.submission(words, name=name, listens_within_s=1.0 if name == "loops" else 20.0)
        called = bench.python(meets, "{server}", 5002)
        bench.run()
        return called.value

    def expects(seen: Seen) -> None:
        """It is reached."""
        assert seen.value is None

    each, one = trials(tmp_path, OF_EACH), made(make)
    seen = each(one)
    assert seen.failed is None and seen.refused
    assert [*seen.unreached] == ["dies", "loops"]
    checks = [Check(name, 1, expects, of=one, about=name) for name in STARTS]
    sheet = Sheet("t", "h", (*checks, Check("all", 1, expects, of=one)), submission=ECHO)
    dies, loops, stays, of_all = judge_trials(sheet, each)
    assert dies.why == "the program dies exited with status 1; its stderr ends: I die"
    assert re.fullmatch(
        r"the program loops never listened on any TCP or UDP port within 1 s: it is at work, and "
        r"has taken \d+\.\d s of the processor's time; it wrote nothing to stderr",
        loops.why,
    )
    assert not dies.was_tried and not loops.was_tried and stays.passed
    assert of_all.why == dies.why
    misnamed = Sheet(
        "t", "h", (Check("other", 1, expects, of=one, about="other"),), submission=ECHO
    )
    (other,) = judge_trials(misnamed, each)
    assert other.is_sheets_fault and "about the start 'other', and its trial has " in other.why


def test_a_client_is_told_when_nothing_can_come_any_more(tmp_path: Path) -> None:
    """Of a server that waits for it to speak nothing will; one that pauses will go on."""
    seen = trials(tmp_path / "waits")(with_client(listens_for_long))
    assert seen.value == (False, True)
    pause = "        time.sleep(1)\n        connection.sendall(b'x')\n"
    pauses = RIGHT.replace("import socket", "import time, socket").replace(
        "        while data", f"{pause}        while data"
    )
    seen = trials(tmp_path / "pauses", pauses)(with_client(listens_for_long))
    assert seen.value == (True, False)


def test_a_function_that_never_ends_or_dies_is_the_sheets_fault(tmp_path: Path) -> None:
    each = trials(tmp_path)
    for number, (function, deadline_s, part) in enumerate(
        [
            (loops, 4.0, "TakesTooLong: more than 1 s of the processor's time"),
            (waits_for_ever, 1.0, "did not come to its end"),
            (dies, 1.0, "did not come to its end"),
        ]
    ):

        def make(bench: Any, function: Any = function, deadline_s: float = deadline_s) -> object:
            bench.submission()
            called = bench.python(function, "{server}", bench.port, deadline_s=deadline_s)
            bench.run()
            return called.value

        blame, why = blamed(each(made(make, f"t-{number}")))
        assert blame is Blame.SHEET, why
        # Where it is given no processor its deadline comes first.
        assert part in why or "did not come to its end: had not ended" in why


def test_more_files_than_a_program_may_have_are_its_own_fault(tmp_path: Path) -> None:
    hand_in(tmp_path / "up", echo_server=RIGHT)
    ready = make_ready(ECHO, tmp_path / "up")
    (ready.folder / "built").write_bytes(bytes(3 << 20))
    cell = Cell(str(ready.folder), Limits(disk_mib=2))
    each = Trials(ECHO, ready.command, cell, nullcontext)
    blame, why = blamed(each(with_client(meets)))
    assert blame is Blame.SUBMISSION
    assert "2 MiB (its limit disk_mib)" in why
    assert str(tmp_path) not in why


def test_what_the_lab_cannot_do_is_tried_again_and_then_its_own_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refusals = lab.run.run_scenario, iter(range(MOST_ATTEMPTS - 1))

    def busy(*given: Any, **options: Any) -> object:
        for _ in refusals:
            raise KernelRefused("no memory just now")
        return real(*given, **options)

    monkeypatch.setattr(lab.run, "run_scenario", busy)
    assert trials(tmp_path / "a")(with_client(meets)).failed is None
    refusals = iter(range(MOST_ATTEMPTS))
    blame, why = blamed(trials(tmp_path / "b")(with_client(meets)))
    assert (blame, why) == (Blame.LAB, "no memory just now")


def test_whoever_sends_more_than_can_be_captured_is_to_blame(tmp_path: Path) -> None:
    """Whether frames are lost by that or not: the run is not made again."""
    flood = RIGHT.replace(
        "while True:",
        "flood = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "flood.bind(('127.0.0.1', 0))\n"
        "while True: flood.sendto(bytes(60000), flood.getsockname())\n"
        "while True:",
        1,
    )
    hand_in(tmp_path / "up", echo_server=flood)
    ready = make_ready(ECHO, tmp_path / "up")
    cell = Cell(str(ready.folder), Limits(captured_mib=2))
    runs: list[object] = []

    def make(bench: Any) -> object:
        runs.append(bench)
        bench.submission()
        called = bench.python(meets, "{server}", bench.port)
        bench.run()
        return called.value

    seen = Trials(ECHO, ready.command, cell, nullcontext)(made(make))
    blame, _ = blamed(seen)
    assert blame is Blame.SUBMISSION
    assert len(runs) == 1
