"""The kinds of causes: all that the code names, no other, and docs/causes.md has their tables."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from house import ROOT

from lab.analysis.causes.catalogue import CAUSE_KINDS, SUBJECTS, CauseKind

CODE = ROOT / "lab" / "analysis" / "causes"
PAGE = (ROOT / "docs" / "causes.md").read_text("utf-8")
ONE_WORD = {"corked", "nagle"}
"""Names without a hyphen: whatever else is one word in the code is no name."""


def constants() -> Iterator[str]:
    for file in sorted(CODE.rglob("*.py")):
        if file.name == "catalogue.py":
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def row(kind: CauseKind) -> str:
    more = f" ([{kind.page}]({kind.page}))" if kind.page else ""
    return f"| `{kind.name}` | {kind.means}{more} | {kind.source} |"


def test_it_has_every_name_that_the_code_gives_and_no_other() -> None:
    found = list(constants())
    named = {each for each in found if re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", each)}
    assert set(found) >= ONE_WORD
    assert set(CAUSE_KINDS) == named | ONE_WORD


def test_no_name_is_there_twice() -> None:
    assert len(CAUSE_KINDS) == sum(map(len, SUBJECTS.values()))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_page_has_its_table(subject: str) -> None:
    section = PAGE.partition(f"\n## {subject}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert rows == list(map(row, SUBJECTS[subject]))


@pytest.mark.parametrize("kind", CAUSE_KINDS.values(), ids=list(CAUSE_KINDS))
def test_a_question_asks_and_no_two_are_the_same(kind: CauseKind) -> None:
    assert kind.question.endswith("?")
    assert kind.name not in kind.question
    assert [each.question for each in CAUSE_KINDS.values()].count(kind.question) == 1
