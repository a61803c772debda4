from __future__ import annotations

from dataclasses import replace

import pytest

from lab.errors import UsageError
from scenarios.tcp import SCENARIO
from scenarios.udp import SCENARIO as UDP


def test_a_lesson_rests_on_claims_of_its_scenario() -> None:
    with pytest.raises(UsageError, match="its lesson rests on the claim"):
        replace(SCENARIO, lesson=UDP.lesson)


def test_it_may_rest_on_one_that_the_scenario_lists_under_another_name() -> None:
    assert SCENARIO.lesson is not None
    renamed = tuple(claim.saying(claim.text, name=f"x-{claim.name}") for claim in SCENARIO.claims)
    assert replace(SCENARIO, claims=renamed).lesson is SCENARIO.lesson
