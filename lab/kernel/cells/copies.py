"""Folders copied into a cell and out of it, by descriptors: no path in them is ever followed.

Files and folders alone: of what else a program has made nothing is taken.
"""

from __future__ import annotations

import os
import stat

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK_BYTES = 1 << 20
_MOST_DEEP = 64
"""Folders in folders, beyond which nothing is copied."""


def copy_folder(source: int, target: int, owner: tuple[int, int] | None, depth: int = 0) -> None:
    """Copy what is in one folder into another, which is empty; both are descriptors.

    Modes and times of files are kept, without set-user-ID and the like; all belongs to the owner,
    a uid and a gid, or to this process's user. Raises OSError.
    """
    if depth > _MOST_DEEP:
        return
    with os.scandir(source) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        mode = os.lstat(name, dir_fd=source).st_mode
        if stat.S_ISDIR(mode):
            _copy_folder(name, source, target, owner, depth)
        elif stat.S_ISREG(mode):
            _copy_file(name, source, target, owner)


def clear_folder(folder: int) -> None:
    """Remove all that is in a folder, by its descriptor; links are not followed. Raises OSError."""
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
            continue
        inner = os.open(name, _OPEN | os.O_DIRECTORY, dir_fd=folder)
        try:
            clear_folder(inner)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=folder)


def _copy_folder(
    name: str, source: int, target: int, owner: tuple[int, int] | None, depth: int
) -> None:
    os.mkdir(name, 0o755, dir_fd=target)
    ours = os.open(name, _OPEN | os.O_DIRECTORY, dir_fd=source)
    theirs = os.open(name, _OPEN | os.O_DIRECTORY, dir_fd=target)
    try:
        copy_folder(ours, theirs, owner, depth + 1)
        if owner is not None:
            os.fchown(theirs, *owner)
    finally:
        os.close(ours)
        os.close(theirs)


def _copy_file(name: str, source: int, target: int, owner: tuple[int, int] | None) -> None:
    ours = os.open(name, _OPEN, dir_fd=source)
    try:
        found = os.fstat(ours)
        theirs = os.open(name, _CREATE, 0o600, dir_fd=target)
        try:
            while chunk := os.read(ours, _CHUNK_BYTES):
                view = memoryview(chunk)
                while view:
                    view = view[os.write(theirs, view) :]
            os.fchmod(theirs, 0o644 | found.st_mode & 0o111)
            os.utime(theirs, ns=(found.st_mtime_ns, found.st_mtime_ns))
            if owner is not None:
                os.fchown(theirs, *owner)
        finally:
            os.close(theirs)
    finally:
        os.close(ours)
