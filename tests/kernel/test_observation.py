from __future__ import annotations

import pytest
from step_programs import python

from lab.kernel.plan import Plan
from lab.kernel.recorder import record
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.family import Family
from lab.model.program import Step
from lab.model.topology import two_hosts

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]


def test_the_steps_after_one_that_failed_are_run(sandbox: Sandbox) -> None:
    steps = (
        Step("bad", (python("raise SystemExit(1)", "bad"),)),
        Step("good", (python("print('here')", "good"),)),
    )
    recording = sandbox.call(record, Plan("t", Family.IPV4, two_hosts(), steps))
    bad, good = recording.programs
    assert bad.failure
    assert (good.stdout, good.failure) == ("here\n", "")
    assert {canary.step for canary in recording.canaries} == {"bad", "good"}
