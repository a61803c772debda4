"""The causes of calls are found by the calls' names and errors."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

import pytest
from failed_call import TIMELINE

from lab.analysis.calls.constants import ERRORS
from lab.analysis.causes.calls import (
    addresses,
    bind,
    ports,
    rights,
    sizes,
    streams,
    unfinished,
    unix_names,
    unix_queues,
    unreachable,
)
from lab.analysis.causes.calls.failed_calls import failed_calls
from lab.analysis.causes.calls.why import Why
from lab.analysis.causes.facts.step_facts import StepFacts
from lab.syscalls.table import CALLS

FAMILIES = (
    *(addresses, bind, ports, rights, sizes, streams),
    *(unfinished, unix_names, unix_queues, unreachable),
)


def table_of(family: ModuleType) -> Mapping[tuple[str, str], Why]:
    found: Mapping[tuple[str, str], Why] = family.WHY
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_about_calls_and_errors_that_there_are(family: ModuleType) -> None:
    for name, error in table_of(family):
        assert name in CALLS
        assert error in ERRORS.values()


def test_where_no_call_fails_there_is_no_cause() -> None:
    assert not [*failed_calls(StepFacts(TIMELINE))]
