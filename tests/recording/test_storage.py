from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, replace
from ipaddress import ip_interface
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import recorded as r
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab import records
from lab.errors import CaptureFileError
from lab.model.family import Family
from lab.recording.storage import (
    FRAMES_FILE,
    LARGE_BYTES,
    RECORDS_FILE,
    load_recording,
    save_recording,
)
from lab.records import (
    Canary,
    CapturePoint,
    Direction,
    Disturbance,
    DropNotice,
    Frame,
    Instrument,
    InstrumentKind,
    InterfaceSeen,
    KernelEvent,
    KeyLog,
    LineUse,
    Memory,
    Obtained,
    ProgramRun,
    QueueSample,
    Recording,
    SocketSeen,
    SocketState,
    SourceLine,
    StoredFrames,
    Syscall,
    TaskEvent,
    Trace,
)
from lab.report.capture.comments import frame_comments
from lab.report.document.report import report_document
from lab.report.document.writing import write_document

FOLDERS = [r.FOLDER / "tcp4", r.FOLDER / "tcp6"]
OPTIONAL = frozenset({
    "family", "ready_ns", "peer_inode", "stopped_ns", "mtu_bytes", "stdout_bytes", "snap_bytes",
})  # fmt: skip
KINDS: dict[str, type] = {
    "run": Recording,
    "trace": records.Trace,
    "interface": records.InterfaceSeen,
    "point": records.CapturePoint,
    "canary": records.Canary,
    "program": records.ProgramRun,
    "socket": records.SocketSeen,
    "syscall": records.Syscall,
    "task": records.TaskEvent,
    "state": records.SocketState,
    "drop": records.DropNotice,
    "event": records.KernelEvent,
    "queue": records.QueueSample,
    "source line": records.SourceLine,
    "line use": records.LineUse,
    "held socket": records.HeldSocket,
    "closing": records.HeldSocket,
}
"""By the "record" of a line, the class of what it is."""


DIGESTS = {"frames_sha256", "records_sha256"}


def with_default(record: str) -> set[str]:
    """The fields of such a line that may be missing."""
    if record == "end":
        return DIGESTS
    kind = KINDS.get(record)
    known = fields(kind) if kind is not None else ()
    return {field.name for field in known if field.default is not MISSING}


OTHER_VALUES: list[Any] = [None, True, -1, 2**63, 1.5, "x", "", [], ["x"], [None], {}, [[]]]


