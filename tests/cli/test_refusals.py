"""What the command refuses, in a line and with the right exit status."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from outside import (
    check_refused,
    edited,
    names_in,
    wirelab,
)

from lab.scenario_files import builtin_scenarios

pytestmark = pytest.mark.kernel

OWN = ("--scenarios", "scenarios")


def test_an_unknown_scenario_is_refused_with_those_there_are(tmp_path: Path) -> None:
    message = check_refused(wirelab("run", "tcp", "tpc", "--out", tmp_path))
    assert "'tpc'" in message
    assert all(name in message for name in builtin_scenarios())
    assert names_in(tmp_path) == set()  # tcp has not been run


def test_out_on_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for out in (file, file / "below"):
        message = check_refused(wirelab("run", "tcp", "--out", out))
        assert f"cannot write artifacts to {out}" in message


@pytest.mark.parametrize("out", ["/proc/wirelab", "/sys/wirelab"])
def test_out_where_nobody_can_write_is_refused(out: str) -> None:
    message = check_refused(wirelab("run", "tcp", "--out", out))
    assert f"cannot write artifacts to {out}" in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_out_that_is_not_writable_is_refused_before_anything_is_run(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    message = check_refused(wirelab("run", "tcp", "--out", tmp_path / "runs"))
    assert f"{tmp_path} is not writable" in message


def test_replaying_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert "holds no recording" in check_refused(wirelab("replay", tmp_path))


def test_replaying_what_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "nothing" in check_refused(wirelab("replay", tmp_path / "nothing"))


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"null\n", b"[1]\n", b"\xff\xfe", b'{"kind": "run"}\n'],
    ids=["empty", "half", "null", "list", "not UTF-8", "fields missing"],
)
def test_replaying_a_damaged_account_is_refused(copied: Path, damage: bytes) -> None:
    (copied / "recording.jsonl").write_bytes(damage)
    assert "recording.jsonl" in check_refused(wirelab("replay", copied))


@pytest.mark.parametrize("cut", [2, 300, None])
@pytest.mark.parametrize("name", ["recording.jsonl", "recording.pcapng"])
def test_replaying_a_truncated_file_is_refused(copied: Path, name: str, cut: int | None) -> None:
    size = (copied / name).stat().st_size
    os.truncate(copied / name, 0 if cut is None else size - cut)
    assert name in check_refused(wirelab("replay", copied))


def test_replaying_without_the_frames_is_refused(copied: Path) -> None:
    (copied / "recording.pcapng").unlink()
    assert "recording.pcapng: no such file" in check_refused(wirelab("replay", copied))


def test_replaying_with_another_runs_frames_is_refused(copied: Path, tmp_path: Path) -> None:
    edited(copied, lambda recording: replace(recording, frames=recording.frames[:-1]))
    fewer = (copied / "recording.pcapng").read_bytes()
    whole = Path(shutil.copytree(copied, tmp_path / "other"))
    edited(whole, lambda recording: replace(recording, frames=recording.frames[:-1]))
    (whole / "recording.pcapng").write_bytes(fewer)
    assert "recorded with" in check_refused(wirelab("replay", whole))


def test_replaying_an_unknown_scenarios_recording_is_refused(copied: Path) -> None:
    edited(copied, lambda recording: replace(recording, scenario="gone"))
    assert "there is no scenario 'gone'" in check_refused(wirelab("replay", copied))


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


def check_failed(done: CompletedProcess[str], line: str) -> None:
    """A run that a program spoilt: told at once, nothing decided, and all of it kept."""
    assert done.returncode == 2
    assert done.stderr == ""
    head = " ".join(done.stdout.partition("\n\n")[0].split())
    assert line in head
    assert "HOLDS" not in done.stdout.partition("Claims")[2]
    assert "UNDECIDED" in done.stdout


def test_a_demo_that_fails_is_told_in_one_line(other_scenarios: Path, marker: str) -> None:
    demo = other_scenarios / "scenarios" / "demos" / "inet_stream_client.py"
    demo.write_text("raise SystemExit('the demo is broken')\n")
    done = wirelab("run", "tcp", *OWN, cwd=other_scenarios)
    check_failed(done, "program client exited with status 1; its stderr ends: the demo is broken")
    folder = other_scenarios / "runs" / "tcp" / "latest"
    replayed = wirelab("replay", folder, *OWN, cwd=other_scenarios)
    assert replayed.returncode == 2
    assert "identical" in replayed.stdout


def test_a_demo_that_is_missing_is_told_in_one_line(other_scenarios: Path, marker: str) -> None:
    (other_scenarios / "scenarios" / "demos" / "inet_stream_server.py").unlink()
    done = wirelab("run", "tcp", *OWN, cwd=other_scenarios)
    check_failed(done, "program client was not started, since server never became ready")
    assert "No such file" in done.stdout


def test_after_a_scenario_that_fails_the_others_are_run(other_scenarios: Path, marker: str) -> None:
    (other_scenarios / "scenarios" / "demos" / "inet_stream_server.py").write_text("1 / 0\n")
    done = wirelab("run", "tcp", "udp", *OWN, cwd=other_scenarios)
    assert done.returncode == 2
    assert "program server exited with status 1" in done.stdout
    assert (other_scenarios / "runs" / "udp" / "latest" / "report.json").exists()


def test_a_word_that_is_unknown_is_told_in_one_line(other_scenarios: Path, marker: str) -> None:
    scenario = other_scenarios / "scenarios" / "tcp.py"
    scenario.write_text(scenario.read_text().replace("{server}", "{srever}"))
    assert "srever" in check_refused(wirelab("run", "tcp", *OWN, cwd=other_scenarios))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (\n", "scenarios/tcp.py, line 1: '(' was never closed"),
        ("import nothere\n", "scenarios/tcp.py, line 1: cannot be loaded: ModuleNotFoundError"),
        ("SCENARIO = 3\n", "scenarios/tcp.py: SCENARIO is no Scenario"),
        ("", "scenarios/tcp.py: there is no SCENARIO in it"),
    ],
)
def test_a_scenario_that_cannot_be_loaded_is_refused(
    other_scenarios: Path, text: str, said: str
) -> None:
    (other_scenarios / "scenarios" / "tcp.py").write_text(text)
    assert said in check_refused(wirelab("run", "tcp", *OWN, cwd=other_scenarios))
    listed = wirelab("list", *OWN, cwd=other_scenarios)
    assert listed.returncode == 2
    assert said in listed.stderr
    assert "udp " in listed.stdout
