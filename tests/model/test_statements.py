from __future__ import annotations

from lab.model.statements import STATEMENTS
from lab.scenario_files import builtin_scenarios, load_scenario


def test_every_statement_is_decided_by_some_scenario() -> None:
    decided = {
        statement
        for path in builtin_scenarios().values()
        for claim in load_scenario(path).claims
        for statement in claim.statements
    }
    assert {statement.id for statement in STATEMENTS} == decided


def test_statements_have_ids_of_their_own() -> None:
    ids = [statement.id for statement in STATEMENTS]
    assert len(set(ids)) == len(ids) == 20
