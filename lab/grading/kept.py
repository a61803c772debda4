"""What a submission was graded, kept on disk: whole or not there, and of which files it is."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lab
from lab.errors import UsageError
from lab.frozen import frozen
from lab.grade.mark import Built, Grade, Hint, Mark, Picture
from lab.grading.member_name import is_ignored
from lab.model.claim import Contrast, Outcome
from lab.recording.artifacts import check_links, give_to_invoker
from lab.recording.codec import RecordError, decode_record, encode_record
from lab.records import CellRun

if TYPE_CHECKING:
    from lab.grade.sheet import Sheet

MOST_BYTES = 64 << 20
"""Of what was handed in, where it is looked at whether it has changed."""
MOST_FILES = 2_000


@frozen
class KeptMark:
    """A mark, whose check is known by its name."""

    check: str
    outcome: Outcome
    why: str
    text: str
    compared: tuple[Contrast, ...]
    is_sheets_fault: bool
    is_labs_fault: bool
    was_tried: bool
    ended: tuple[str, ...]
    hints: tuple[Hint, ...]


@frozen
class KeptGrade:
    """A grade, and what it is of."""

    key: str
    """What changes with the files, the sheet and wirelab."""
    student: str
    file: str
    marks: tuple[KeptMark, ...]
    refused: str
    pictures: tuple[Picture, ...]
    built: Built | None
    faults: tuple[str, ...]
    held: CellRun | None


def key_of(submission: str, sheet: str) -> str:
    """What changes when what was handed in does, or the sheet's digest, or wirelab's version.

    "" where there is none: it is no file or folder of a usual size.
    """
    is_folder = Path(submission).is_dir() if "\0" not in submission else False
    digest = hashlib.sha256(f"{lab.__version__} {sheet} {is_folder}".encode())
    left, count = MOST_BYTES, 0
    try:
        for name, path in _files(Path(submission)):
            data = _read(path, left)
            left, count = left - len(data), count + 1
            if left <= 0 or count > MOST_FILES:
                return ""
            digest.update(f"{name!r} {len(data)} ".encode() + data)
    except (OSError, ValueError):
        return ""
    return digest.hexdigest()


def write_kept(grade: Grade, key: str, target: Path) -> None:
    """Keep a grade: the file is there whole, or as it was before. Raises UsageError."""
    marks = tuple(
        KeptMark(check=each.check.name, **_shared(each, KeptMark)) for each in grade.marks
    )
    kept = KeptGrade(key=key, marks=marks, **_shared(grade, KeptGrade))
    write_whole(json.dumps(encode_record(kept)).encode("ascii"), target)


def read_kept(sheet: Sheet, path: Path) -> tuple[Grade, str] | None:
    """A grade that was kept, and its key; None where there is none of this sheet's checks."""
    try:
        kept = decode_record(KeptGrade, json.loads(path.read_bytes()))
    except (OSError, ValueError, RecordError):
        return None
    if [each.check for each in kept.marks] != [check.name for check in sheet.checks]:
        return None
    marks = tuple(
        Mark(check=check, **_shared(each, Mark))
        for check, each in zip(sheet.checks, kept.marks, strict=True)
    )
    return Grade(marks=marks, **_shared(kept, Grade)), kept.key


def write_whole(data: bytes, target: Path) -> None:
    """Write a file that is never there in part, whenever this ends. Raises UsageError."""
    check_links(target)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        give_to_invoker(partial)
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise UsageError(f"cannot write {target}: {error.strerror}") from None


_TURNED = frozenset({"check", "marks"})
"""Fields that are something else where they are kept."""


def _shared(value: object, wanted: type) -> dict[str, Any]:
    """The fields that both classes have, but for those that are turned into something else."""
    has = {each.name for each in fields(wanted)} - _TURNED
    return {each.name: getattr(value, each.name) for each in fields(value) if each.name in has}  # type: ignore[arg-type]


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """Those that are taken of what was handed in, with their names in it."""
    if not path.is_dir():
        yield path.name, path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(each for each in folders if not is_ignored(each, is_folder=True))
        for name in sorted(names):
            if not is_ignored(name, is_folder=False):
                found = Path(folder, name)
                yield str(found.relative_to(path)), found


def _read(path: Path, most: int) -> bytes:
    """A regular file's bytes, not many more than `most`. Raises OSError, ValueError."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY | os.O_NOFOLLOW
    descriptor = os.open(path, flags)
    with open(descriptor, "rb") as file:  # noqa: PTH123  a descriptor
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("no regular file")
        return file.read(most + 1)
