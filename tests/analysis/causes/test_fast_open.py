"""Openings that were to be fast; tests/kernel/causes has the programs that show each cause."""

from __future__ import annotations

from dataclasses import replace

import pytest
import step_edits as s
import trace_edits as t
from failed_call import TCP, found

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.step_facts import StepFacts
from lab.analysis.causes.fast_open import slow_openings
from lab.records import Syscall

MSG_FASTOPEN = 0x20000000


@pytest.mark.parametrize("name", ["traced-tcp4", "traced-tcp6", "tcp4", "traced-calls4"])
def test_who_asks_for_no_fast_opening_misses_none(name: str) -> None:
    for timeline in build_timelines(s.recording_of(name)):
        assert not [*slow_openings(StepFacts(timeline))]


def test_where_the_syn_asks_for_no_cookie_nothing_is_known() -> None:
    """The kernel may have tcp_fastopen off, and then it says nothing of it."""

    def asks(call: Syscall) -> Syscall:
        *others, flags, place, length = call.arguments
        return replace(call, arguments=(*others, flags | MSG_FASTOPEN, place, length))

    causes = found(t.changed("client", "sendto", asks)(TCP))
    assert not [name for name in causes if name in ("fast-open-no-cookie", "fast-open-not-granted")]
