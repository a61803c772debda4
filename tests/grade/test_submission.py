from __future__ import annotations

from typing import Any

import pytest

from lab.errors import UsageError
from lab.grade.submission import JAVA, LANGUAGES, PYTHON, C, Language, Submission


def test_a_programs_file_is_called_as_its_language_has_it() -> None:
    assert PYTHON.file_name("echo_server") == "echo_server.py"
    assert C.file_name("echo_server") == "echo_server.c"
    assert JAVA.file_name("echo_server") == "EchoServer.java"
    assert JAVA.called("echo_server") == "EchoServer"


def test_all_languages_are_known_unless_some_are_named() -> None:
    assert Submission("x").known == tuple(LANGUAGES.values())
    rust = Language("Rust", (".rs",), "rustc -o {name} {main}", "./{name}")
    assert Submission("x", ("C", rust)).known == (C, rust)


def test_what_a_language_needs_is_read_from_its_commands() -> None:
    found = {each.name: each.tools for each in LANGUAGES.values()}
    assert found == {"Python": (), "C": ("cc",), "Java": ("javac", "java"), "Go": ("go",)}
    node = Language("JavaScript", (".js",), "", "node {main}", needs=("npm", "node"))
    assert node.tools == ("node", "npm")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": " "}, "which is none"),
        ({"ends": ".rs"}, r"write \('.rs',\)"),
        ({"ends": ("rs",)}, r"write \('.rs',\)"),
        ({"ends": ()}, "no ends"),
        ({"start": " "}, "no start"),
        ({"build": "rustc {source}"}, r"\{source\} .*did you mean 'sources'"),
        ({"start": "./{}"}, r"there are \{main\}"),
        ({"needs": "rustc"}, "give a tuple"),
    ],
)
def test_a_language_that_makes_no_sense_is_refused(options: dict[str, Any], said: str) -> None:
    usual = {"name": "Rust", "ends": (".rs",), "build": "rustc {main}", "start": "./{name}"}
    with pytest.raises(UsageError, match=said):
        Language(**{**usual, **options})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"program": "../x"}, "letters, digits"),
        ({"program": "x", "languages": ("Pyhton",)}, "did you mean 'Python'"),
        ({"program": "x", "languages": ()}, "no languages"),
        ({"program": "x", "languages": "C"}, "in a tuple"),
        ({"program": "x", "port": 80}, "from 1024"),
        ({"program": "x", "given": {"../y": b""}}, "of one part"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Submission(**options)
