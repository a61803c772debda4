"""What students and their folders are called, by the names of their files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

ENDS = (
    ".gz", ".xz", ".bz2", ".tar", ".tgz", ".zip",
    ".pcapng", ".pcap", ".cap",
    ".py", ".c", ".java", ".go",
)  # fmt: skip
"""Of the names of what is handed in: no part of a student's."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_MOST = 60


def student_names(files: Sequence[str], ends: Sequence[str] = ()) -> list[str]:
    """A name for each file's student: the file's, without its end. `ends` are more than are known.

    Where several files have the same name, as much of their paths as tells them apart; and where
    only their ends do, these too.
    """
    stems = [_without_end(file, (*ENDS, *ends)) for file in files]
    short = _shortest(stems)
    of_stem = Counter(stems)
    names = [
        short[stem] if of_stem[stem] == 1 else short[stem] + file[len(stem) :]
        for stem, file in zip(stems, files, strict=True)
    ]
    times = Counter(names)
    return [name if times[name] == 1 else file for name, file in zip(names, files, strict=True)]


def _shortest(paths: Iterable[str]) -> dict[str, str]:
    """By path, as much of its end as no other has."""
    parts = {path: path.split("/") for path in paths}
    depths = dict.fromkeys(parts, 1)
    while True:
        names = {path: "/".join(parts[path][-depth:]) for path, depth in depths.items()}
        times = Counter(names.values())
        alike = [p for p in parts if times[names[p]] > 1 and depths[p] < len(parts[p])]
        if not alike:
            return names
        for path in alike:
            depths[path] += 1


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


def _without_end(name: str, ends: Sequence[str]) -> str:
    for end in ends:
        rest = name[: -len(end)]
        if name.lower().endswith(end) and rest and not rest.endswith("/"):
            name = rest
    return name
