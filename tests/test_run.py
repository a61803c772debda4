"""Runs from end to end, and their replays: artifacts, reports, verdicts, for any user."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from outside import (
    FAMILIES,
    NOBODY,
    edited,
    names_in,
    wirelab,
)

from lab.recording.storage import load_recording
from lab.records import Recording

pytestmark = pytest.mark.kernel

ALL_HOLD = re.compile(r"^(\d+) claims: \1 HOLDS\.$", re.MULTILINE)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_claim_of_tcp_holds(runs: dict[str, Path], family: str) -> None:
    report = json.loads((runs[family] / "report.json").read_text())
    assert report["verdict"] == "HOLDS"
    assert {claim["verdict"] for claim in report["claims"]} == {"HOLDS"}
    assert report["scenario"] == "tcp"
    assert str(report["family"]) == family


@pytest.mark.parametrize("family", FAMILIES)
def test_the_capture_of_a_run_was_alive_and_whole(runs: dict[str, Path], family: str) -> None:
    capture = json.loads((runs[family] / "report.json").read_text())["capture"]
    canaries = capture["canaries"]
    assert capture["dropped"] == 0
    assert capture["blind"] == []
    assert capture["unfinished"] == []
    assert canaries["sent"] == canaries["seen"] > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_the_report_has_its_parts(runs: dict[str, Path], family: str) -> None:
    report = json.loads((runs[family] / "report.json").read_text())
    assert set(report) >= {
        "schema", "scenario", "family", "started", "kernel", "instruments", "capture",
        "programs", "events", "flows", "claims", "verdict",
    }  # fmt: skip
    frames = [event for event in report["events"] if event["kind"] == "frame"]
    assert {"id", "sent_ns", "received_ns", "from", "to", "bytes", "summary"} <= set(frames[0])
    (flow,) = report["flows"]
    assert {"id", "a", "b", "frames", "handshake", "options", "teardown"} <= set(flow)
    known = {event["id"] for event in report["events"]}
    for claim in report["claims"]:
        assert {"id", "text", "source", "statements", "verdict", "why", "evidence"} == set(claim)
        assert set(claim["evidence"]) <= known
    assert set(flow["frames"]) <= known


def test_both_families_are_run_one_after_the_other(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", "--family", "both", "--out", tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    assert len(ALL_HOLD.findall(done.stdout)) == 2
    four, six = sorted(path for path in (tmp_path / "tcp").iterdir() if not path.is_symlink())
    assert (load_recording(four).family.value, load_recording(six).family.value) == (4, 6)
    assert (tmp_path / "tcp" / "latest").resolve() == six


def test_the_artifacts_are_there(runs: dict[str, Path]) -> None:
    folder = runs["4"]
    latest = folder.parent / "latest"
    assert {"recording.pcapng", "recording.jsonl", "report.json"} <= names_in(folder)
    assert latest.is_symlink()
    assert str(latest.readlink()) == folder.name


def test_the_same_scenario_twice_is_two_runs(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", "tcp", "--out", tmp_path)
    assert done.returncode == 0
    assert len([path for path in (tmp_path / "tcp").iterdir() if not path.is_symlink()]) == 2


def test_json_is_the_report_file(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", "--json", "--out", tmp_path)
    assert done.returncode == 0
    assert done.stdout == (tmp_path / "tcp" / "latest" / "report.json").read_text()


def test_json_of_several_runs_is_one_document(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", "udp", "--json", "--out", tmp_path)
    assert done.returncode == 0
    files = [tmp_path / name / "latest" / "report.json" for name in ("tcp", "udp")]
    document = json.loads(done.stdout)
    assert document["schema"] == "wirelab.runs/1"
    assert document["runs"] == [json.loads(file.read_text()) for file in files]


@pytest.mark.parametrize("words", [("--family", "both"), ("--family", "4")])
def test_json_is_a_document_of_runs_by_what_was_typed(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Not by how often the scenario is run: `buffers` is run once for both IP versions."""
    done = wirelab("run", "buffers", *words, "--json", "--out", tmp_path)
    document = json.loads(done.stdout)
    report = document["runs"][0] if "both" in words else document
    assert report == json.loads((tmp_path / "buffers/latest/report.json").read_text())


def test_a_run_says_where_its_artifacts_are_from_any_folder(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", cwd=tmp_path)
    assert done.returncode == 0
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("Artifacts: "))
    assert (tmp_path / line.removeprefix("Artifacts: ") / "report.json").is_file()
    assert names_in(tmp_path) == {"runs"}


