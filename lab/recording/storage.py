"""A run on disk: saved whole, loaded again with no privileges.

A recording's folder holds `recording.pcapng` (every frame, canaries included, one named
interface for each capture point) and `recording.jsonl`: the rest, a JSON object a line, whose
"record" says what it is. The first is the run's, with the format's version as its "schema"; then
comes a line for each record; the last counts records and frames, so that what was cut off is
missed, and has digests of both files, so that what was changed is. `report.json` beside them is
derived, and written last.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from lab.errors import CaptureFileError
from lab.frozen import frozen
from lab.pcap.pcapng_writing import write_pcapng
from lab.pcap.upper_pdu import CaptureNote
from lab.recording import old_format
from lab.recording.artifacts import named
from lab.recording.codec import (
    Fields,
    Object,
    RecordError,
    decode_record,
    encode_record,
    fields_of,
    item_decoder,
)
from lab.records import Frame, Recording, Trace
from lab.records.stored_frames import origins_of

SCHEMA = "wirelab.recording/2"
FRAMES_FILE = "recording.pcapng"
RECORDS_FILE = "recording.jsonl"

LINES_OF_RUN = {
    "interface": "interfaces",
    "point": "points",
    "canary": "canaries",
    "program": "programs",
    "socket": "sockets",
    "source line": "source_lines",
    "line use": "line_uses",
    "key log": "key_logs",
    "sysctl": "sysctls",
    "translation": "translations",
    "counters": "counters",
    "held socket": "held_sockets",
    "wire rule": "wire_rules",
    "strike": "wire_strikes",
}
"""By the "record" of a line, the field of the Recording that the line is an item of."""

LINES_OF_TRACE = {
    "syscall": "syscalls",
    "task": "tasks",
    "state": "states",
    "drop": "drops",
    "event": "events",
    "queue": "queues",
    "closing": "closings",
}
"""The same of its Trace. All other fields of the two are in the lines "run" and "trace"."""

LARGE_BYTES = 1 << 22
"""A file of frames that is larger is not read into memory. Some 20,000 small ones have this."""

_encode_line = json.JSONEncoder(ensure_ascii=False).encode
_decode_line = json.JSONDecoder().decode


@frozen
class _End:
    """The last line: what ties the two files together."""

    records: int
    """The lines before it."""
    frames: int
    frames_sha256: str = ""
    """The SHA-256 of the file of frames, in hexadecimal digits; "" in folders made before there
    were digests."""
    records_sha256: str = ""
    """The same of this file, where this field is "" in it."""


def save_recording(
    recording: Recording,
    folder: Path,
    comments: Mapping[int, str],
    notes: Sequence[CaptureNote] = (),
    key_logs: Sequence[str] = (),
) -> None:
    """Write both files; `comments` go with the frames at those indexes, `notes` between them.

    Both are for readers in Wireshark, as `key_logs` are, TLS secrets; none is read again.

    Raises OSError.
    """
    names = [point.name for point in recording.points]
    with named(folder / FRAMES_FILE) as path, path.open("wb") as file:
        frames = recording.frames
        write_pcapng(file, names, frames, comments, "wirelab", notes, key_logs=key_logs)
    frames_sha256 = _sha256_of_file(folder / FRAMES_FILE)
    with named(folder / RECORDS_FILE) as path, path.open("wb") as file:
        # A line at a time: all of them take as much room as the recording itself.
        digest, count = hashlib.sha256(), 0
        for line in _lines(recording):
            count += 1
            encoded = _encoded(_encode_line(line))
            digest.update(encoded)
            file.write(encoded)
        end = _End(count, len(recording.frames), frames_sha256)
        digest.update(_encoded(_end_line(end)))
        file.write(_encoded(_end_line(replace(end, records_sha256=digest.hexdigest()))))


def load_recording(folder: Path, large_bytes: int = LARGE_BYTES) -> Recording:
    """The recording that was saved in a folder.

    Where its frames' file is larger than `large_bytes` their bytes stay there, and the file is kept
    open as long as the frames are.

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
    frames_path = folder / FRAMES_FILE
    try:
        found, end = _parse(text)
    except ValueError as error:
        raise CaptureFileError(f"{path} is damaged: {error}") from None
    frames = _frames(frames_path, large_bytes)
    if end.frames != len(frames):
        raise CaptureFileError(
            f"{folder} was recorded with {end.frames} frames; {FRAMES_FILE} holds {len(frames)}"
        )
    if end.frames_sha256 and end.frames_sha256 != _sha256_of_file(frames_path):
        raise CaptureFileError(
            f"{frames_path} is not the file that was recorded: its SHA-256 differs from that in "
            f"{RECORDS_FILE} (saving it in Wireshark, with comments of your own, changes it too)"
        )
    try:
        return _recording(found, frames)
    except ValueError as error:
        raise CaptureFileError(f"{path} is damaged: {error}") from None


def _frames(path: Path, large_bytes: int) -> Sequence[Frame]:
    """The frames of that file. Raises CaptureFileError."""
    # Not for a run, which only saves.
    from lab.pcap.capture_file import read_frames

    if _size(path) > large_bytes:
        from lab.pcap.bulk.stored_file import stored_frames

        found = stored_frames(path)
        if found is not None:
            return found
    return read_frames(path)


