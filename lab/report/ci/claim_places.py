"""Where claims are written: file and line, found in the sources that make them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path


def find_claims(sources: Iterable[Path]) -> dict[str, tuple[Path, int]]:
    """By claim id, the file and the line where `Claim("id", …` stands; the first, if in several.

    Only ids that are written out are found. A source that cannot be read has none.
    """
    places: dict[str, tuple[Path, int]] = {}
    for source in sources:
        try:
            tree = ast.parse(source.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (name := _claim_id(node)) is not None:
                places.setdefault(name, (source, node.lineno))
    return places


def _claim_id(node: ast.Call) -> str | None:
    """The id in a call of Claim; None in any other."""
    if not isinstance(node.func, ast.Name) or node.func.id != "Claim":
        return None
    by_name = [keyword.value for keyword in node.keywords if keyword.arg == "id"]
    first = next(iter([*node.args, *by_name]), None)
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    return None
