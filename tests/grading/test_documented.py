"""docs/grading.md: its sheet is one, its commands run, and print what is printed there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from house import ROOT

pytestmark = pytest.mark.programs

TEXT = (ROOT / "docs/grading.md").read_text("utf-8")
BLOCKS = re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", TEXT, re.MULTILINE)
COMMANDS = re.findall(r"^    (wirelab .*)$", TEXT, re.MULTILINE)
UPLOADS = {"ann.pcapng": "tcp4", "bob.pcapng": "half-close4", "dana.pcapng": "udp4"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the sheet, the uploads, and the command in PATH."""
    (sheet,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "sheet.py").write_text(sheet, "utf-8")
    (tmp_path / "uploads").mkdir()
    for file, run in UPLOADS.items():
        recorded = ROOT / "tests/recordings" / run / "recording.pcapng"
        shutil.copyfile(recorded, tmp_path / "uploads" / file)
    (tmp_path / "uploads/cem.pcap").write_text("hello\n")
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin/wirelab"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lab "$@"\n')
    command.chmod(0o755)
    return tmp_path


def printed(command: str, folder: Path) -> str:
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=os.environ | {"PATH": path, "COLUMNS": "80", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_table_is_the_one_that_is_printed_there(folder: Path) -> None:
    (shown,) = [block for block in BLOCKS if "student  opens" in block]
    wanted = re.sub("^    ", "", shown, flags=re.MULTILINE)
    assert printed(COMMANDS[0], folder) == wanted


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_there_runs(command: str, folder: Path) -> None:
    assert printed(command, folder)
    files = set(re.findall(r"`(one/[\w./]+)`", TEXT))
    if "--out one" in command:
        assert files == {"one/results.json"} and all((folder / file).is_file() for file in files)


def test_every_file_there_is_written(folder: Path) -> None:
    printed(COMMANDS[0], folder)
    for name in re.findall(r"^\| `([\w./]+)` \|", TEXT, re.MULTILINE):
        if "." in name:
            assert (folder / "grades" / name.replace("NAME", "ann")).is_file(), name
