"""A run on disk: saved whole, loaded again with no privileges.

A recording's folder holds `recording.pcapng` (every frame, canaries included, one named
interface for each capture point) and `recording.jsonl` (the rest, a JSON object a line,
each with its `kind`). `report.json` beside them is derived, and written last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from ipaddress import ip_interface
from pathlib import Path

from lab.errors import CaptureFileError
from lab.model.family import Family
from lab.pcap.capture_file import read_capture
from lab.pcap.pcapng import write_pcapng
from lab.pcap.upper_pdu import CaptureNote
from lab.recording.line import Line, number_of, number_or_none_of, text_of, texts_of
from lab.recording.trace_lines import KINDS as TRACE_KINDS
from lab.recording.trace_lines import parse_trace, trace_lines
from lab.records import (
    Canary,
    CapturePoint,
    Frame,
    InterfaceSeen,
    ProgramRun,
    Recording,
    SocketSeen,
)

SCHEMA = "wirelab.recording/1"
FRAMES_FILE = "recording.pcapng"
RECORDS_FILE = "recording.jsonl"
KINDS = TRACE_KINDS | {"run", "interface", "point", "canary", "program", "socket", "end"}


def save_recording(
    recording: Recording,
    folder: Path,
    comments: Mapping[int, str],
    notes: Sequence[CaptureNote] = (),
) -> None:
    """Write both files; `comments` go with the frames at those indexes, `notes` between them.

    Both are for readers in Wireshark; neither is read again.

    Raises OSError.
    """
    names = [point.name for point in recording.points]
    with (folder / FRAMES_FILE).open("wb") as file:
        write_pcapng(file, names, recording.frames, comments, "wirelab", notes)
    lines = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(recording))
    # A file name that is no UTF-8 has surrogates in Python, for which JSON has an escape.
    (folder / RECORDS_FILE).write_text(lines, "utf-8", "backslashreplace")


def load_recording(folder: Path) -> Recording:
    """The recording that was saved in a folder.

    Raises CaptureFileError where the folder holds none, or one that is damaged.
    """
    path = folder / RECORDS_FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise CaptureFileError(f"{folder} holds no recording: no {RECORDS_FILE}") from None
    except OSError as error:
        raise CaptureFileError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CaptureFileError(f"cannot read {path}: {error}") from None
    frames = read_capture(folder / FRAMES_FILE)
    try:
        recording, recorded_frames = _parse(text, frames)
    except KeyError as error:
        raise CaptureFileError(f"{path} is damaged: there is no {error}") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise CaptureFileError(f"{path} is damaged: {error}") from None
    if recorded_frames != len(frames):
        raise CaptureFileError(
            f"{folder} was recorded with {recorded_frames} frames; "
            f"{FRAMES_FILE} holds {len(frames)}"
        )
    return recording


def _parse(text: str, frames: tuple[Frame, ...]) -> tuple[Recording, int]:
    """The recording with these frames, and how many there were when it was saved.

    Raises KeyError, ValueError, TypeError, AttributeError and RecursionError where the text
    is none of save_recording's.
    """
    by_kind: dict[str, list[Line]] = {}
    # Not splitlines(): JSON leaves U+2028 and others in strings as they are.
    text_lines = text.removesuffix("\n").split("\n")
    for text_line in text_lines:
        line = json.loads(text_line)
        if line["kind"] not in KINDS:
            raise ValueError(f"a record is of unknown kind {line['kind']!r}")
        by_kind.setdefault(line["kind"], []).append(line)
    (run,), (end,) = by_kind["run"], by_kind["end"]
    if run["schema"] != SCHEMA:
        raise ValueError(f"its schema is {run['schema']!r}, not {SCHEMA!r}")
    if number_of(end, "records") != len(text_lines) - 1:
        raise ValueError(f"it was saved with {end['records']} records, not {len(text_lines) - 1}")
    recording = Recording(
        scenario=text_of(run, "scenario"),
        family=None if run["family"] is None else Family(number_of(run, "family")),
        started_ns=number_of(run, "started_ns"),
        kernel=text_of(run, "kernel"),
        instruments=texts_of(run, "instruments"),
        interfaces=tuple(map(_interface, by_kind.get("interface", ()))),
        points=tuple(map(_point, by_kind.get("point", ()))),
        canaries=tuple(map(_canary, by_kind.get("canary", ()))),
        programs=tuple(map(_program, by_kind.get("program", ()))),
        unfinished=texts_of(run, "unfinished"),
        frames=frames,
        clock_step_ns=number_of(run, "clock_step_ns"),
        sockets=tuple(map(_socket, by_kind.get("socket", ()))),
        trace=parse_trace(by_kind),
    )
    _check_points(recording)
    return recording, number_of(end, "frames")


def _check_points(recording: Recording) -> None:
    """Raise ValueError where a frame or canary names a point that there is not."""
    names = {point.name for point in recording.points}
    used = {frame.point for frame in recording.frames}
    used |= {canary.point for canary in recording.canaries}
    for name in sorted(used - names):
        raise ValueError(f"there is no capture point {name!r}")


def _lines(recording: Recording) -> list[Line]:
    lines = [*_head_lines(recording), *_step_lines(recording), *trace_lines(recording.trace)]
    # A recording without this line was cut off.
    return [*lines, {"kind": "end", "records": len(lines), "frames": len(recording.frames)}]


def _head_lines(recording: Recording) -> list[Line]:
    """What holds for the whole run."""
    return [
        {
            "kind": "run",
            "schema": SCHEMA,
            "scenario": recording.scenario,
            "family": recording.family and recording.family.value,
            "started_ns": recording.started_ns,
            "kernel": recording.kernel,
            "instruments": recording.instruments,
            "unfinished": recording.unfinished,
            "clock_step_ns": recording.clock_step_ns,
        },
        *(
            {
                "kind": "interface",
                "host": seen.host,
                "name": seen.name,
                "addresses": [str(address) for address in seen.addresses],
            }
            for seen in recording.interfaces
        ),
        *(
            {
                "kind": "point",
                "name": point.name,
                "host": point.host,
                "interface": point.interface,
                "link": point.link,
                "frames": point.frames,
                "dropped": point.dropped,
            }
            for point in recording.points
        ),
    ]


def _step_lines(recording: Recording) -> list[Line]:
    """What belongs to one step each."""
    return [
        *(
            {
                "kind": "canary",
                "step": canary.step,
                "bracket": canary.bracket,
                "point": canary.point,
                "payload": canary.payload.hex(),
            }
            for canary in recording.canaries
        ),
        *(
            {
                "kind": "program",
                "step": run.step,
                "name": run.name,
                "host": run.host,
                "argv": run.argv,
                "started_ns": run.started_ns,
                "ready_ns": run.ready_ns,
                "ended_ns": run.ended_ns,
                "exit_status": run.exit_status,
                "stdout": run.stdout,
                "stderr": run.stderr,
                **({"failure": run.failure} if run.failure else {}),
                **({"remark": run.remark} if run.remark else {}),
            }
            for run in recording.programs
        ),
        *(
            {"kind": "socket"} | {name: getattr(seen, name) for name in seen.__slots__}
            for seen in recording.sockets
        ),
    ]


def _interface(line: Line) -> InterfaceSeen:
    addresses = tuple(map(ip_interface, texts_of(line, "addresses")))
    return InterfaceSeen(text_of(line, "host"), text_of(line, "name"), addresses)


def _point(line: Line) -> CapturePoint:
    return CapturePoint(
        name=text_of(line, "name"),
        host=text_of(line, "host"),
        interface=text_of(line, "interface"),
        link=text_of(line, "link"),
        frames=number_of(line, "frames"),
        dropped=number_of(line, "dropped"),
    )


def _canary(line: Line) -> Canary:
    bracket = text_of(line, "bracket")
    if bracket not in ("opening", "closing"):
        raise ValueError(f"a canary's bracket is {bracket!r}")
    payload = bytes.fromhex(text_of(line, "payload"))
    return Canary(bracket, text_of(line, "point"), payload, text_of(line, "step"))


def _program(line: Line) -> ProgramRun:
    return ProgramRun(
        name=text_of(line, "name"),
        host=text_of(line, "host"),
        argv=texts_of(line, "argv"),
        started_ns=number_of(line, "started_ns"),
        ready_ns=number_or_none_of(line, "ready_ns"),
        ended_ns=number_of(line, "ended_ns"),
        exit_status=number_of(line, "exit_status"),
        stdout=text_of(line, "stdout"),
        stderr=text_of(line, "stderr"),
        step=text_of(line, "step"),
        failure=text_of({"failure": ""} | line, "failure"),
        remark=text_of({"remark": ""} | line, "remark"),
    )


def _socket(line: Line) -> SocketSeen:
    return SocketSeen(
        time_ns=number_of(line, "time_ns"),
        look=text_of(line, "look"),
        host=text_of(line, "host"),
        type=text_of(line, "type"),
        state=text_of(line, "state"),
        name=text_of(line, "name"),
        inode=number_of(line, "inode"),
        peer_inode=number_or_none_of(line, "peer_inode"),
        receive_queue=number_of(line, "receive_queue"),
        send_queue=number_of(line, "send_queue"),
        step=text_of(line, "step"),
    )
