"""Lines of the documentation that a reader types, as they stand there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from house import ROOT


def tshark_lines() -> Iterator[tuple[str, str]]:
    """A page's name, and each line of its blocks of code that begins with tshark."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        fenced = False
        for line in page.read_text("utf-8").splitlines():
            if line.lstrip().startswith("```"):
                fenced = not fenced
            elif fenced and line.startswith("tshark "):
                yield page.name, line
            elif line.startswith("    tshark "):
                yield page.name, line.strip()


def run_line(line: str, folder: Path) -> str:
    """What the line prints in a shell in that folder; it must succeed."""
    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, capture_output=True, encoding="utf-8", timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
