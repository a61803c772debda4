"""stops.c is compiled when it is asked for, and used if it is of this source alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.errors import MachineError
from lab.kernel.trace.ptrace import library

pytestmark = pytest.mark.programs  # cc


def test_what_was_compiled_is_loaded(compiled: Path) -> None:
    loaded, refusal = library.load(compiled)
    assert loaded is not None and refusal == ""
    assert [each.name for each in compiled.parent.iterdir()] == ["stops.so"]


def test_without_a_compiler_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lib" / "stops.so"
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    monkeypatch.setattr(library, "PLACE", path)
    with pytest.raises(MachineError, match="no compiler of C"):
        library.compile_library(path)
    library.main()
    assert capsys.readouterr().out == (
        "ptrace's loop stays in Python: there is no compiler of C (cc)\n"
    )
    assert not path.exists()
    assert library.load(path) == (None, "not compiled")


def test_a_source_that_does_not_compile_leaves_nothing(
    compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "stops.c"
    source.write_text("this is no C\n")
    monkeypatch.setattr(library, "SOURCE", source)
    with pytest.raises(MachineError, match=r"cannot compile stops\.c: .*stops\.c:1"):
        library.compile_library(tmp_path / "stops.so")
    assert list(tmp_path.iterdir()) == [source]


def test_a_library_of_another_source_is_not_used(
    compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "stops.c"
    source.write_text(library.SOURCE.read_text() + "/* changed */\n")
    monkeypatch.setattr(library, "SOURCE", source)
    copy = tmp_path / "stops.so"
    copy.write_bytes(compiled.read_bytes())
    assert library.load(copy) == (None, "compiled from another version's source")


def test_what_is_no_library_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "stops.so"
    path.write_bytes(b"not ELF")
    loaded, refusal = library.load(path)
    assert loaded is None
    assert refusal.startswith("cannot be loaded: ")
