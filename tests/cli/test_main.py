"""The command as a whole: help, version, its commands."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from house import ROOT
from outside import wirelab

from lab import __version__
from lab.cli.main import _command
from lab.cli.words.options import COMMANDS


@pytest.mark.programs
def test_without_a_word_it_prints_its_help() -> None:
    done = wirelab()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == wirelab("--help").stdout
    assert "COMMAND" in done.stdout


@pytest.mark.programs
def test_it_says_its_version() -> None:
    done = wirelab("--version")
    assert (done.returncode, done.stdout) == (0, f"wirelab {__version__}\n")


def test_the_changelog_begins_with_the_version() -> None:
    headings = [
        line
        for line in (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines()
        if line.startswith("## ")
    ]
    assert headings[0].startswith(f"## {__version__}") or headings[0] == "## Unreleased"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_executed_by_a_file_of_its_name(name: str) -> None:
    file = sys.modules[_command(name).__module__].__file__
    assert file is not None
    assert Path(file).stem == name.replace("-", "_")


@pytest.mark.programs
def test_it_is_named_as_the_script_that_executes_it_was_typed(tmp_path: Path) -> None:
    done = wirelab("new", "mine", cwd=tmp_path, env={"WIRELAB_CALLED_AS": "../lab/wirelab"})
    assert done.stdout.splitlines()[-1] == "run it: ../lab/wirelab run mine"


@pytest.mark.programs
def test_an_unknown_scenario_is_refused_before_anything_runs() -> None:
    done = wirelab("run", "tcp", "tpc")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("wirelab: there is no scenario 'tpc'; did you mean 'tcp'?")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.programs
@pytest.mark.parametrize("words", [(), ("run",), ("replay",), ("show",), ("list",), ("doctor",)])
def test_help_is_a_success(words: tuple[str, ...]) -> None:
    done = wirelab(*words, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: {' '.join(('wirelab', *words))}")


@pytest.mark.programs
@pytest.mark.parametrize(
    "words", [("rnu",), ("run", "tcp", "--family", "5"), ("replay",), ("show",)]
)
def test_wrong_usage_is_refused(words: tuple[str, ...]) -> None:
    done = wirelab(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: wirelab")
    assert "Traceback" not in done.stderr


@pytest.mark.programs
def test_help_names_every_exit_status() -> None:
    told = wirelab("--help").stdout.partition("exit status:")[2]
    assert [int(line.split()[0]) for line in told.splitlines() if line.strip()[:1].isdigit()] == [
        0, 1, 2, 3, 4,
    ]  # fmt: skip
