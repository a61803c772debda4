from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from lab.cli.new import execute


@pytest.mark.parametrize(("folder", "option"), [(None, ""), ("mine", " --scenarios mine")])
def test_it_prints_the_files_and_how_they_are_run(
    folder: str | None, option: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["./wirelab"])
    assert execute(Namespace(name="my-own", scenarios=folder)) == 0
    *files, last = capsys.readouterr().out.splitlines()
    assert {Path(file) for file in files} == {
        path.relative_to(tmp_path) for path in tmp_path.rglob("*.py")
    }
    assert last == f"run it: ./wirelab run my-own{option}"