def _size(path: Path) -> int:
    """In bytes; 0 where there is none, of which its reader says why."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _run_fields() -> Fields:
    return fields_of(Recording, frozenset({*LINES_OF_RUN.values(), "frames", "trace"}))


def _trace_fields() -> Fields:
    return fields_of(Trace, frozenset(LINES_OF_TRACE.values()))


def _lines(recording: Recording) -> Iterator[Object]:
    trace = recording.trace
    yield {"record": "run", "schema": SCHEMA} | _run_fields().encode(recording)
    yield from _item_lines(recording, LINES_OF_RUN)
    if trace != Trace():
        yield from _item_lines(trace, LINES_OF_TRACE)
        yield {"record": "trace"} | _trace_fields().encode(trace)


def _end_line(end: _End) -> str:
    return _encode_line({"record": "end"} | encode_record(end))


def _encoded(line: str) -> bytes:
    # A file name that is no UTF-8 has surrogates in Python, for which JSON has an escape.
    return f"{line}\n".encode("utf-8", "backslashreplace")


def _sha256_of_lines(lines: Sequence[str], end: _End) -> str:
    """The digest of those lines and the last, which is to hold it."""
    digest = hashlib.sha256()
    for line in (*lines, _end_line(replace(end, records_sha256=""))):
        digest.update(_encoded(line))
    return digest.hexdigest()


def _sha256_of_file(path: Path) -> str:
    """Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _item_lines(holder: Recording | Trace, names: Mapping[str, str]) -> Iterator[Object]:
    for tag, name in names.items():
        for record in getattr(holder, name):
            yield {"record": tag} | encode_record(record)


def _parse(text: str) -> tuple[Mapping[str, list[Any]], _End]:
    """What the lines hold, by their "record", and the last of them.

    Raises ValueError where the text is not as save_recording has written it.
    """
    # Not splitlines(): JSON leaves U+2028 and others in strings as they are.
    lines = text.removesuffix("\n").split("\n")
    found = _decoded(lines)
    end: _End = _only("end", found)
    if end.records != len(lines) - 1:
        raise ValueError(f"it was saved with {end.records} records, not {len(lines) - 1}")
    if end.frames_sha256 or end.records_sha256:
        is_same = end.records_sha256 == _sha256_of_lines(lines[:-1], end)
        if not is_same or lines[-1] != _end_line(end):
            raise ValueError("its SHA-256 is not the one in its last line")
    return found, end


def _recording(found: Mapping[str, list[Any]], frames: Sequence[Frame]) -> Recording:
    """The recording of what the lines hold. Raises ValueError."""
    items: Object = {name: tuple(found.get(tag, ())) for tag, name in LINES_OF_RUN.items()}
    recording = Recording(**_only("run", found), **items, frames=frames, trace=_trace(found))
    _check_points(recording)
    _check_lines(recording)
    return recording


def _decoded(lines: Sequence[str]) -> defaultdict[str, list[Any]]:
    """What the lines hold, by their "record". Raises ValueError."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    decoders, is_old = _decoders(), False
    for number, line in enumerate(lines, 1):
        try:
            value = _decode_line(line)
            if type(value) is not dict:
                raise ValueError(f"{value!r} is no object")
            if number == 1:
                is_old = _is_old(value.pop("schema", None))
            if is_old:
                value = old_format.converted(value)
            tag = value.pop("record", None)
            if type(tag) is not str or tag not in decoders:
                raise ValueError(f"{tag!r} is no kind of record")
            found[tag].append(decoders[tag](value))
        except RecordError as error:
            raise ValueError(f"line {number}, record {tag!r}: {error}") from None
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {number}: {error}") from None
    return found


def _is_old(schema: object) -> bool:
    """Raises ValueError where it is neither of the two that can be read."""
    if schema not in (SCHEMA, old_format.SCHEMA):
        raise ValueError(f"its schema is {schema!r}, not {SCHEMA!r}")
    return schema == old_format.SCHEMA


@cache
def _decoders() -> Mapping[str, Callable[[Object], Any]]:
    """By the "record" of a line, what takes the rest of it. They raise RecordError."""
    found: dict[str, Callable[[Object], Any]] = {
        "run": _run_fields().decode,
        "trace": _trace_fields().decode,
        "end": partial(decode_record, _End),
    }
    for tag, name in LINES_OF_RUN.items():
        found[tag] = item_decoder(Recording, name)
    for tag, name in LINES_OF_TRACE.items():
        found[tag] = item_decoder(Trace, name)
    return found


def _only(tag: str, found: Mapping[str, list[Any]]) -> Any:  # noqa: ANN401  by the tag
    """The one record of that kind. Raises ValueError where there is not one."""
    records = found.get(tag, ())
    if len(records) != 1:
        raise ValueError(f"there are {len(records)} records {tag!r}, not one")
    return records[0]


def _trace(found: Mapping[str, list[Any]]) -> Trace:
    """An empty one where there is no line of a trace. Raises ValueError."""
    if not found.keys() & {"trace", *LINES_OF_TRACE}:
        return Trace()
    items: Object = {name: tuple(found.get(tag, ())) for tag, name in LINES_OF_TRACE.items()}
    return Trace(**_only("trace", found), **items)


def _check_points(recording: Recording) -> None:
    """Raise ValueError where a frame or canary names a point that there is not."""
    names = {point.name for point in recording.points}
    used = {point for point, _ in origins_of(recording.frames)}
    used |= {canary.point for canary in recording.canaries}
    for name in sorted(used - names):
        raise ValueError(f"there is no capture point {name!r}")


def _check_lines(recording: Recording) -> None:
    """Raise ValueError where a use is of a line that there is not."""
    known = range(len(recording.source_lines))
    for use in recording.line_uses:
        if use.line not in known:
            raise ValueError(f"there is no source line {use.line}")
