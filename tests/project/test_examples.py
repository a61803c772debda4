"""How many examples a property is tried with is said in one place, and CI tries them all."""

from __future__ import annotations

import ast

import pytest
from examples import EVERYDAY, FULL, examples
from house import ROOT, nodes_of
from hypothesis import settings

FILES = sorted((ROOT / "tests").rglob("*.py"))


def numbers_said(text: str) -> list[int]:
    """The lines where settings are made that say how many examples."""
    return [
        node.lineno
        for node in nodes_of(text)
        if isinstance(node, ast.Call) and any(word.arg == "max_examples" for word in node.keywords)
    ]


def test_no_property_says_its_number_but_by_examples() -> None:
    texts = ((path.name, path.read_text("utf-8")) for path in FILES)
    said = [name for name, text in texts if "max_examples" in text and numbers_said(text)]
    assert said == ["examples.py"]


def test_a_number_of_its_own_is_found() -> None:
    assert numbers_said("from hypothesis import settings\n@settings(max_examples=3)\ndef f(): 0")


@pytest.mark.parametrize(("full", "everyday"), [(300, 30), (100, 10), (15, 5), (3, 3)])
def test_a_tenth_is_tried_everyday_but_never_the_simplest_alone(full: int, everyday: int) -> None:
    before = settings.get_current_profile_name()
    try:
        settings.load_profile(EVERYDAY)
        assert examples(full).max_examples == everyday
        settings.load_profile(FULL)
        assert examples(full).max_examples == full
    finally:
        settings.load_profile(before)


def test_neither_profile_keeps_examples_or_counts_the_time_of_one() -> None:
    for name in (EVERYDAY, FULL):
        profile = settings.get_profile(name)
        assert profile.database is None and profile.deadline is None


def test_what_ci_runs_tries_all() -> None:
    text = (ROOT / "tests/run").read_text("utf-8")
    calls = [line for line in text.splitlines() if "-m pytest" in line]
    assert calls and all(f"--hypothesis-profile={FULL}" in line for line in calls)
