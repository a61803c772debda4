from __future__ import annotations

import os
from pathlib import Path

import pytest
from outside import (
    check_refused,
    wirelab,
)

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("kept", [None, 0, 3, 30, 1000])
def test_showing_what_is_no_whole_capture_is_refused(copied: Path, kept: int | None) -> None:
    file = copied / "recording.pcapng"
    if kept is None:
        file.unlink()
    else:
        os.truncate(file, kept)
    assert str(file) in check_refused(wirelab("show", file))


@pytest.mark.parametrize("content", [b"garbage\n" * 100, bytes(1000), b"\x1f\x8bgarbage"])
def test_showing_garbage_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "garbage"
    file.write_bytes(content)
    assert str(file) in check_refused(wirelab("show", file))


def test_showing_a_folder_is_refused(tmp_path: Path) -> None:
    assert "directory" in check_refused(wirelab("show", tmp_path))
