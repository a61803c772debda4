from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.programs

PRINT = """
import sys
from lab.report.terminal.pager import paged
from lab.report.terminal.page import Page
from rich.text import Text
with paged(sys.argv[1] == "wanted") as file:
    end = " and more" * int(sys.argv[3])
    Page(file).print([Text(f"line {n}{end}", "bold red") for n in range(int(sys.argv[2]))])
sys.exit(7)
"""


def on_a_terminal(
    pager: str, wanted: str = "wanted", lines: int = 100, more: int = 0
) -> tuple[bytes, int]:
    """What a terminal shows of a program that prints, and the program's exit status."""
    parent, child = pty.openpty()
    environment = os.environ | {"PAGER": pager, "TERM": "xterm-256color", "COLUMNS": "80"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "-c", PRINT, wanted, str(lines), str(more)],
        stdin=child,
        stdout=child,
        stderr=child,
        env=environment,
    )
    os.close(child)
    shown = b""
    try:
        while piece := os.read(parent, 65536):
            shown += piece
    except OSError:
        pass  # EIO: nobody has the terminal open any more
    os.close(parent)
    return shown, process.wait()


def test_a_pager_gets_all_with_its_colours(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    shown, status = on_a_terminal(f"cat > {kept}")
    text = kept.read_text("utf-8")
    assert (shown, status) == (b"", 7)
    assert len(text.splitlines()) == 100 and "\x1b[1;31mline 99\x1b[0m" in text


@pytest.mark.parametrize(("pager", "wanted"), [("cat", "wanted"), ("", "wanted"), ("false", "no")])
def test_without_one_the_terminal_gets_it(pager: str, wanted: str) -> None:
    shown, status = on_a_terminal(pager, wanted)
    assert shown.count(b"line ") == 100 and status == 7


@pytest.mark.parametrize("pager", ["true", "head -n 1", "no-such-pager-at-all"])
def test_a_pager_that_leaves_early_changes_no_exit_status(pager: str) -> None:
    # More than a pipe holds, of 16 pages of 64 KiB too: in few lines, which are drawn sooner.
    shown, status = on_a_terminal(pager, lines=1_000, more=150)
    assert status == 7
    assert b"Traceback" not in shown


def test_what_is_no_terminal_has_no_pager() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRINT, "wanted", "3", "0"],
        env=os.environ | {"PAGER": "false"},
        capture_output=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == (b"line 0\nline 1\nline 2\n", 7)
