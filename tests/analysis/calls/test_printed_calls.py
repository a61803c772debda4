from __future__ import annotations

import pytest
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.calls.printed_calls import pair_printed
from lab.analysis.calls.system_call import SystemCall
from lab.analysis.calls.transcript import PrintedCall


def calls_of(name: str, program: str) -> tuple[tuple[PrintedCall, ...], list[SystemCall]]:
    (timeline, *_) = build_timelines(s.recording_of(name))
    traced = [call for call in timeline.system_calls if call.program == program]
    return timeline.calls[program], traced


@pytest.mark.parametrize("program", ["client", "server"])
def test_each_printed_call_has_its_traced_one_in_order(program: str) -> None:
    printed, traced = calls_of("traced-tcp4", program)
    pairs = list(pair_printed(printed, traced))
    assert [call for call, _ in pairs] == list(printed)
    found = [same for _, same in pairs if same is not None]
    assert len(found) == len(printed)
    assert found == sorted(found, key=lambda call: call.id.number)
    assert [call.result for call, _ in pairs] == [call.result for call in found]


def test_a_call_that_was_not_traced_has_none_and_those_after_it_have() -> None:
    printed, traced = calls_of("traced-tcp4", "client")
    missing = [call for call in traced if call.name != "connect"]
    pairs = list(pair_printed(printed, missing))
    assert [call.name for call, same in pairs if same is None] == ["connect"]


def test_nothing_is_traced_of_an_untraced_run() -> None:
    printed, traced = calls_of("tcp4", "client")
    assert traced == []
    assert [same for _, same in pair_printed(printed, traced)] == [None] * len(printed)