def test_a_replay_writes_the_same_report(copied: Path) -> None:
    report = (copied / "report.json").read_bytes()
    (copied / "report.json").unlink()
    done = wirelab("replay", copied, "--json")
    assert done.returncode == 0
    assert (copied / "report.json").read_bytes() == report
    assert done.stdout.encode() == report


@pytest.mark.parametrize("family", FAMILIES)
def test_a_replay_prints_what_the_run_printed(
    runs: dict[str, Path], family: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = wirelab("run", "tcp", "--family", family, "--out", out)
    replayed = wirelab("replay", out / "tcp" / "latest")
    unlike = ("Artifacts: ", "  report.json is derived again")
    printed = [
        [line for line in done.stdout.splitlines() if not line.startswith(unlike)]
        for done in (ran, replayed)
    ]
    assert printed[0] == printed[1]
    assert len(printed[0]) > 50


@pytest.mark.parametrize("family", FAMILIES)
def test_an_ordinary_user_replays_a_run_with_the_same_report(
    runs: dict[str, Path], family: str, as_nobody: list[str], anyones_folder: Path
) -> None:
    folder = Path(shutil.copytree(runs[family], anyones_folder / "copied"))
    report = (folder / "report.json").read_bytes()
    (folder / "report.json").unlink()
    if as_nobody:
        os.chown(folder, NOBODY, NOBODY)
    done = wirelab("replay", folder, as_user=as_nobody)
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "report.json").read_bytes() == report


def test_an_ordinary_user_runs_with_the_same_verdicts(
    as_sandboxing_nobody: list[str], anyones_folder: Path
) -> None:
    done = wirelab(
        "run", "tcp", "--family", "both", "--out", anyones_folder, as_user=as_sandboxing_nobody,
        env={"HOME": str(anyones_folder)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert len(ALL_HOLD.findall(done.stdout)) == 2
    assert "privilege: user namespace" in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="for root only: gives files to another user")
def test_under_sudo_the_artifacts_belong_to_the_user_who_called(tmp_path: Path) -> None:
    caller = {"SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)}
    out = tmp_path / "a" / "b"
    assert wirelab("run", "tcp", "--out", out, env=caller).returncode == 0
    made = [tmp_path / "a", *(tmp_path / "a").rglob("*")]
    assert len(made) == 8
    assert {path.lstat().st_uid for path in made} == {NOBODY}
    assert {path.lstat().st_gid for path in made} == {NOBODY}


def test_a_lost_byte_breaks_a_claim(copied: Path) -> None:
    def lose_a_byte(recording: Recording) -> Recording:
        ending = b"or so I think.\n"
        frames = tuple(
            replace(f, data=f.data[:-1] + b"?") if f.data.endswith(ending) else f
            for f in recording.frames
        )
        assert sum(a != b for a, b in zip(frames, recording.frames, strict=True)) == 2
        return replace(recording, frames=frames)

    done = wirelab("replay", edited(copied, lose_a_byte))
    assert done.returncode == 1
    assert "BROKEN" in done.stdout
    report = json.loads((copied / "report.json").read_text())
    broken = {claim["id"] for claim in report["claims"] if claim["verdict"] == "BROKEN"}
    assert broken == {"tcp-bytes", "tcp-checksums"}
    assert report["verdict"] == "BROKEN"


def test_a_missing_canary_leaves_everything_undecided(copied: Path) -> None:
    def lose_a_canary(recording: Recording) -> Recording:
        payload = recording.canaries[-1].payload
        kept = tuple(f for f in recording.frames if f.data[14:] != payload)
        assert len(kept) == len(recording.frames) - 2
        return replace(recording, frames=kept)

    done = wirelab("replay", edited(copied, lose_a_canary))
    assert done.returncode == 4
    report = json.loads((copied / "report.json").read_text())
    assert {claim["verdict"] for claim in report["claims"]} == {"UNDECIDED"}
    assert "INCOMPLETE CAPTURE" in done.stdout


def test_dropped_frames_leave_everything_undecided(copied: Path) -> None:
    def drop(recording: Recording) -> Recording:
        first, *rest = recording.points
        return replace(
            recording, points=(replace(first, frames=first.frames + 1, dropped=1), *rest)
        )

    done = wirelab("replay", edited(copied, drop))
    assert done.returncode == 4
    assert "the kernel dropped 1 frames at client/eth0" in done.stdout
