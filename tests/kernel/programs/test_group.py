"""What becomes of programs that run at the same time, whoever starts them."""

from __future__ import annotations

import pytest
from step_programs import python, run

from lab.kernel.sandbox.sandbox import Sandbox

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]

LEAVE = """
import os, time
if os.fork() == 0:
    os.close(1)
    os.close(2)
    {detached}
    time.sleep(99)
"""


@pytest.mark.parametrize("detached", ["", "os.setsid()"])
def test_a_process_that_is_left_running_is_said_and_ended(sandbox: Sandbox, detached: str) -> None:
    (left,) = run(sandbox, python(LEAVE.format(detached=detached))).programs
    assert left.remark == "exited with status 0 while processes that it had started went on"


def test_the_records_are_in_the_order_of_the_start(sandbox: Sandbox) -> None:
    programs = [python(f"print({number})", f"p{number}") for number in range(3)]
    assert [each.stdout for each in run(sandbox, *programs).programs] == ["0\n", "1\n", "2\n"]
