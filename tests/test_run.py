"""Runs from end to end, and their replays: artifacts, reports, verdicts, for any user."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from event_ids import all_named, named
from forked_wirelab import forked_wirelab
from outside import (
    FAMILIES,
    edited,
    names_in,
)

from lab.records import Recording

pytestmark = pytest.mark.kernel


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
    assert capture["incomplete"] == []
    assert capture["unfinished"] == []
    assert canaries["sent"] == canaries["seen"] > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_the_report_has_its_parts(runs: dict[str, Path], family: str) -> None:
    report = json.loads((runs[family] / "report.json").read_text())
    assert set(report) >= {
        "schema", "scenario", "family", "started", "kernel", "instruments", "capture",
        "programs", "events", "flows", "claims", "verdict",
    }  # fmt: skip
    frames = [event for event in report["events"] if event["id"]["kind"] == "frame"]
    assert {"id", "sent_ns", "received_ns", "from", "to", "bytes", "summary"} <= set(frames[0])
    (flow,) = report["flows"]
    assert {"id", "a", "b", "frames", "handshake", "options", "teardown"} <= set(flow)
    known = {named(event["id"]) for event in report["events"]}
    for claim in report["claims"]:
        assert {"id", "text", "source", "statements", "verdict", "why", "evidence"} == set(claim)
        assert set(all_named(claim["evidence"])) <= known
    assert set(all_named(flow["frames"])) <= known


def test_the_artifacts_are_there(runs: dict[str, Path]) -> None:
    folder = runs["4"]
    latest = folder.parent / "latest"
    assert {"recording.pcapng", "recording.jsonl", "report.json", "wire.pcapng"} <= names_in(folder)
    assert latest.is_symlink()
    assert str(latest.readlink()) == folder.name


def test_a_lost_byte_breaks_a_claim(copied: Path) -> None:
    def lose_a_byte(recording: Recording) -> Recording:
        ending = b"or so I think.\n"
        frames = tuple(
            replace(f, data=f.data[:-1] + b"?") if f.data.endswith(ending) else f
            for f in recording.frames
        )
        assert sum(a != b for a, b in zip(frames, recording.frames, strict=True)) == 2
        return replace(recording, frames=frames)

    done = forked_wirelab("replay", edited(copied, lose_a_byte))
    assert done.returncode == 1
    assert "BROKEN" in done.stdout
    report = json.loads((copied / "report.json").read_text())
    broken = {claim["id"] for claim in report["claims"] if claim["verdict"] == "BROKEN"}
    # Whose checksum is wrong does not count among what was carried.
    assert broken == {"tcp-bytes", "tcp-accounting", "tcp-checksums"}
    assert report["verdict"] == "BROKEN"


def test_a_missing_canary_leaves_everything_undecided(copied: Path) -> None:
    def lose_a_canary(recording: Recording) -> Recording:
        payload = recording.canaries[-1].payload
        kept = tuple(f for f in recording.frames if f.data[14:] != payload)
        assert len(kept) == len(recording.frames) - 2
        return replace(recording, frames=kept)

    done = forked_wirelab("replay", edited(copied, lose_a_canary))
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

    done = forked_wirelab("replay", edited(copied, drop))
    assert done.returncode == 4
    assert "the kernel dropped 1 frame at client/eth0" in done.stdout
