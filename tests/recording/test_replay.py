"""Recordings that have a trace, replayed: the same report, the same files."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
import recorded as r
import step_edits as s
from event_ids import named

from lab.recording.storage import FRAMES_FILE, load_recording, save_recording
from lab.records import Recording
from lab.report.capture.comments import frame_comments
from lab.report.capture.notes import trace_notes
from lab.report.document.report import report_document
from lab.report.document.writing import write_document
from lab.run import REPORT_FILE, judge_recording, replay
from lab.scenario_files import find_scenario, load_scenario

TRACED = ["traced-tcp4", "traced-tcp6", "traced-udp4", "traced-unix4", "traced-calls4"]
PRIVATE = (b"/work", b"/tmp", b"/root", b"/home")


def report_of(recording: Recording) -> str:
    scenario = load_scenario(find_scenario(recording.scenario))
    return write_document(report_document(*judge_recording(recording, scenario)))


@pytest.mark.parametrize("name", TRACED)
def test_a_traced_recording_is_saved_again_with_the_same_frames(name: str, tmp_path: Path) -> None:
    recording = load_recording(r.FOLDER / name)
    timelines, _ = judge_recording(recording, load_scenario(find_scenario(recording.scenario)))
    save_recording(recording, tmp_path, frame_comments(timelines), trace_notes(timelines))
    assert load_recording(tmp_path) == recording
    frames = (r.FOLDER / name / FRAMES_FILE).read_bytes()
    assert (tmp_path / FRAMES_FILE).read_bytes() == frames


@pytest.mark.parametrize("name", TRACED)
def test_a_replayed_traced_run_gives_the_same_report(name: str, tmp_path: Path) -> None:
    recording = s.recording_of(name)
    save_recording(recording, tmp_path, {})
    first, again = report_of(recording), report_of(load_recording(tmp_path))
    assert first == again
    document = json.loads(first)
    assert document["verdict"] == "HOLDS"
    assert {claim["verdict"] for claim in document["claims"]} == {"HOLDS"}


@pytest.mark.parametrize("name", TRACED)
def test_evidence_of_a_traced_run_is_an_event_of_its_report(name: str) -> None:
    document = json.loads(report_of(s.recording_of(name)))
    events = Counter(named(event["id"]) for event in document["events"])
    evidence = {named(event) for claim in document["claims"] for event in claim["evidence"]}
    assert {events[event] for event in evidence} == {1}


def test_replay_writes_the_report_once_and_then_finds_it_identical(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(r.FOLDER / "traced-tcp4", folder)
    assert replay(str(folder)).note == f"{REPORT_FILE} is derived again; there was none"
    written = (folder / REPORT_FILE).read_bytes()
    assert replay(str(folder)).note == f"{REPORT_FILE} is derived again, identical"
    assert (folder / REPORT_FILE).read_bytes() == written
    assert written == report_of(s.recording_of("traced-tcp4")).encode("utf-8")


@pytest.mark.parametrize("name", TRACED)
def test_traced_recordings_hold_nothing_of_the_machine_they_were_made_on(name: str) -> None:
    pointed_at = [m.data for c in s.recording_of(name).trace.syscalls for m in c.memory]
    files = [path.read_bytes() for path in (r.FOLDER / name).iterdir()]
    assert pointed_at
    assert not [word for word in PRIVATE for data in [*files, *pointed_at] if word in data]
