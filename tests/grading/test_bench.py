from __future__ import annotations

from typing import Any

import pytest

from lab.errors import UsageError
from lab.grade.submission import Submission
from lab.grading.bench import SubmissionBench
from lab.model.allowed import Cell
from lab.testing.bench import Settings


def bench() -> SubmissionBench:
    wanted = Submission("echo_server", port=7777)
    command = "'{python}' echo_server.py"
    return SubmissionBench(Settings(trace="none"), wanted, command, Cell("/x"))


def test_a_submission_may_run_several_times_each_with_its_name() -> None:
    made = bench()
    assert made.port == 7777
    names = [made.submission(), made.submission(on="client"), made.submission(waits=False)]
    assert names == made.submissions == ["server", "client", "server-2"]
    assert [*made.awaited] == ["server", "client"]


@pytest.mark.parametrize("options", [{"client": "x"}, {"family": 6}, {"unix": "x"}, {"port": 1}])
def test_a_trials_run_is_of_what_was_said_before(options: dict[str, Any]) -> None:
    made = bench()
    made.submission()
    with pytest.raises(UsageError, match="a trial runs what"):
        made.run(**options)
    with pytest.raises(UsageError, match="the submission among them"):
        bench().run()
