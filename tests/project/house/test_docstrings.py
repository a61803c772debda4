"""Docstrings are in plain English: what is known, and to whom, is said in the active voice."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from house import ROOT, nodes_of

_OPAQUE = re.compile(r"\btold\b|\b(?:is|are) not known\b")
_HAVE_DOCSTRINGS = ("lab", "scenarios", "sheets", "site_pages", "tests")


def docstrings(file: Path) -> list[str]:
    """Those of modules, classes and functions, and those beneath fields."""
    return [
        node.value.value
        for node in nodes_of(file.read_text("utf-8"))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]


def test_docstrings_say_it_in_other_words() -> None:
    files = [file for folder in _HAVE_DOCSTRINGS for file in sorted((ROOT / folder).rglob("*.py"))]
    assert len(files) > 1_000
    suspects = [file for file in files if _OPAQUE.search(file.read_text("utf-8"))]
    found = [(str(file.relative_to(ROOT)), text) for file in suspects for text in docstrings(file)]
    assert [each for each in found if _OPAQUE.search(each[1])] == []


def test_those_words_are_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('told = 1\n"""Who was told."""\n', "utf-8")
    assert [bool(_OPAQUE.search(text)) for text in docstrings(module)] == [True]
