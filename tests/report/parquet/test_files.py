from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tabled import noted, table_of

from lab.errors import ExtraMissing, UsageError
from lab.report.parquet.files import write_parquet


def test_without_pyarrow_the_line_is_said_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    table = table_of([])
    found, rows = noted(table, ())
    with pytest.raises(ExtraMissing, match=r"pip install 'wirelab\[parquet\]'"):
        write_parquet(table, found, rows, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    file = tmp_path / "file"
    file.write_bytes(b"")
    table = table_of([])
    found, rows = noted(table, ())
    with pytest.raises(UsageError, match="cannot write to"):
        write_parquet(table, found, rows, file)


def test_a_folders_name_need_not_be_utf8(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    table = table_of([])
    found, rows = noted(table, ())
    paths = write_parquet(table, found, rows, tmp_path / "\udcff")
    assert all(path.read_bytes().endswith(b"PAR1") for path in paths)
