"""A folder that one command at a time writes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.recording.folder_lock import alone_in


def test_another_is_refused_until_the_first_is_done(tmp_path: Path) -> None:
    with (
        alone_in(tmp_path, "another test writes to"),
        pytest.raises(UsageError, match="another test writes to") as refused,
        alone_in(tmp_path, "another test writes to"),
    ):
        pass
    assert str(refused.value).endswith(f"{tmp_path}; use --out DIR")
    with alone_in(tmp_path, "another test writes to"):
        pass


def test_an_error_of_the_block_leaves_the_folder_free(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone_in(tmp_path, "x"):
        raise ZeroDivisionError
    with alone_in(tmp_path, "x"):
        pass