def saved_again(recording: Recording, folder: Path) -> Recording:
    save_recording(recording, folder, {})
    return load_recording(folder)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A recording to be damaged."""
    folder = tmp_path / "run"
    folder.mkdir()
    save_recording(r.recorded(4), folder, {})
    return folder


@pytest.fixture
def undigested(copy: Path) -> Path:
    """The same as it was before there were digests."""
    *lines, last = lines_of(copy)
    end = {key: value for key, value in json.loads(last).items() if key not in DIGESTS}
    (copy / RECORDS_FILE).write_text("".join([*lines, json.dumps(end) + "\n"]), "utf-8")
    return copy


def lines_of(folder: Path) -> list[str]:
    return (folder / RECORDS_FILE).read_text("utf-8").splitlines(keepends=True)


def damage(folder: Path, text: str) -> str:
    """What is said of a recording whose records are this text."""
    (folder / RECORDS_FILE).write_text(text, "utf-8")
    with pytest.raises(CaptureFileError) as error:
        load_recording(folder)
    return str(error.value)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_recordings_of_the_tests_hold_nothing_of_the_machine_they_were_made_on(
    folder: Path,
) -> None:
    for path in folder.iterdir():
        data = path.read_bytes()
        assert not [word for word in (b"/work", b"/tmp", b"/root", b"/home") if word in data]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_loaded_recording_is_saved_as_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    recording = load_recording(folder)
    (timeline,), _ = r.judged(recording)
    save_recording(recording, tmp_path, frame_comments([timeline]))
    assert (tmp_path / FRAMES_FILE).read_bytes() == (folder / FRAMES_FILE).read_bytes()
    text = (tmp_path / RECORDS_FILE).read_bytes()
    assert load_recording(tmp_path) == recording
    save_recording(recording, tmp_path, frame_comments([timeline]))
    assert (tmp_path / RECORDS_FILE).read_bytes() == text


def test_the_first_line_says_the_formats_version(copy: Path) -> None:
    first = json.loads(lines_of(copy)[0])
    assert (first["record"], first["schema"]) == ("run", "wirelab.recording/2")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_replayed_run_gives_the_same_report(folder: Path, tmp_path: Path) -> None:
    recording = load_recording(folder)
    reports = [
        write_document(report_document(*r.judged(each)))
        for each in (recording, load_recording(folder), saved_again(recording, tmp_path))
    ]
    assert reports[0] == reports[1] == reports[2]


@pytest.mark.parametrize("name", ["tcp4", "udp4", "switch4", "loss-data4", "traced-tcp4"])
def test_a_run_whose_frames_stay_in_their_file_gives_the_same_report(name: str) -> None:
    late, usual = load_recording(r.FOLDER / name, 0), load_recording(r.FOLDER / name)
    assert isinstance(late.frames, StoredFrames)
    assert late == usual
    reports = [write_document(report_document(*r.judged(each))) for each in (late, usual)]
    assert reports[0] == reports[1]


def test_what_is_wrong_with_a_large_file_of_frames_is_said_as_of_a_small_one(copy: Path) -> None:
    data = (copy / FRAMES_FILE).read_bytes()
    for other in (data[:-3], data[:40], b"", data + data[:-1], data[:-40] + bytes(40)):
        (copy / FRAMES_FILE).write_bytes(other)
        said = []
        for large_bytes in (0, LARGE_BYTES):
            with pytest.raises(CaptureFileError) as error:
                load_recording(copy, large_bytes)
            said.append(str(error.value))
        assert said[0] == said[1]


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)
TEXTS = st.text(max_size=12)
TIMES = st.integers(0, 2**62)
POINTS = st.builds(CapturePoint, NAMES, NAMES, NAMES, NAMES, TIMES, TIMES)
ADDRESSES = st.ip_addresses(v=4).map(lambda a: f"{a}/24") | st.ip_addresses(v=6).map(str)


def some(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


def traces() -> st.SearchStrategy[Trace]:
    u64, truths = st.integers(0, 2**64 - 1), st.booleans()
    memory = st.builds(Memory, TIMES, TEXTS, truths, st.binary(max_size=9), TIMES)
    return st.builds(
        Trace,
        syscalls=some(
            st.builds(
                Syscall,
                TEXTS, TIMES, TIMES, TEXTS, some(u64), some(memory), TIMES, st.none() | TIMES,
                st.none() | st.integers(-4095, 2**62), TEXTS, TEXTS,
            )
        ),
        tasks=some(
            st.builds(
                TaskEvent,
                TIMES, TEXTS, st.sampled_from(["start", "exec", "exit"]), TIMES, TIMES, TIMES,
                truths, TEXTS,
            )
        ),
        states=some(
            st.builds(
                SocketState,
                TIMES, st.sampled_from(Obtained), TEXTS, TEXTS, TEXTS, TEXTS, TIMES, TEXTS, TIMES,
                TIMES, TEXTS,
            )
        ),
        drops=some(st.builds(DropNotice, TIMES, TEXTS, TEXTS, st.none() | TIMES, TIMES, TEXTS)),
        events=some(
            st.builds(
                KernelEvent,
                TIMES, TEXTS, TIMES, st.dictionaries(TEXTS, u64 | TEXTS, max_size=2), TEXTS,
            )
        ),
        lost=TIMES,
        queues=some(st.builds(QueueSample, TIMES, TEXTS, TEXTS, TIMES, TIMES, TEXTS)),
    )  # fmt: skip


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    points = draw(st.lists(POINTS, max_size=3, unique_by=lambda point: point.name))
    names = st.sampled_from([point.name for point in points]) if points else st.nothing()
    frames = st.builds(
        lambda time, point, direction, data, more: Frame(
            time, point, direction, data, len(data) + more
        ),
        TIMES, names, st.sampled_from(Direction), st.binary(max_size=20), st.integers(0, 9),
    )  # fmt: skip
    canaries = st.builds(Canary, st.sampled_from(["opening", "closing"]), names, st.binary(), TEXTS)
    interfaces = st.builds(
        InterfaceSeen, TEXTS, TEXTS, st.lists(ADDRESSES.map(ip_interface), max_size=2).map(tuple)
    )
    instruments = st.builds(
        Instrument,
        st.sampled_from(InstrumentKind), st.none() | st.sampled_from(Obtained), TIMES, TEXTS,
    )  # fmt: skip
    programs = st.builds(
        ProgramRun,
        TEXTS, TEXTS, st.lists(TEXTS, max_size=3).map(tuple), TIMES, st.none() | TIMES, TIMES,
        st.integers(-64, 255), TEXTS, TEXTS, TEXTS, TEXTS,
    )  # fmt: skip
    sockets = st.builds(
        SocketSeen,
        TIMES, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TIMES, st.none() | TIMES, TIMES, TIMES, TEXTS,
    )  # fmt: skip
    some_names = st.lists(TEXTS, max_size=2).map(tuple)
    disturbances = st.builds(Disturbance, TEXTS, some_names, TEXTS)
    lines = st.builds(SourceLine, TEXTS, TIMES, TEXTS, TEXTS, TIMES, some_names)
    uses = st.builds(LineUse, TEXTS, TIMES, st.just(0), TIMES, st.none() | TIMES, TEXTS)
    key_logs = st.builds(KeyLog, TEXTS, TEXTS, TIMES, TEXTS)
    source_lines = tuple(draw(st.lists(lines, max_size=2)))
    return Recording(
        scenario=draw(TEXTS),
        family=draw(st.sampled_from([*Family, None])),
        started_ns=draw(TIMES),
        kernel=draw(TEXTS),
        instruments=tuple(draw(st.lists(instruments, max_size=2))),
        interfaces=tuple(draw(st.lists(interfaces, max_size=2))),
        points=tuple(points),
        canaries=tuple(draw(st.lists(canaries, max_size=3 if points else 0))),
        programs=tuple(draw(st.lists(programs, max_size=2))),
        unfinished=tuple(draw(st.lists(TEXTS, max_size=2))),
        frames=tuple(draw(st.lists(frames, max_size=4 if points else 0))),
        sockets=tuple(draw(st.lists(sockets, max_size=2))),
        trace=draw(traces()),
        disturbances=tuple(draw(st.lists(disturbances, max_size=2))),
        source_lines=source_lines,
        line_uses=tuple(draw(st.lists(uses, max_size=2 if source_lines else 0))),
        key_logs=tuple(draw(st.lists(key_logs, max_size=2))),
    )


@examples(60)
@given(recordings())
def test_what_is_saved_is_loaded_again(recording: Recording) -> None:
    with TemporaryDirectory() as folder:
        assert saved_again(recording, Path(folder)) == recording


@pytest.mark.parametrize("text", ["\u2028 \x85 \x1c \r\n \v \f", "\udcff no UTF-8", "漢字 😀 \0"])
def test_odd_characters_of_a_program_come_back(text: str, tmp_path: Path) -> None:
    run = replace(r.recorded(4).programs[0], stdout=text, argv=("python3", text))
    recording = replace(r.recorded(4), programs=(run,))
    loaded = saved_again(recording, tmp_path)
    assert loaded == recording
    write_document(report_document(*r.judged(loaded))).encode("utf-8")


def test_records_cut_off_anywhere_are_damaged(copy: Path) -> None:
    text = (copy / RECORDS_FILE).read_text("utf-8")
    for end in itertools.chain(range(0, len(text) - 1, 37), range(len(text) - 50, len(text) - 1)):
        assert "recording.jsonl is damaged" in damage(copy, text[:end])


def test_a_last_line_without_its_end_of_line_is_whole(copy: Path) -> None:
    text = (copy / RECORDS_FILE).read_text("utf-8")
    (copy / RECORDS_FILE).write_text(text[:-1], "utf-8")
    assert load_recording(copy) == r.recorded(4)


def test_every_line_is_missed(copy: Path) -> None:
    lines = lines_of(copy)
    for index in range(len(lines)):
        assert "damaged" in damage(copy, "".join(lines[:index] + lines[index + 1 :]))


def test_no_line_may_be_there_twice(copy: Path) -> None:
    lines = lines_of(copy)
    for index in range(len(lines)):
        assert "damaged" in damage(copy, "".join(lines[: index + 1] + lines[index:]))


def test_every_key_is_missed_that_has_no_default(copy: Path) -> None:
    lines = lines_of(copy)
    for index, line in first_of_each_kind(lines):
        for key in line.keys() - {"record", "schema"} - with_default(line["record"]):
            fewer = json.dumps({k: v for k, v in line.items() if k != key}) + "\n"
            said = damage(copy, "".join([*lines[:index], fewer, *lines[index + 1 :]]))
            assert f"line {index + 1}, record {line['record']!r}: '{key}' is missing" in said


def test_a_recording_of_before_the_fields_with_a_default_is_loaded(tmp_path: Path) -> None:
    before = Recording(
        "s",
        None,
        1,
        "k",
        (),
        (),
        (),
        (),
        (ProgramRun("p", "h", (), 1, None, 2, 0, "", ""),),
        (),
        (),
    )
    save_recording(before, tmp_path, {})
    lines = [json.loads(line) for line in lines_of(tmp_path)]
    assert set().union(*lines) >= {"step", "failure", "remark", "clock_step_ns", "source"}
    fewer = [
        {k: v for k, v in line.items() if k not in with_default(line["record"])} for line in lines
    ]
    text = "".join(json.dumps(line) + "\n" for line in fewer)
    (tmp_path / RECORDS_FILE).write_text(text, "utf-8")
    assert load_recording(tmp_path) == before


@pytest.mark.parametrize("line", [1, -1])
def test_a_use_of_a_source_line_that_there_is_not_is_damage(line: int, tmp_path: Path) -> None:
    lines = (SourceLine("a.py", 1, "f", "", 1, ("x",)),)
    uses = (LineUse("client", 1, line, 1, 2),)
    recording = replace(r.recorded(4), source_lines=lines, line_uses=uses)
    save_recording(recording, tmp_path, {})
    with pytest.raises(CaptureFileError, match=f"there is no source line {line}"):
        load_recording(tmp_path)


def test_a_line_that_does_not_say_what_it_is_is_damage(copy: Path) -> None:
    lines = lines_of(copy)
    nameless = json.dumps({k: v for k, v in json.loads(lines[3]).items() if k != "record"})
    said = damage(copy, "".join([*lines[:3], nameless + "\n", *lines[4:]]))
    assert "line 4: None is no kind of record" in said


def test_a_field_that_no_record_has_is_damage(copy: Path) -> None:
    lines = lines_of(copy)
    more = json.dumps(json.loads(lines[3]) | {"colour": "red"})
    said = damage(copy, "".join([*lines[:3], more + "\n", *lines[4:]]))
    assert "line 4" in said and "there is no field 'colour'" in said


def first_of_each_kind(lines: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    kinds: set[str] = set()
    for index, text in enumerate(lines):
        line = json.loads(text)
        if line["record"] not in kinds:
            kinds.add(line["record"])
            yield index, line


def test_another_value_is_damage_or_another_recording_that_can_be_judged(undigested: Path) -> None:
    copy = undigested
    lines = lines_of(copy)
    damaged = 0
    for index, line in first_of_each_kind(lines):
        for key, value in itertools.product(line, OTHER_VALUES):
            if line[key] == value:
                continue
            changed = json.dumps(line | {key: value}) + "\n"
            text = "".join([*lines[:index], changed, *lines[index + 1 :]])
            (copy / RECORDS_FILE).write_text(text, "utf-8")
            try:
                recording = load_recording(copy)
            except CaptureFileError as error:
                damaged += 1
                assert "\n" not in str(error)
            else:
                assert type(value) is type(line[key]) or key in OPTIONAL, (key, value)
                write_document(report_document(*r.judged(recording)))
    assert damaged > 250


def test_a_recording_without_digests_is_loaded(undigested: Path) -> None:
    assert load_recording(undigested) == r.recorded(4)


@pytest.mark.parametrize("name", [FRAMES_FILE, RECORDS_FILE])
def test_a_flipped_bit_anywhere_is_found_and_its_file_named(copy: Path, name: str) -> None:
    path = copy / name
    whole = path.read_bytes()
    places = {*range(0, len(whole), 211), *range(len(whole) - 300, len(whole))}
    with path.open("r+b", buffering=0) as file:
        for place in sorted(places):
            os.pwrite(file.fileno(), bytes([whole[place] ^ 1 << place % 8]), place)
            with pytest.raises(CaptureFileError) as error:
                load_recording(copy)
            said = str(error.value)
            assert f"{name} is " in said or f"{name}: " in said or f"{name} holds " in said, place
            assert "\n" not in said
            os.pwrite(file.fileno(), whole[place : place + 1], place)
    assert path.read_bytes() == whole
    assert load_recording(copy) == r.recorded(4)


def test_frames_saved_again_by_others_are_named(copy: Path) -> None:
    """As Wireshark does it with a comment of the user's."""
    recording = r.recorded(4)
    text = (copy / RECORDS_FILE).read_bytes()
    save_recording(recording, copy, {0: "seen"})
    (copy / RECORDS_FILE).write_bytes(text)
    with pytest.raises(CaptureFileError, match=r"recording\.pcapng is not the file that was rec"):
        load_recording(copy)


