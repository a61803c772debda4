"""The first set-up, under sudo, by a python that only makes the files that it would have made."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from house import ROOT
from outside import NOBODY, environment

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(os.geteuid() != 0, reason="for root only: gives files to another user"),
]

PYTHON = """#!/bin/sh
[ "$1 $2" = "-m venv" ] || exit 0
mkdir -p "$4/bin"
printf '#!/bin/sh\\n' | tee "$4/bin/python" > "$4/bin/pip"
chmod +x "$4/bin/python" "$4/bin/pip"
"""


def test_what_sudo_sets_up_belongs_to_who_called_it(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(PYTHON, "utf-8")
    python.chmod(0o755)
    project = tmp_path / "project"
    for folder in ("lab/__pycache__", "scenarios/demos"):
        (project / folder).mkdir(parents=True)
    for file in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / file, project)
    env = environment(SUDO_UID=str(NOBODY), SUDO_GID=str(NOBODY))
    done = subprocess.run(
        ["make", "-C", project, ".venv/.ready", f"PYTHON={python}"],
        env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    theirs = [project / ".venv", *(project / ".venv").rglob("*"), project / "lab/__pycache__"]
    assert len(theirs) > 4
    assert {path.lstat().st_uid for path in theirs} == {NOBODY}
    assert (project / "lab").stat().st_uid == 0
