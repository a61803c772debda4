"""Memory that a kernel reads at the same time is written in one store."""

from __future__ import annotations

import ast

from house import FILES, nodes_of

TWICE = {"pack_into"}
"""It fills its bytes with zeros before it packs, and a zero is a value: "this slot is free"."""


def writes_twice(text: str) -> bool:
    # A text without such a name need not be parsed.
    named = any(name in text for name in TWICE)
    return named and any(isinstance(n, ast.Attribute) and n.attr in TWICE for n in nodes_of(text))


def test_no_module_of_the_lab_packs_into_memory() -> None:
    lab = {name: path for name, path in FILES.items() if name.startswith("lab.")}
    assert lab
    assert [name for name, path in lab.items() if writes_twice(path.read_text("utf-8"))] == []


def test_packing_into_memory_is_found() -> None:
    assert writes_twice("struct.Struct('=I').pack_into(ring, 0, 0)")
