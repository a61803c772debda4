"""A machine with make and python3-venv alone sets the project up, and passes its tests."""

from __future__ import annotations

import getpass
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from outside import REPOSITORY, environment

# Takes half a minute, of which most is pip's, and pip's for whoever calls it.
pytestmark = [pytest.mark.kernel, pytest.mark.once, pytest.mark.timeout(300)]

PYTHON = Path(sys.base_prefix) / "bin" / "python3"
COMMANDS = (
    "bash", "chown", "dirname", "env", "find", "id", "make", "mktemp", "python3", "readlink",
    "realpath", "rm", "sed", "setpriv", "sh", "touch", "uname",
)  # fmt: skip
"""What the Makefile, its scripts and the tests below call. No cc, gcc or clang is among them."""

TESTS = "tests/analysis/tcp/test_state.py tests/kernel/network/test_namespace.py"
"""Some that need no kernel and some that do: all of them is what this one is part of."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project without its .venv."""
    ignored = shutil.ignore_patterns("__pycache__", ".*", "runs", "recordings")
    return Path(shutil.copytree(REPOSITORY, tmp_path / "copy", ignore=ignored))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder for PATH, of links to those commands."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in COMMANDS:
        if found := shutil.which(name):  # setpriv may be missing: tests/run says so
            (folder / name).symlink_to(found)
    return folder


def test_make_test_and_wirelab_need_no_compiler(copy: Path, path: Path, tmp_path: Path) -> None:
    # What is imported is compiled then: pip compiles all of it, which takes as long as the rest.
    env = environment(
        PATH=str(path), CC="/bin/false", PIP_NO_CACHE_DIR="1", PIP_COMPILE="0",
        PYTEST_XDIST_AUTO_NUM_WORKERS="1",
    )  # fmt: skip
    del env["PYTHONPATH"]
    assert not any(shutil.which(name, path=str(path)) for name in ("cc", "gcc", "c++", "clang"))

    def ran(*words: str | Path) -> str:
        done = subprocess.run(
            [*map(str, words)], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    said = ran("make", "-C", copy, "test", f"PYTHON={PYTHON}", f"TESTS={TESTS}")
    assert "1 of 3" in said
    assert "Successfully installed" in said  # what pip is at is shown
    assert f"{TESTS} as {getpass.getuser()}: passed" in said
    assert "HOLDS" in ran(copy / "wirelab", "run", "tcp")
    assert (tmp_path / "runs" / "tcp" / "latest" / "report.json").is_file()