@pytest.mark.parametrize(
    "text",
    ["", "\n", "{}\n", "[]\n", "null\n", "1\n", '"record"\n', '{"record": []}\n', "[" * 100_000,
     '{"record": "run"}\n{"record": "end"}\n', '{"record": "run", "schema": "wirelab.recording/2"}',
     "\ufeff{}", "NaN", '{"record": ' + "9" * 5000 + "}"],
)  # fmt: skip
def test_what_is_no_recording_is_damaged(copy: Path, text: str) -> None:
    assert "recording.jsonl is damaged" in damage(copy, text)


def test_another_schema_is_named(copy: Path) -> None:
    text = (copy / RECORDS_FILE).read_text("utf-8").replace("wirelab.recording/2", "other/2")
    assert "its schema is 'other/2', not 'wirelab.recording/2'" in damage(copy, text)


def test_a_frame_of_an_unknown_point_is_damage(undigested: Path) -> None:
    text = (undigested / RECORDS_FILE).read_text("utf-8").replace("client/eth0", "client/eth9")
    assert "there is no capture point 'client/eth0'" in damage(undigested, text)


def test_frames_cut_off_anywhere_are_an_error(copy: Path) -> None:
    data = (copy / FRAMES_FILE).read_bytes()
    for end in range(0, len(data), 97):
        (copy / FRAMES_FILE).write_bytes(data[:end])
        with pytest.raises(CaptureFileError):
            load_recording(copy)


