from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
import recorded as r

from lab.recording.codec import decode_record
from lab.recording.old_format import SCHEMA, converted
from lab.recording.storage import RECORDS_FILE, load_recording, save_recording
from lab.records import Instrument, ProgramRun, SocketSeen, TaskEvent

FOLDERS = sorted(
    folder for folder in r.FOLDER.iterdir() if SCHEMA in (folder / RECORDS_FILE).read_text("utf-8")
)


def test_most_recordings_of_the_tests_are_old_ones() -> None:
    assert len(FOLDERS) >= 20


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_recording_of_the_old_format_is_saved_in_the_new_one(
    folder: Path, tmp_path: Path
) -> None:
    recording = load_recording(folder)
    save_recording(recording, tmp_path, {})
    assert SCHEMA not in (tmp_path / RECORDS_FILE).read_text("utf-8")
    assert load_recording(tmp_path) == recording


def test_a_tasks_kind_was_its_event() -> None:
    line = {
        "kind": "task", "time_ns": 1, "program": "p", "pid": 2, "tid": 3, "parent_tid": 4,
        "shares_files": True, "step": "s", "event": "start",
    }  # fmt: skip
    now = converted(line)
    assert now.pop("record") == "task"
    assert decode_record(TaskEvent, now) == TaskEvent(1, "p", "start", 2, 3, 4, True, "s")


def test_a_sockets_checkpoint_was_its_look() -> None:
    now = converted({"kind": "socket", "look": "unread", "host": "client"})
    assert now == {"record": "socket", "checkpoint": "unread", "host": "client"}
    assert "checkpoint" in {each.name for each in fields(SocketSeen)}


def test_a_program_had_failure_and_remark_only_where_there_were_any() -> None:
    line = {
        "kind": "program", "step": "", "name": "p", "host": "h", "argv": ["a"], "started_ns": 1,
        "ready_ns": None, "ended_ns": 2, "exit_status": 0, "stdout": "", "stderr": "",
    }  # fmt: skip
    for more in ({}, {"failure": "f"}, {"remark": "r"}):
        now = converted(line | more)
        assert now.pop("record") == "program"
        run = decode_record(ProgramRun, now)
        assert (run.failure, run.remark) == (more.get("failure", ""), more.get("remark", ""))


def test_an_ad_hoc_run_was_called_own() -> None:
    now = converted({"kind": "run", "scenario": "own"})
    assert now == {"record": "run", "scenario": "ad-hoc"}
    assert converted({"kind": "run", "scenario": "tcp"})["scenario"] == "tcp"
    assert converted({"kind": "run", "scenario": ["own"]})["scenario"] == ["own"]


@pytest.mark.parametrize("kind", [None, 1, [], {}, "unknown"])
def test_what_is_damaged_stays_damaged(kind: object) -> None:
    now = converted({"kind": kind, "look": 1})
    assert json.dumps(now, sort_keys=True) == json.dumps({"look": 1, "record": kind})


SENTENCES = [
    ("frames: AF_PACKET", [("frames", "measured", 1_000, "AF_PACKET")]),
    ("calls: the programs' own output", [("transcript", None, 0, "the programs' own output")]),
    ("words: the programs' own output", [("transcript", None, 0, "the programs' own output")]),
    ("calls: tracefs, raw", [("calls", "measured", 1_000, "tracefs, raw")]),
    ("calls: ptrace, stopped", [("calls", "measured", 20_000, "ptrace, stopped")]),
    ("calls: not traced (ptrace: EPERM)", [("calls", None, 0, "not traced (ptrace: EPERM)")]),
    ("states and drops: tracefs",
     [("states", "measured", 1_000, "tracefs"), ("drops", "measured", 1_000, "tracefs")]),
    ("states: sampled by TCP_INFO", [("states", "sampled", 20_000, "sampled by TCP_INFO")]),
    ("states: not sampled (EPERM)", [("states", None, 0, "not sampled (EPERM)")]),
    ("bytes at pointers: BPF", [("pointer arguments", "measured", 0, "BPF")]),
    ("bytes at pointers: not read (x)", [("pointer arguments", None, 0, "not read (x)")]),
    ("tracepoints absent: a, b", [("tracepoints", None, 0, "absent: a, b")]),
    ("unix sockets: none, x", [("unix sockets", None, 0, "none, x")]),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "instruments"), SENTENCES, ids=lambda given: str(given)[:30])
def test_an_instrument_was_a_sentence(
    sentence: str, instruments: list[tuple[str, str | None, int, str]]
) -> None:
    now = converted({"kind": "run", "instruments": [sentence]})["instruments"]
    assert [tuple(each.values()) for each in now] == instruments
    for each in now:
        assert str(decode_record(Instrument, each)) == f"{each['kind']}: {each['text']}"


@pytest.mark.parametrize("instrument", ["a crystal ball", 1, None, ["frames: x"]])
def test_what_was_no_instrument_is_none(instrument: object) -> None:
    now = converted({"kind": "run", "instruments": [instrument]})
    assert now["instruments"] == [instrument]


def test_what_was_no_list_of_instruments_is_none() -> None:
    assert converted({"kind": "run", "instruments": "frames: x"})["instruments"] == "frames: x"
