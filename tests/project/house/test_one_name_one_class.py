"""A public class, or a name that a module gives a type, is one idea: no other module has it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping

from house import FILES, tree_of


def names_in(text: str) -> Iterator[str]:
    """The public classes of a module, and the names that it gives to types.

    A name that is made by an assignment is a type's where it is written as classes are.
    """
    statements = list(tree_of(text).body)
    for statement in statements:
        match statement:
            case ast.If(_, body):
                statements += body
            case ast.ClassDef(name):
                yield from _public(name)
            case ast.Assign([ast.Name(name)]) | ast.AnnAssign(ast.Name(name)):
                if not name.isupper():
                    yield from _public(name)


def _public(name: str) -> Iterator[str]:
    if name[0].isupper():
        yield name


def shared(texts: Mapping[str, str]) -> dict[str, set[str]]:
    """The names that several modules have, with those modules."""
    modules: defaultdict[str, set[str]] = defaultdict(set)
    for module, text in texts.items():
        for name in names_in(text):
            modules[name].add(module)
    return {name: where for name, where in modules.items() if len(where) > 1}


def test_no_two_modules_have_a_public_class_of_one_name() -> None:
    lab = {name: path for name, path in FILES.items() if name.partition(".")[0] == "lab"}
    assert shared({name: path.read_text("utf-8") for name, path in lab.items()}) == {}


def test_two_of_one_name_are_found() -> None:
    texts = {
        "a": "class Endpoint: ...\nclass _Life: ...\nLIMIT = 3\nT = TypeVar('T')",
        "b": "if TYPE_CHECKING:\n    Endpoint = tuple[str, int]\nclass _Life: ...\nLIMIT = 4",
        "c": "Way: TypeAlias = str\nclass Other: ...",
        "d": "class Way: ...\nfrom a import Endpoint",
    }
    assert shared(texts) == {"Endpoint": {"a", "b"}, "Way": {"c", "d"}}
