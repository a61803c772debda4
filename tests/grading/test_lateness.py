from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tried import SHEET

from lab.grading.lateness import lateness

DUE = datetime.fromisoformat("2026-12-01T23:59+01:00")
TIMED = replace(SHEET, deadline=DUE)


def written(path: Path, late: timedelta) -> str:
    path.write_text("x")
    moment = (DUE + late).timestamp()
    os.utime(path, (moment, moment))
    return str(path)


@pytest.mark.parametrize(
    ("late", "said"),
    [
        (timedelta(0), ""),
        (timedelta(days=-3), ""),
        (timedelta(seconds=1), "late by 1 min, "),
        (timedelta(minutes=5), "late by 5 min, "),
        (timedelta(days=2, hours=3, minutes=4), "late by 2 d 3 h, "),
    ],
)
def test_what_was_written_after_the_deadline_is_late(
    late: timedelta, said: str, tmp_path: Path
) -> None:
    assert lateness(TIMED, written(tmp_path / "a.py", late)).startswith(said)
    assert bool(lateness(TIMED, str(tmp_path / "a.py"))) == bool(said)


def test_what_is_not_taken_is_not_late(tmp_path: Path) -> None:
    written(tmp_path / "a.py", timedelta(0))
    (tmp_path / "__pycache__").mkdir()
    written(tmp_path / "__pycache__/a.pyc", timedelta(hours=1))
    written(tmp_path / ".DS_Store", timedelta(hours=1))
    assert lateness(TIMED, str(tmp_path)) == ""


def test_the_time_is_said_in_the_deadlines_zone(tmp_path: Path) -> None:
    said = lateness(TIMED, written(tmp_path / "a.py", timedelta(minutes=2)))
    assert said == "late by 2 min, by the time of its file: 2026-12-02 00:01 +0100"


def test_of_a_folder_the_last_file_counts(tmp_path: Path) -> None:
    written(tmp_path / "a.py", timedelta(hours=-1))
    assert lateness(TIMED, str(tmp_path)) == ""
    (tmp_path / "in").mkdir()
    written(tmp_path / "in/b.py", timedelta(hours=1))
    assert lateness(TIMED, str(tmp_path)).startswith("late by 1 h, ")


def test_without_a_deadline_or_a_file_nothing_is_late(tmp_path: Path) -> None:
    assert lateness(SHEET, written(tmp_path / "a.py", timedelta(days=9))) == ""
    for name in ("none", "nul\0"):
        assert lateness(TIMED, str(tmp_path / name)) == ""
