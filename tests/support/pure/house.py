"""The house as its files stand: which room each module is in, and what it imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in ("lab", "scenarios")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
"""Every module of lab and scenarios by its dotted name."""

_ROW = re.compile(r"^\| `([\w/]+)` \| ([^|]+) \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)
_NAME = re.compile(r"`([\w/]+)`")


def room_of(module: str) -> str:
    """The folder of a module, or the module itself where it stands at the root of lab.

    "lab.analysis.tcp.state" is in "analysis/tcp", "lab.run" in "run"; all of scenarios/ but its
    demos is in "scenarios".
    """
    parts = module.split(".")
    if parts[0] == "scenarios":
        return "/".join(parts[:2]) if parts[1:2] == ["demos"] else "scenarios"
    is_folder = FILES[module].name == "__init__.py"
    inner = parts[1:] if is_folder else parts[1:-1]
    return "/".join(inner) or parts[-1]


@cache
def tree_of(text: str) -> ast.Module:
    """A module's syntax tree, which several rules are about."""
    return ast.parse(text)


@cache
def nodes_of(text: str) -> tuple[ast.AST, ...]:
    """All of that tree."""
    return tuple(ast.walk(tree_of(text)))


@cache
def imports_of(text: str, package: str = "") -> tuple[str, ...]:
    """Every module that a text imports: anywhere in it, and by name too.

    `from a import b` may be the module a.b or a name in a: it counts as "a.b".
    """
    found: list[str] = []
    for node in nodes_of(text):
        match node:
            case ast.Import(names):
                found += (alias.name for alias in names)
            case ast.ImportFrom(module, names, level):
                above = package.split(".")[: 1 - level or None] if level else []
                base = ".".join([*above, *([module] if module else [])])
                found += (f"{base}.{alias.name}" for alias in names)
            case ast.Call(ast.Name("import_module" | "__import__"), [ast.Constant(str(name)), *_]):
                found.append(name)
            case ast.Call(ast.Attribute(_, "import_module"), [ast.Constant(str(name)), *_]):
                found.append(name)
    return tuple(found)


def package_of(module: str) -> str:
    """What a relative import in the module is relative to."""
    is_folder = module in FILES and FILES[module].name == "__init__.py"
    return module if is_folder else module.rpartition(".")[0]


def module_of(imported: str) -> str | None:
    """The module of the house that an import is of, or None if it is of no such module."""
    while imported and imported not in FILES:
        imported = imported.rpartition(".")[0]
    return imported or None


class ImportTable:
    """The table in ARCHITECTURE.md: for each room what it may import."""

    def __init__(self, text: str) -> None:
        self.rooms: Mapping[str, tuple[str, ...]] = {}
        """By room, the rooms that it names; a folder stands for those beneath it too."""
        self.packages: Mapping[str, tuple[str, ...]] = {}
        """By room, the packages from outside the standard library."""
        rows = _ROW.findall(text)
        self.rooms = {room: tuple(_NAME.findall(rooms)) for room, _, rooms, _ in rows}
        self.packages = {room: tuple(_NAME.findall(others)) for room, _, _, others in rows}

    def allows(self, room: str, target: str) -> bool:
        """Whether a module of one room may import from another."""
        return room == target or any(_is_in(target, named) for named in self.rooms[room])

    def unused(self, room: str, targets: set[str]) -> list[str]:
        """What the row of a room names though nothing of it is imported there."""
        return [n for n in self.rooms[room] if not any(_is_in(target, n) for target in targets)]


def _is_in(room: str, named: str) -> bool:
    return room == named or room.startswith(f"{named}/")
