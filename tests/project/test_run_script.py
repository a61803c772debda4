"""tests/run, which `make test` runs, on a small repository: what it says at its end."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from outside import REPOSITORY, environment

# As root the script itself goes on as an ordinary user.
pytestmark = [pytest.mark.kernel, pytest.mark.once]

TESTS = """
import pytest

@pytest.fixture
def broken():
    raise OSError("no such thing")

pytestmark = pytest.mark.kernel

def test_of_what_is_true(): pass
@pytest.mark.parametrize("what", ["a b", "c"])
def test_of_what_is_wrong(what): assert what == "c"
def test_of_what_is_absent(broken): pass
"""


@pytest.fixture
def repository() -> Iterator[Path]:
    """A repository of one test module, which any user may read."""
    with tempfile.TemporaryDirectory(prefix="wirelab-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("pyproject.toml", "tests/run", "tests/conftest.py"):
            (folder / part).parent.mkdir(exist_ok=True)
            shutil.copy(REPOSITORY / part, folder / part)
        # With what pytest has compiled, which is as old as its source.
        shutil.copytree(REPOSITORY / "tests/support", folder / "tests/support")
        yield folder


def run(repository: Path) -> subprocess.CompletedProcess[str]:
    env = environment(VENV=sys.prefix, PYTEST_XDIST_AUTO_NUM_WORKERS="1")
    return subprocess.run(
        [repository / "tests/run"], env=env,
        text=True, capture_output=True, check=False,
    )  # fmt: skip


def summary_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    return done.stdout.rpartition("\n\n")[2].splitlines()


def test_its_summary_says_what_failed_and_why_of_each_user(repository: Path) -> None:
    (repository / "tests/test_small.py").write_text(TESTS)
    done = run(repository)
    assert done.returncode == 1, done.stderr
    users = [line for line in summary_of(done) if line.endswith(": FAILED")]
    assert users[0].startswith("all tests as ")
    said = [line for line in summary_of(done) if line.startswith("  ")]
    assert [line for line in said if line.startswith("  FAILED")] == [
        "  FAILED tests/test_small.py::test_of_what_is_wrong[a b]",
        "  FAILED tests/test_small.py::test_of_what_is_absent",
    ] * len(users)
    why = [said[at + 1].split() for at, line in enumerate(said) if line.startswith("  FAILED")]
    assert why == [
        ["E", "AssertionError:", "assert", "'a", "b'", "==", "'c'"],
        ["E", "OSError:", "no", "such", "thing"],
    ] * len(users)


def test_where_nothing_fails_nothing_is_named(repository: Path) -> None:
    (repository / "tests/test_small.py").write_text(TESTS.partition("@pytest.mark.param")[0])
    done = run(repository)
    assert "FAILED" not in done.stdout
    assert summary_of(done)[0].endswith(": passed")


def test_a_module_that_cannot_be_imported_is_named(repository: Path) -> None:
    (repository / "tests/test_small.py").write_text("import nothing_of_this_name")
    done = run(repository)
    assert done.returncode != 0
    assert "  FAILED tests/test_small.py" in summary_of(done)
