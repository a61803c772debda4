"""What makes a scenario readable from top to bottom by somebody who is learning."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from lab.model.family import Family
from lab.model.scenario import Scenario
from lab.model.statements import STATEMENTS
from lab.scenario_files import builtin_scenarios

FOLDER = Path(__file__).parents[2] / "scenarios"
SCENARIOS = sorted(path for path in FOLDER.rglob("[!_]*.py") if path.parent != FOLDER / "demos")
DEMOS = sorted((FOLDER / "demos").glob("[!_]*.py"))
MOST_LINES = 200
BRANCHES = (ast.For, ast.While, ast.If, ast.Try, ast.With, ast.ClassDef, ast.Lambda)


def loaded(path: Path) -> Scenario:
    parts = path.relative_to(FOLDER.parent).with_suffix("").parts
    scenario = importlib.import_module(".".join(parts)).SCENARIO
    assert isinstance(scenario, Scenario)
    return scenario


def test_there_are_scenarios_and_demos() -> None:
    assert {path.absolute() for path in builtin_scenarios().values()} == set(SCENARIOS)
    assert DEMOS


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_is_named_after_its_file_and_summed_up_in_a_line(path: Path) -> None:
    scenario = loaded(path)
    assert scenario.name == path.stem.replace("_", "-")
    assert 10 < len(scenario.summary) <= 78
    assert not scenario.summary.endswith(".")


def test_the_page_of_scenarios_has_each_with_its_question() -> None:
    page = (FOLDER.parent / "docs" / "lessons.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| [`")]
    asked = [(each.name, each.lesson) for each in map(loaded, SCENARIOS)]
    wanted = [
        f"| [`{name}`](lessons/{name}.md) | {lesson.question} |" for name, lesson in asked if lesson
    ]
    assert sorted(rows) == sorted(wanted)
    assert len(wanted) == len(SCENARIOS)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_only_states(path: Path) -> None:
    """It has values; whatever decides or repeats is in the lab, or in a check of its own."""
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree)
    outside = [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
    deciding = [n.lineno for top in outside for n in ast.walk(top) if isinstance(n, BRANCHES)]
    assert deciding == []


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_claim_is_a_sentence_with_a_source(path: Path) -> None:
    for claim in loaded(path).claims:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", claim.id)
        # The name of a call keeps its case: "accept() returns after ...".
        assert re.fullmatch(r"([A-Z]|[a-z0-9_]+\(\)).*\.", claim.text)
        assert set(claim.statements) <= {statement.id for statement in STATEMENTS}
        assert re.search(r"RFC \d+|\w+\(\d\)|IEEE|IANA|kernel", claim.source), claim.source


def test_a_scenario_is_short() -> None:
    lines = {path.stem: len(path.read_text("utf-8").splitlines()) for path in SCENARIOS}
    assert lines["tcp"] <= 60
    assert max(lines.values()) <= 130


def test_no_two_scenarios_have_a_claim_of_the_same_name() -> None:
    claims = [claim.id for path in SCENARIOS for claim in loaded(path).claims]
    assert len(set(claims)) == len(claims)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_program_expands_and_its_demo_exists(path: Path) -> None:
    scenario = loaded(path)
    for family in Family:
        placeholders = scenario.placeholders(family, "python3")
        for step in scenario.expanded_steps(placeholders):
            for program in step.programs:
                demos = [word for word in program.argv if word.endswith(".py")]
                assert all(Path(word).is_file() for word in demos), program.argv


@pytest.mark.parametrize("path", DEMOS, ids=lambda path: path.stem)
def test_a_demo_says_how_to_run_it_and_is_short(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert "python3" in (ast.get_docstring(tree) or "")
    assert len(text.splitlines()) <= MOST_LINES
    assert text.isascii()


def test_every_demo_has_a_part_in_a_scenario() -> None:
    used = {
        Path(word).name
        for path in SCENARIOS
        for step in loaded(path).steps
        for program in step.programs
        for word in program.argv
    }
    assert {path.name for path in DEMOS} <= used
