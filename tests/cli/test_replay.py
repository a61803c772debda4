from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from forked_wirelab import forked_wirelab
from outside import (
    FAMILIES,
    NOBODY,
    check_refused,
    edited,
    wirelab,
)


@pytest.mark.kernel
def test_a_replay_writes_the_same_report(copied: Path) -> None:
    report = (copied / "report.json").read_bytes()
    (copied / "report.json").unlink()
    done = forked_wirelab("replay", copied, "--json")
    assert done.returncode == 0
    assert (copied / "report.json").read_bytes() == report
    assert done.stdout.encode() == report


@pytest.mark.kernel
@pytest.mark.parametrize("family", FAMILIES)
def test_a_replay_prints_what_the_run_printed(
    runs: dict[str, Path], family: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = forked_wirelab("run", "tcp", "--family", family, "--out", out)
    replayed = forked_wirelab("replay", out / "tcp" / "latest")
    unlike = ("Artifacts: ", "  report.json is derived again")  # and the folder's two names
    printed = [
        [
            line
            for line in done.stdout.splitlines()
            if not line.startswith(unlike) and " replay " not in line
        ]
        for done in (ran, replayed)
    ]
    assert printed[0] == printed[1]
    assert len(printed[0]) > 50


@pytest.mark.kernel
@pytest.mark.parametrize("family", FAMILIES)
def test_an_ordinary_user_replays_a_run_with_the_same_report(
    runs: dict[str, Path], family: str, as_nobody: tuple[str, ...], anyones_folder: Path
) -> None:
    folder = Path(shutil.copytree(runs[family], anyones_folder / "copied"))
    report = (folder / "report.json").read_bytes()
    (folder / "report.json").unlink()
    if as_nobody:
        os.chown(folder, NOBODY, NOBODY)
    done = wirelab("replay", folder, as_user=as_nobody)
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "report.json").read_bytes() == report


@pytest.mark.programs
def test_replaying_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert "holds no recording" in check_refused(forked_wirelab("replay", tmp_path))


@pytest.mark.programs
def test_replaying_what_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "nothing" in check_refused(forked_wirelab("replay", tmp_path / "nothing"))


@pytest.mark.kernel
@pytest.mark.once
@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"null\n", b"[1]\n", b"\xff\xfe", b'{"kind": "run"}\n'],
    ids=["empty", "half", "null", "list", "not UTF-8", "fields missing"],
)
def test_replaying_a_damaged_account_is_refused(copied: Path, damage: bytes) -> None:
    (copied / "recording.jsonl").write_bytes(damage)
    assert "recording.jsonl" in check_refused(forked_wirelab("replay", copied))


@pytest.mark.kernel
@pytest.mark.once
@pytest.mark.parametrize("cut", [2, 300, None])
@pytest.mark.parametrize("name", ["recording.jsonl", "recording.pcapng"])
def test_replaying_a_truncated_file_is_refused(copied: Path, name: str, cut: int | None) -> None:
    size = (copied / name).stat().st_size
    os.truncate(copied / name, 0 if cut is None else size - cut)
    assert name in check_refused(forked_wirelab("replay", copied))


@pytest.mark.kernel
@pytest.mark.once
def test_replaying_without_the_frames_is_refused(copied: Path) -> None:
    (copied / "recording.pcapng").unlink()
    assert "recording.pcapng: no such file" in check_refused(forked_wirelab("replay", copied))


@pytest.mark.kernel
@pytest.mark.once
def test_replaying_with_another_runs_frames_is_refused(copied: Path, tmp_path: Path) -> None:
    edited(copied, lambda recording: replace(recording, frames=recording.frames[:-1]))
    fewer = (copied / "recording.pcapng").read_bytes()
    whole = Path(shutil.copytree(copied, tmp_path / "other"))
    edited(whole, lambda recording: replace(recording, frames=recording.frames[:-1]))
    (whole / "recording.pcapng").write_bytes(fewer)
    assert "recorded with" in check_refused(forked_wirelab("replay", whole))


@pytest.mark.kernel
@pytest.mark.once
def test_replaying_an_unknown_scenarios_recording_is_refused(copied: Path) -> None:
    edited(copied, lambda recording: replace(recording, scenario="gone"))
    assert "there is no scenario 'gone'" in check_refused(forked_wirelab("replay", copied))
