from __future__ import annotations

from pathlib import Path

import pytest

from lab.kernel.source.command import PythonCommand, python_command


@pytest.mark.parametrize(
    ("command", "interpreter", "kind", "program", "arguments"),
    [
        ("python3 a.py", "python3", "script", "a.py", ""),
        ("/usr/bin/python3.12 -IS a.py -c 1", "/usr/bin/python3.12 -IS", "script", "a.py", "-c 1"),
        ("python -W ignore -Wall -X dev -u a.py", "python -W ignore -Wall -X dev -u", "script",
         "a.py", ""),
        ("python3.13t -Im http.server 80", "python3.13t -I", "module", "http.server", "80"),
        ("python3 -mhttp.server", "python3", "module", "http.server", ""),
        ("python3 -c pass -m x", "python3", "command", "pass", "-m x"),
        ("python3 -Bcpass x", "python3 -B", "command", "pass", "x"),
        ("python3 --check-hash-based-pycs always a.py", "python3 --check-hash-based-pycs always",
         "script", "a.py", ""),
    ],
)  # fmt: skip
def test_a_python_command_is_taken_apart_as_the_interpreter_does(
    command: str, interpreter: str, kind: str, program: str, arguments: str
) -> None:
    found = python_command(command.split())
    assert isinstance(found, PythonCommand)
    assert " ".join(found.interpreter) == interpreter
    assert (found.kind, found.program) == (kind, program)
    assert " ".join(found.arguments) == arguments


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("curl -s x", "curl is no Python program"),
        ("/bin/sh -c python3", "sh is no Python program"),
        ("python2 a.py", "python2 is no Python program"),
        ("python3", "its program comes from standard input"),
        ("python3 -I -", "its program comes from standard input"),
        ("python3 -i a.py", "python's option -i is not provided for"),
        ("python3 --version", "python's option --version runs no program"),
        ("python3 -m", "the command is not complete"),
        ("python3 -X", "its program comes from standard input"),
        ("no-such-command-anywhere a", "no-such-command-anywhere is no Python program"),
    ],
)
def test_of_any_other_command_it_is_said_why_it_notes_nothing(command: str, why: str) -> None:
    assert python_command(command.split()) == why


@pytest.mark.parametrize(
    ("line", "interpreter"),
    [
        ("#!/usr/bin/python3 -I", ("/usr/bin/python3", "-I")),
        ("#! /opt/x/python3.12", ("/opt/x/python3.12",)),
        ("#!/usr/bin/env python3", ("python3",)),
    ],
)
def test_a_script_is_run_by_the_interpreter_that_it_names(
    tmp_path: Path, line: str, interpreter: tuple[str, ...]
) -> None:
    script = tmp_path / "serve"
    script.write_text(f"{line}\npass\n")
    script.chmod(0o755)
    found = python_command((str(script), "1"))
    assert found == PythonCommand(interpreter, "script", str(script), ("1",))
    script.write_text("#!/bin/sh\n")
    assert python_command((str(script),)) == "serve is no Python program"
    script.write_bytes(b"\x7fELF\0\xff")
    assert python_command((str(script),)) == "serve is no Python program"


def test_what_it_runs_as_keeps_its_options_and_its_words() -> None:
    found = python_command(("python3", "-IS", "a.py", "x"))
    assert isinstance(found, PythonCommand)
    argv = found.noting(7)
    assert argv[:3] == ("python3", "-IS", "-c")
    assert argv[-3:] == ("script", "a.py", "x")
    assert argv[4].endswith("\nrun(7, sys.argv.pop(1), sys.argv.pop(1))\n")
