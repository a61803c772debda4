from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from scenes import RECORDINGS

from lab.cli.main import main


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(("report", *words))
    return int(ended.value.code or 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a recorded run."""
    return Path(shutil.copytree(RECORDINGS / "tcp4", tmp_path / "run"))


def test_the_page_is_written_into_the_folder(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(folder)) == 0
    assert capsys.readouterr().out == f"{folder / 'report.html'}\n"
    assert (folder / "report.html").read_bytes().startswith(b"<!doctype html>")


def test_another_format_goes_where_it_is_told(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "here.svg"
    assert run(str(folder), "--format", "svg", "--output", str(target)) == 0
    assert target.read_text("utf-8").startswith("<svg")
    assert not (folder / "ladder.svg").exists()


def test_standard_output_takes_it_too(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(str(folder), "--format", "md", "--output", "-") == 0
    assert capfdbinary.readouterr().out.startswith(b"### wirelab: tcp over IPv4")
    assert sorted(path.name for path in folder.iterdir()) == ["recording.jsonl",
                                                              "recording.pcapng"]  # fmt: skip


def test_standard_output_is_opened_by_no_browser(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(folder), "--output", "-", "--open") == 2
    assert "--open opens a file" in capsys.readouterr().err


def test_it_is_opened_in_the_browser_that_is_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", open_)
    assert run(str(folder), "--open") == 0
    assert opened == [(folder / "report.html").resolve().as_uri()]


def test_a_folder_without_a_recording_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(tmp_path)) == 2
    assert "recording" in capsys.readouterr().err


def test_what_went_through_unix_sockets_is_dissected_as_told(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    words = (str(RECORDINGS / "traced-unix4"), "--format", "unix", "--output")
    assert run(*words, str(tmp_path / "unix.pcapng")) == 0
    found = (tmp_path / "unix.pcapng").read_bytes()
    capfdbinary.readouterr()
    assert run(*words, "-", "--unix-as", "smtp") == 0
    told = capfdbinary.readouterr().out
    assert found.count(b"\0\x0c\0\x08data") == told.count(b"\0\x0c\0\x08smtp") == 9
    assert run(str(RECORDINGS / "traced-unix4"), "--unix-as", "smtp") == 2
    assert b"--unix-as is for --format unix" in capfdbinary.readouterr().err
