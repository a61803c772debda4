from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.cli.prompt.typed import completed, history_file
from lab.shell.grammar import Names

NAMES = Names(("h1", "h2", "s1"), {"h1": "192.0.2.1", "h2": "192.0.2.2"}, {})


def test_the_first_word_is_a_command_or_a_host() -> None:
    assert completed("", "h", NAMES) == ["h1 ", "h2 ", "help ", "hosts "]
    assert completed("", "quit", NAMES) == ["quit "]


def test_the_second_is_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, mode in (("wl-one", 0o755), ("wl-two", 0o644)):
        (tmp_path / name).touch(mode)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert completed("h1 ", "wl-", NAMES) == ["wl-one "]
    assert completed("h1 ", "", NAMES) == []


def test_the_others_are_hosts_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("h2.txt").touch()
    Path("hidden").mkdir()
    assert completed("h1 cat ", "h", NAMES) == ["h1 ", "h2 ", "h2.txt ", "hidden/"]
    assert completed("h1 cat ", f"{tmp_path}/hi", NAMES) == [f"{tmp_path}/hidden/"]
    assert completed("links ", "h", NAMES) == []


def test_lines_are_kept_in_the_users_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert history_file() == tmp_path / ".local" / "state" / "wirelab" / "shell_history"
    monkeypatch.setenv("XDG_STATE_HOME", "/elsewhere")
    assert history_file() == Path("/elsewhere/wirelab/shell_history")


def test_no_lines_are_kept_in_another_users_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert history_file() is None
    monkeypatch.setenv("HOME", str(tmp_path / "missing"))
    assert history_file() is None
