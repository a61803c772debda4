from __future__ import annotations

import pytest
import traced_programs

from lab.kernel.sandbox.sandbox import open_sandbox
from lab.records import InstrumentKind

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("needs_tracefs")]


def test_a_collector_that_is_not_wanted_after_all_is_ended() -> None:
    """Else it would be told of as a process that a program has left behind."""
    with open_sandbox() as sandbox:
        instrument, others = sandbox.call(traced_programs.others_when_refused)
    assert (instrument.kind, instrument.slack_ns) == (InstrumentKind.CALLS, 20_000)
    assert not others
