"""`wirelab quiz`: what is asked on standard output, and what is typed on standard input."""

from __future__ import annotations

import contextlib
import os
import subprocess

import pytest
import recorded as r
from outside import DEADLINE_S, command, environment, wirelab

pytestmark = pytest.mark.programs

RUN = str(r.FOLDER / "traced-tcp4")


def test_it_asks_answers_and_says_the_score() -> None:
    words = ("quiz", RUN, "--questions", "2", "--about", "flags", "--seed", "1")
    wrong = wirelab(*words, typed="RST\nRST\n")
    assert (wrong.returncode, wrong.stderr) == (0, "")
    assert wrong.stdout.count("\nNo: ") == 2
    assert "0 of 2 right" in wrong.stdout
    answers = [
        line.removeprefix("No: ").partition(".")[0]
        for line in wrong.stdout.splitlines()
        if line.startswith("No: ")
    ]
    right = wirelab(*words, typed="\n".join(answers) + "\n")
    assert right.stdout.count("\nRight. ") == 2
    assert "2 of 2 right" in right.stdout


def test_at_a_terminal_it_asks_again_for_what_can_be_no_answer() -> None:
    near, far = os.openpty()
    process = subprocess.Popen(
        command("quiz", RUN, "--questions", "1", "--about", "flags", "--seed", "1"),
        env=environment(TERM="dumb"),
        stdin=far,
        stdout=far,
        stderr=far,
    )
    os.close(far)
    seen = b""
    for keys in (b"\n", b"?\n", b"URG\n"):
        os.write(near, keys)
    # The terminal ends with its last program: reading fails then.
    with contextlib.suppress(OSError):
        while part := os.read(near, 4096):
            seen += part
    os.close(near)
    assert process.wait(DEADLINE_S) == 0
    assert seen.count(b"An answer here is the flags") == 2
    assert b"? says how an answer is written" in seen
    assert b"0 of 1 right" in seen


def test_the_end_of_the_input_is_the_end_of_the_quiz() -> None:
    done = wirelab("quiz", RUN, "--questions", "3", typed="x\n")
    assert done.returncode == 0
    assert "0 of 1 right" in done.stdout or "1 of 1 right" in done.stdout


def test_a_run_that_answers_nothing_is_refused() -> None:
    done = wirelab("quiz", str(r.FOLDER / "udp4"), typed="")
    assert done.returncode == 2
    assert "answer no question" in done.stderr