def test_frames_that_end_at_a_whole_frame_are_missed(copy: Path) -> None:
    recording = load_recording(copy)
    text = (copy / RECORDS_FILE).read_text("utf-8")
    save_recording(replace(recording, frames=recording.frames[:-1]), copy, {})
    assert "recorded with 64 frames; recording.pcapng holds 63" in damage(copy, text)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: shutil.rmtree(folder), "holds no recording: no recording.jsonl"),
        (lambda folder: (folder / RECORDS_FILE).unlink(), "holds no recording"),
        (lambda folder: (folder / FRAMES_FILE).unlink(), "no such file"),
        (lambda folder: (folder / FRAMES_FILE).write_bytes(b""), "recording.pcapng"),
        (lambda folder: (folder / RECORDS_FILE).write_bytes(b"\xff\xfe"), "cannot read"),
    ],
)
def test_a_folder_that_holds_no_whole_recording_is_named(
    copy: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(copy)
    with pytest.raises(CaptureFileError) as error:
        load_recording(copy)
    assert said in str(error.value)
    assert str(copy) in str(error.value)


def test_a_file_instead_of_a_folder_is_an_error(copy: Path) -> None:
    with pytest.raises(CaptureFileError, match="cannot read"):
        load_recording(copy / RECORDS_FILE)


def test_a_programs_failure_and_remark_are_kept(tmp_path: Path) -> None:
    first, second = r.recorded(4).programs
    programs = (replace(first, failure="was killed"), replace(second, remark="went on"))
    recording = replace(r.recorded(4), programs=programs)
    assert saved_again(recording, tmp_path).programs == programs
