"""The tests of docs/ci-your-server.md, as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from outside import REPOSITORY, environment

PAGE = (REPOSITORY / "docs/ci-your-server.md").read_text("utf-8")


def block(name: str) -> str:
    """The code that follows a file's name."""
    match = re.search(rf"^`{re.escape(name)}`.*?:\n\n((?:    .*\n|\n)+)", PAGE, re.MULTILINE)
    assert match is not None
    return dedent(match[1])


@pytest.mark.parametrize("name", ["app.py", "test_app.py", "test_echo.py"])
def test_what_the_page_shows_is_python(name: str) -> None:
    compile(block(name), name, "exec")


@pytest.mark.kernel
@pytest.mark.once  # tests/testing/test_plugin.py has an ordinary user run such tests
@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_server_in_c_passes_its_tests_and_another_fails(tmp_path: Path) -> None:
    def run(source: str) -> str:
        (tmp_path / "echo.c").write_text(source, "utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_echo.py"],
            cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False,
            timeout=100,
        )  # fmt: skip
        return done.stdout

    (tmp_path / "test_echo.py").write_text(block("test_echo.py"), "utf-8")
    assert "2 passed" in run(block("echo.c"))
    hasty = block("echo.c").replace("while ((n = read", "if ((n = read")
    assert hasty != block("echo.c")
    assert "failed" in run(hasty)
