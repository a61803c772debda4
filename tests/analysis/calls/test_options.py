"""Options as values are those that people know by their names."""

from __future__ import annotations

import pytest
import step_edits as s
import trace_edits as t

from lab.analysis.assembly import build_timelines
from lab.analysis.calls import options
from lab.analysis.calls.constants import OPTIONS
from lab.analysis.calls.options import SO_LINGER, Option

NAMED = {name: each for name, each in vars(options).items() if isinstance(each, Option)}


@pytest.mark.parametrize("name", NAMED)
def test_an_option_has_the_number_of_its_name(name: str) -> None:
    assert OPTIONS[NAMED[name].level][NAMED[name].number] == name


def test_a_call_has_its_option_and_the_options_value() -> None:
    run = s.recording_of("traced-reset4")
    asked = t.call_of(run, "aborts", "setsockopt")
    (call,) = (
        each
        for timeline in build_timelines(run)
        for each in timeline.system_calls
        if each.program == "aborts" and each.entry_ns == asked.entry_ns
    )
    value = call.argument("optval")
    assert call.option == SO_LINGER
    assert value is not None
    assert value.value == asked.memory[0].data
    assert call.option_value == 1


def test_a_call_that_is_about_no_option_has_none() -> None:
    (timeline, *_) = build_timelines(s.recording_of("traced-reset4"))
    call = next(each for each in timeline.system_calls if each.name == "connect")
    assert (call.option, call.option_value) == (None, None)
