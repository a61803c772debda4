"""A sheet for programs, and what was seen in its trials: made up, or judged from recordings."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, cast

from lab.grade.check import Check
from lab.grade.hints import give_hints
from lab.grade.judging import judge_trials
from lab.grade.mark import Grade
from lab.grade.misconception import Misconception
from lab.grade.seen import Blame, Seen, TrialFailure
from lab.grade.sheet import Sheet
from lab.grade.submission import Submission
from lab.grade.trial import Trial, trial
from lab.results import Result
from lab.run import judged

RECORDINGS = Path(__file__).parents[2] / "recordings"


@trial
def one_client(bench: object) -> None:
    """One client says something."""


@trial(family=6)
def over_ipv6(bench: object) -> None:
    """The same over IPv6."""


def echoes(seen: Seen) -> None:
    """What is sent comes back."""
    assert seen.value == b"hello", f"it got {seen.value!r}"


def is_refused(seen: Seen) -> bool:
    return seen.value == "refused"


def is_short(seen: Seen) -> str:
    return f"only {cast(Any, seen.value)!r} came" if seen.value in (b"h", b"he") else ""


LOOPBACK = Misconception(
    "binds-loopback", "Bind to all addresses.", is_refused, one_client, ("echo",), source="ip(7)"
)
ONE_RECV = Misconception("one-recv", "Receive until all is there.", is_short, one_client, ("echo",))
SHEET = Sheet(
    "An echo server",
    "One program.",
    (
        Check("echo", 2, echoes, of=one_client, hint="Send back what came."),
        Check("clean", 1, "no-reset", of=one_client, hint="Read all."),
        Check("ipv6", 1, echoes, of=over_ipv6, hint="Bind to ::."),
    ),
    submission=Submission("echo_server"),
    misconceptions=(LOOPBACK, ONE_RECV),
)


@cache
def run_of(recording: str) -> Result:
    """That recorded run, judged."""
    return judged(str(RECORDINGS / recording))


def seen_in(
    which: Trial,
    value: object,
    recording: str = "tcp4",
    *,
    blame: Blame | None = None,
    unmatched: tuple[str, ...] = (),
) -> Seen:
    """A trial that returned that, with a recorded run; or failed, by somebody's fault."""
    failure = None if blame is None else TrialFailure(blame, f"the {blame.value}'s fault")
    return Seen(which, run_of(recording), value, failure, unmatched=unmatched)


def looker(*values: object, **options: Any) -> Any:
    """What makes the two trials: they return these values, or both the only one."""
    made = {
        each.name: seen_in(each, value, **options)
        for each, value in zip((one_client, over_ipv6), values * 2, strict=False)
    }
    return lambda wanted: made[wanted.name]


def tried(student: str, value: object) -> Grade:
    """What is worth a program in whose trials that came."""
    look = looker(value)
    marks, faults = give_hints(SHEET, judge_trials(SHEET, look), look)
    return Grade(student, f"{student}.py", marks, faults=faults)
