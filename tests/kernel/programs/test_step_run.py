from __future__ import annotations

import time
from dataclasses import replace

import pytest
from outside import wait_until_gone
from step_programs import HANG, READY, failure, python, run

from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.program import DEADLINE_S, Program

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]


def test_the_next_program_starts_once_the_one_before_is_ready(sandbox: Sandbox) -> None:
    pause = "import select; select.select([], [], [], 0.1)\n"
    first, second = run(
        sandbox, python(pause + READY, "first", ready=True), python("", "second")
    ).programs
    assert first.ready_ns is not None
    assert first.started_ns + 100_000_000 <= first.ready_ns <= second.started_ns


def test_a_program_that_ends_at_its_checkpoint_does_no_harm(
    sandbox: Sandbox,
) -> None:
    """What it leaves unread in its socket makes the lab's end meet ECONNRESET."""
    code = (
        "import os, select\n"
        "checkpoint = int(os.environ['CHECKPOINT_FD'])\nos.write(checkpoint, b'now\\n')\n"
        "select.select([checkpoint], [], [])\nprint('ended')\n"
    )
    recording = run(sandbox, replace(python(code), has_checkpoints=True))
    assert [one.stdout for one in recording.programs] == ["ended\n"]


def test_of_programs_that_wait_for_each_other_each_is_reported(marker: str) -> None:
    code = "import sys; print({!r}, file=sys.stderr, flush=True)\n" + HANG
    message = failure(
        marker,
        python(READY + code.format("other"), "other", ready=True),
        python(code.format("one"), "one", deadline_s=0.5),
    )
    other, one = message.splitlines()
    assert one.startswith("program one ")
    assert one.endswith("had not ended 0.5 s after its start; its stderr ends: one")
    assert other.startswith("program other ")
    assert other.endswith("; its stderr ends: other")


CLOSE_READY = "import os; os.close(int(os.environ['READY_FD']))\n"


@pytest.mark.parametrize(
    "code", [CLOSE_READY + HANG, "", "raise SystemExit(0)"], ids=["closes it", "ends", "exits"]
)
def test_a_program_that_can_no_longer_become_ready(marker: str, code: str) -> None:
    began = time.monotonic()
    message = failure(marker, python(code, ready=True))
    assert "never became ready: it wrote nothing to READY_FD" in message
    assert time.monotonic() - began < DEADLINE_S


def test_a_program_that_hangs_before_it_is_ready(marker: str) -> None:
    message = failure(marker, python(HANG, ready=True, deadline_s=0.5))
    assert "never became ready: 0.5 s after its start" in message


@pytest.mark.parametrize("_", range(5))
def test_a_program_that_fails_before_it_is_ready_is_reported_with_its_failure(
    marker: str, _: int
) -> None:
    message = failure(marker, python("raise SystemExit('no such address')", ready=True))
    assert message.startswith("program it exited")
    assert message.endswith("exited with status 1; its stderr ends: no such address")


def test_a_program_that_was_ready_and_hangs(marker: str) -> None:
    message = failure(marker, python(READY + HANG, ready=True, deadline_s=0.5))
    assert "had not ended 0.5 s after its start" in message


def test_a_program_that_fails_after_it_was_ready(marker: str) -> None:
    code = READY + "raise SystemExit(7)"
    message = failure(marker, python(HANG, "other", host="server"), python(code, ready=True))
    other, it = message.splitlines()
    assert other.startswith("program other was ended 2 s after it had failed")
    assert it.startswith("program it exited with status 7")


def test_a_program_may_fail_without_the_others_being_ended(marker: str) -> None:
    fails = replace(python(READY + "raise SystemExit(7)", ready=True), ends_others=False)
    waits = python("import select; select.select([], [], [], 3)", "other", host="server")
    assert failure(marker, waits, fails).startswith("program it exited with status 7")


def test_what_waits_for_a_program_that_failed_is_not_started(
    marker: str,
) -> None:
    dies = python("raise SystemExit(1)", "dies", ready=True)
    message = failure(marker, dies, python("print('started')", "next"))
    first, second = message.splitlines()
    assert first.startswith("program dies exited with status 1")
    assert second == "program next was not started, since dies never became ready"


def test_a_program_that_cannot_be_started_keeps_those_that_need_it_from_starting(
    marker: str,
) -> None:
    absent = Program("absent", "server", ("/no/such/program",), signals_ready=True)
    message = failure(marker, absent, python("print('started')", "next"))
    assert message.splitlines()[1].startswith("program next was not started, since absent cannot")


def test_a_failing_program_leaves_no_child_behind(marker: str) -> None:
    code = "import os\nif os.fork() == 0:\n os.setsid()\n " + HANG + "raise SystemExit(3)"
    assert "exited with status 3" in failure(marker, python(code))
    wait_until_gone(marker)
