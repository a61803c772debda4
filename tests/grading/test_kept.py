from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hostile import HOSTILE
from tried import SHEET, looker

from lab.errors import UsageError
from lab.grade.hints import give_hints
from lab.grade.judging import judge_trials
from lab.grade.mark import Built, Grade, Mark, Picture
from lab.grading.kept import KeptGrade, KeptMark, key_of, read_kept, write_kept, write_whole
from lab.records import CellRun, Enforcer, Limit, LimitKept


def grade() -> Grade:
    look = looker(b"he")
    marks, _ = give_hints(SHEET, judge_trials(SHEET, look), look)
    return Grade(
        HOSTILE,
        f"{HOSTILE}.py",
        marks,
        HOSTILE,
        (Picture(HOSTILE, "<svg/>", HOSTILE, (HOSTILE,), "one-client"),),
        Built("C", True, "cc", HOSTILE),
        (HOSTILE,),
        CellRun(1000, (LimitKept(Limit.MEMORY, Enforcer.CGROUP),)),
    )


def test_a_grade_comes_back_as_it_was(tmp_path: Path) -> None:
    write_kept(grade(), "key", tmp_path / "a.json")
    assert read_kept(SHEET, tmp_path / "a.json") == (grade(), "key")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_what_is_no_grade_of_this_sheet_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    assert read_kept(SHEET, path) is None
    write_kept(grade(), "key", path)
    assert read_kept(replace(SHEET, checks=SHEET.checks[::-1]), path) is None
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        assert read_kept(SHEET, path) is None
    path.write_bytes(b"[1, 2]")
    assert read_kept(SHEET, path) is None


def test_a_key_changes_with_the_files_and_the_sheet(tmp_path: Path) -> None:
    folder = tmp_path / "ann"
    folder.mkdir()
    (folder / "a.py").write_text("1")
    first = key_of(str(folder), "sheet")
    assert first and key_of(str(folder), "sheet") == first
    keys = {first, key_of(str(folder), "another"), key_of(str(folder / "a.py"), "sheet")}
    (folder / "b.py").write_text("2")
    keys.add(key_of(str(folder), "sheet"))
    (folder / "b.py").rename(folder / "c.py")
    keys.add(key_of(str(folder), "sheet"))
    (folder / "c.py").write_text("3")
    keys.add(key_of(str(folder), "sheet"))
    assert len(keys) == 6


def test_what_is_not_taken_changes_no_key(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    first = key_of(str(tmp_path), "sheet")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/python").symlink_to("/usr/bin/python3")
    (tmp_path / ".DS_Store").write_text("2")
    assert first and key_of(str(tmp_path), "sheet") == first


def test_what_cannot_be_read_has_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/etc/passwd")
    for name in ("none", "fifo", "link", "nul\0"):
        assert key_of(str(tmp_path / name), "sheet") == ""
    assert key_of(str(tmp_path), "sheet") == ""
    large = tmp_path / "large"
    large.write_bytes(b"x" * 100)
    monkeypatch.setattr("lab.grading.kept.MOST_BYTES", 99)
    assert key_of(str(large), "sheet") == ""


def test_a_file_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        write_whole(b"x", tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_every_field_is_kept_but_what_is_found_anew() -> None:
    """Whether it was late is seen by the file's time, each time."""
    assert _names(KeptMark) == _names(Mark)
    assert _names(KeptGrade) - {"key"} == _names(Grade) - {"late"}


def _names(kind: type) -> set[str]:
    return {each.name for each in fields(kind)}
