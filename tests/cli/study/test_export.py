"""`wirelab export`: cards of recorded runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import recorded as r
from forked_wirelab import forked_wirelab

pytestmark = pytest.mark.programs


def test_it_writes_what_was_asked_for(tmp_path: Path) -> None:
    shutil.copytree(r.FOLDER / "traced-tcp4", tmp_path / "runs" / "tcp" / "latest")
    done = forked_wirelab(
        *("export", "anki", "--runs", "runs", "--out", "a.apkg"),
        *("--markdown", "a.md", "--csv", "a.csv"),
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "with what a run showed" in done.stdout
    assert (tmp_path / "a.apkg").read_bytes().startswith(b"PK")
    assert "SYN" in (tmp_path / "a.md").read_text("utf-8")
    assert (tmp_path / "a.csv").read_text("utf-8").startswith("id,question")


def test_it_has_to_be_said_where_they_go(tmp_path: Path) -> None:
    done = forked_wirelab("export", "anki", cwd=tmp_path)
    assert done.returncode == 2
    assert "say where the cards go" in done.stderr
