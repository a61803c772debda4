"""Folders copied by descriptors: what a hostile program leaves in one is no way out of it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from lab.kernel.cells.copies import clear_folder, copy_folder


def copied(source: Path, target: Path) -> list[str]:
    target.mkdir()
    ours, theirs = (os.open(each, os.O_RDONLY | os.O_DIRECTORY) for each in (source, target))
    copy_folder(ours, theirs, None)
    os.close(ours)
    os.close(theirs)
    return sorted(str(path.relative_to(target)) for path in target.rglob("*"))


def test_files_and_folders_are_copied_with_their_modes_and_times(tmp_path: Path) -> None:
    source = tmp_path / "from"
    (source / "inner" / "empty").mkdir(parents=True)
    (source / "run.sh").write_text("#!/bin/sh\n")
    (source / "run.sh").chmod(0o4755)
    (source / "inner" / "data").write_bytes(bytes(range(256)) * 5000)
    os.utime(source / "inner" / "data", (5, 5))
    names = copied(source, tmp_path / "to")
    assert names == ["inner", "inner/data", "inner/empty", "run.sh"]
    assert (tmp_path / "to" / "inner" / "data").read_bytes() == bytes(range(256)) * 5000
    assert (tmp_path / "to" / "inner" / "data").stat().st_mtime == 5
    assert (tmp_path / "to" / "run.sh").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "to" / "inner" / "data").stat().st_mode & 0o7777 == 0o644


def test_what_is_no_file_is_left_out(tmp_path: Path) -> None:
    source = tmp_path / "from"
    source.mkdir()
    (tmp_path / "secret").write_text("sheet")
    (source / "link").symlink_to(tmp_path / "secret")
    (source / "folder-link").symlink_to(tmp_path)
    os.mkfifo(source / "fifo")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(source / "socket"))
    (source / "file").touch()
    assert copied(source, tmp_path / "to") == ["file"]


def test_folders_without_end_come_to_one(tmp_path: Path) -> None:
    deep = tmp_path / "from"
    deep.mkdir()
    place = os.open(deep, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(300):
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)
    assert len(copied(deep, tmp_path / "to")) == 65


def test_clearing_a_folder_removes_links_and_not_what_they_lead_to(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "link").symlink_to(kept)
    (folder / "link").symlink_to(kept)
    (folder / "file").touch()
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    clear_folder(descriptor)
    os.close(descriptor)
    assert list(folder.iterdir()) == []
    assert (kept / "file").exists()
