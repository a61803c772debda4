"""A run on disk: saved whole, loaded again with no privileges.

A recording's folder holds `recording.pcapng` (every frame, canaries included, one named
interface for each capture point) and `recording.jsonl` (the rest, a JSON object a line,
each with its `kind`). `report.json` beside them is derived, and written last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

from lab.capture_file import read_capture
from lab.errors import CaptureFileError
from lab.pcapng import write_pcapng
from lab.records import Canary, CapturePoint, Family, InterfaceSeen, ProgramRun, Recording

SCHEMA = "wirelab.recording/1"
FRAMES_FILE = "recording.pcapng"
RECORDS_FILE = "recording.jsonl"

Line = dict[str, Any]


def save_recording(recording: Recording, folder: Path, comments: Mapping[int, str]) -> None:
    """Write both files; `comments` go with the frames at those indexes.

    Raises OSError.
    """
    names = [point.name for point in recording.points]
    with (folder / FRAMES_FILE).open("wb") as file:
        write_pcapng(file, names, recording.frames, comments, "wirelab")
    lines = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(recording))
    (folder / RECORDS_FILE).write_text(lines, "utf-8")


def load_recording(folder: Path) -> Recording:
    """The recording that was saved in a folder.

    Raises CaptureFileError where the folder holds none, or one that is damaged.
    """
    path = folder / RECORDS_FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise CaptureFileError(f"{folder} holds no recording: no {RECORDS_FILE}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CaptureFileError(f"cannot read {path}: {error}") from None
    frames = read_capture(folder / FRAMES_FILE)
    try:
        by_kind: dict[str, list[Line]] = {}
        for text_line in text.splitlines():
            line = json.loads(text_line)
            by_kind.setdefault(line["kind"], []).append(line)
        (run,) = by_kind["run"]
        (end,) = by_kind["end"]
        if run["schema"] != SCHEMA:
            raise CaptureFileError(f"{path} has schema {run['schema']!r}, not {SCHEMA!r}")
        if end["frames"] != len(frames):
            raise CaptureFileError(
                f"{folder} was recorded with {end['frames']} frames; "
                f"{FRAMES_FILE} holds {len(frames)}"
            )
        return Recording(
            scenario=run["scenario"],
            family=Family(run["family"]),
            started_ns=run["started_ns"],
            kernel=run["kernel"],
            instruments=tuple(run["instruments"]),
            interfaces=tuple(map(_interface, by_kind.get("interface", ()))),
            points=tuple(map(_point, by_kind.get("point", ()))),
            canaries=tuple(map(_canary, by_kind.get("canary", ()))),
            programs=tuple(map(_program, by_kind.get("program", ()))),
            unfinished=tuple(run["unfinished"]),
            frames=frames,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CaptureFileError(f"{path} is damaged: {type(error).__name__}: {error}") from None


def _lines(recording: Recording) -> list[Line]:
    return [
        {
            "kind": "run",
            "schema": SCHEMA,
            "scenario": recording.scenario,
            "family": recording.family.value,
            "started_ns": recording.started_ns,
            "kernel": recording.kernel,
            "instruments": recording.instruments,
            "unfinished": recording.unfinished,
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
        *(
            {
                "kind": "canary",
                "bracket": canary.bracket,
                "point": canary.point,
                "payload": canary.payload.hex(),
            }
            for canary in recording.canaries
        ),
        *(
            {
                "kind": "program",
                "name": run.name,
                "host": run.host,
                "argv": run.argv,
                "started_ns": run.started_ns,
                "ready_ns": run.ready_ns,
                "ended_ns": run.ended_ns,
                "exit_status": run.exit_status,
                "stdout": run.stdout,
                "stderr": run.stderr,
            }
            for run in recording.programs
        ),
        # A recording without this line was cut off.
        {"kind": "end", "frames": len(recording.frames)},
    ]


def _interface(line: Line) -> InterfaceSeen:
    addresses = tuple(ip_interface(address) for address in line["addresses"])
    return InterfaceSeen(line["host"], line["name"], addresses)


def _point(line: Line) -> CapturePoint:
    return CapturePoint(
        name=line["name"],
        host=line["host"],
        interface=line["interface"],
        link=line["link"],
        frames=line["frames"],
        dropped=line["dropped"],
    )


def _canary(line: Line) -> Canary:
    return Canary(line["bracket"], line["point"], bytes.fromhex(line["payload"]))


def _program(line: Line) -> ProgramRun:
    return ProgramRun(
        name=line["name"],
        host=line["host"],
        argv=tuple(line["argv"]),
        started_ns=line["started_ns"],
        ready_ns=line["ready_ns"],
        ended_ns=line["ended_ns"],
        exit_status=line["exit_status"],
        stdout=line["stdout"],
        stderr=line["stderr"],
    )
