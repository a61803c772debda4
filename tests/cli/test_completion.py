"""Words are completed by the command itself, as the shells ask it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from house import ROOT

from lab.cli.words.options import COMMANDS, SHELLS
from lab.scenario_files import builtin_scenarios

pytestmark = pytest.mark.programs


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """A `wirelab` to call by its name in a PATH."""
    script = tmp_path / "bin" / "wirelab"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m lab "$@"\n')
    script.chmod(0o755)
    return script


def completed(line: str, cwd: Path) -> set[str]:
    """What is offered for the last word of a line."""
    answer = cwd / "answer"
    subprocess.run(
        [sys.executable, "-m", "lab"],
        cwd=cwd,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_IFS": "\n",
            "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
            "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
        },
        check=True,
    )
    return set(answer.read_text().split("\n"))


def test_commands_options_and_values(tmp_path: Path) -> None:
    assert completed("wirelab ", tmp_path) == set(COMMANDS)
    assert completed("wirelab rep", tmp_path) == {"replay", "report"}
    assert completed("wirelab run tcp --fam", tmp_path) == {"--family"}
    assert completed("wirelab run tcp --trace ", tmp_path) == {"auto", "bpf", "ptrace", "none"}
    assert completed("wirelab completion ", tmp_path) == set(SHELLS)


def test_scenarios_and_ones_own(tmp_path: Path) -> None:
    assert completed("wirelab run ", tmp_path) == set(builtin_scenarios())
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (folder / "my_own.py").write_text("SCENARIO = None\n")
    assert completed("wirelab run tcp my", tmp_path) == {"my-own"}
    assert completed("wirelab new m", tmp_path) == {""}


def test_folders_and_files(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "rows.pcap").write_text("")
    assert completed("wirelab replay r", tmp_path) == {"runs/"}
    assert completed("wirelab run tcp --out r", tmp_path) == {"runs/"}
    assert completed("wirelab show r", tmp_path) == {"runs/", "rows.pcap"}


ASK = {
    "bash": """
        eval "$(wirelab completion bash)"
        COMP_LINE='wirelab run u' COMP_POINT=13 COMP_TYPE=9 COMP_WORDS=(wirelab run u) COMP_CWORD=2
        _python_argcomplete wirelab u run
        printf '%s\\n' "${COMPREPLY[@]}"
    """,
    # Completion itself wants a terminal there: what it would be given is caught.
    "zsh": """
        autoload -U compinit && compinit -u -D
        eval "$(wirelab completion zsh)"
        _describe() { printf '%s\\n' "${completions[@]}"; }
        BUFFER='wirelab run u' CURSOR=13 words=(wirelab run u)
        _python_argcomplete
    """,
    "fish": """
        wirelab completion fish | source
        complete --do-complete 'wirelab run u'
    """,
}
"""By shell, a script that evaluates what is printed for it, and asks for the names in u."""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_takes_what_is_printed_for_it(shell: str, command: Path, tmp_path: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell} here")
    done = subprocess.run(
        [shell, "-c", ASK[shell]],
        cwd=tmp_path,
        env={"PATH": f"{command.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    # Each shell has its own mark between a word and its description, which is empty here.
    words = {re.split("[\t:]", line)[0].strip() for line in done.stdout.splitlines()}
    assert words == {name for name in builtin_scenarios() if name.startswith("u")}, done.stderr
