"""Tests of whole files in forked processes, as of `make test-fast`, on a small repository."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from outside import REPOSITORY, environment

pytestmark = [pytest.mark.programs, pytest.mark.once]

Run = Callable[..., "subprocess.CompletedProcess[str]"]

NOISY = """
import os, pytest

@pytest.fixture
def broken():
    raise OSError("no such thing")

def test_of_what_is_true(tmp_path):
    (tmp_path / "file").touch()
def test_of_what_is_wrong():
    os.write(1, b"said by NAME")
    assert not "NAME"
def test_of_what_is_absent(broken): pass
def test_of_elsewhere(): pytest.skip("elsewhere")
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs pytest on test files with these texts, by two workers unless others are asked for."""
    for part in ("pyproject.toml", "tests/conftest.py"):
        (tmp_path / part).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / part, tmp_path / part)
    (tmp_path / "tests/support").symlink_to(REPOSITORY / "tests/support")

    def run(*options: str, **texts: str) -> subprocess.CompletedProcess[str]:
        for name, text in texts.items():
            (tmp_path / f"tests/test_{name}.py").write_text(text)
        words = [sys.executable, "-m", "pytest", *(options or ("--forks", "2"))]
        return subprocess.run(
            words, cwd=tmp_path, env=environment(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout.splitlines()[-1].partition(" in ")[0]


def test_every_file_s_tests_are_reported_with_what_each_said(run: Run) -> None:
    names = ("one", "two", "three")
    done = run(**{name: NOISY.replace("NAME", name) for name in names})
    assert done.returncode == 1, done.stderr
    assert last_line(done) == "3 failed, 3 passed, 3 skipped, 3 errors"
    _, *sections = done.stdout.partition("= ERRORS =")[2].split("\n____")
    said = [each for each in sections if "Captured stdout" in each]
    assert sorted(name for each in said for name in names if f"said by {name}" in each) == sorted(
        names
    )
    assert len(said) == 3
    assert done.stdout.count("OSError: no such thing") == 6
    assert "[100%]" in done.stdout


def test_a_file_that_cannot_be_imported_is_an_error(run: Run) -> None:
    done = run(good="def test_good(): pass", bad="import no_such_module")
    assert (done.returncode, last_line(done)) == (1, "1 passed, 1 error")
    assert "No module named 'no_such_module'" in done.stdout


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_a_worker_that_ends_fails_the_run_and_says_in_which_test(run: Run, end: str) -> None:
    text = f"import os\ndef test_first(): pass\ndef test_last(): {end}\ndef test_never(): pass"
    done = run(deadly=text)
    assert done.returncode == 1
    assert "in tests/test_deadly.py::test_last" in done.stdout + done.stderr


def test_the_first_failure_ends_all_where_that_is_asked(run: Run) -> None:
    waiting = "import threading\ndef test_waits(): threading.Event().wait()"
    done = run("--forks", "2", "-x", bad="def test_bad(): assert 0", waits=waiting)
    assert (done.returncode, last_line(done)) == (1, "1 failed")


def test_what_the_command_line_leaves_out_is_not_run(run: Run) -> None:
    text = "def test_good(): pass\ndef test_bad(): assert 0"
    assert last_line(run("--forks", "2", "-k", "good", some=text, more=text)) == "2 passed"
    assert last_line(run("--forks", "2", "tests/test_some.py::test_good")) == "1 passed"
    assert run("--forks", "2", "-k", "other").returncode == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_session_s_fixture_is_made_once_in_a_worker_and_ended(run: Run, tmp_path: Path) -> None:
    fixture = f"""
@pytest.fixture(scope="session")
def shared():
    with open({str(tmp_path / "made")!r}, "a") as file:
        file.write("made ")
    yield
    with open({str(tmp_path / "made")!r}, "a") as file:
        file.write("ended")
"""
    (tmp_path / "tests/sub").mkdir()
    (tmp_path / "tests/sub/conftest.py").write_text(f"import pytest\n{fixture}")
    for name in ("one", "two"):
        file = tmp_path / f"tests/sub/test_{name}.py"
        file.write_text("def test_it(shared): pass\ndef test_again(shared): pass")
    assert last_line(run("--forks", "1")) == "4 passed"
    assert (tmp_path / "made").read_text() == "made ended"


@pytest.mark.parametrize("other", [("-n", "2"), ("--cov", "lab")])
def test_it_is_refused_with_what_does_not_know_its_workers(run: Run, other: list[str]) -> None:
    done = run("--forks", "2", *other, good="def test_good(): pass")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"--forks cannot be had with {other[0]}" in done.stderr
