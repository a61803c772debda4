"""What students and their folders are called, by the names of their files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

ENDS = (".gz", ".pcapng", ".pcap", ".cap")
"""Of the names of capture files: no part of a student's."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_MOST = 60


def student_names(files: Sequence[str]) -> list[str]:
    """A name for each file's student: the file's, without folder and end.

    Where several files have the same name, their paths.
    """
    names = [_without_end(file.rstrip("/").rpartition("/")[2]) or file for file in files]
    times = Counter(names)
    paths = [_without_end(file) for file in files]
    return [path if times[name] > 1 else name for name, path in zip(names, paths, strict=True)]


def folder_names(students: Sequence[str]) -> list[str]:
    """A folder's name for each: letters, digits, "-", "_" and "." only, no two alike in any case.

    None begins with a dot or a hyphen, or leads out of its folder.
    """
    taken: set[str] = set()
    found = []
    for student in students:
        name = base = _UNSAFE.sub("_", student).lstrip(".-")[-_MOST:].lstrip(".-") or "_"
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name.lower())
        found.append(name)
    return found


def _without_end(name: str) -> str:
    for end in ENDS:
        if name.lower().endswith(end) and len(name) > len(end):
            name = name[: -len(end)]
    return name
