"""What makes a conversation wait is in tests/kernel/programs; here what is no such wait."""

from __future__ import annotations

import pytest
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.find import find_causes

WAITS = {"nagle", "close-wait", "accept-queue-full"}


@pytest.mark.parametrize("name", ["traced-tcp4", "traced-tcp6", "traced-udp4", "relayed4"])
def test_an_ordinary_run_waits_for_nothing(name: str) -> None:
    for timeline in build_timelines(s.recording_of(name)):
        assert not WAITS & {cause.name for cause in find_causes(timeline)}
