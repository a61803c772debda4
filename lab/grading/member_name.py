"""PURE: the names of what is handed in: which are taken, and which are refused, and why."""

from __future__ import annotations

import re
import unicodedata

from lab.errors import UsageError, printable
from lab.frozen import frozen

_DRIVE = re.compile(r"[A-Za-z]:")
_SHOWN = 80
"""Characters of a name in a message."""

IGNORED_FOLDERS = frozenset((
    "__MACOSX", ".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__",
    ".mypy_cache", ".pytest_cache", ".ruff_cache", ".idea", ".vscode",
))  # fmt: skip
IGNORED_FILES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
IGNORED_START = "._"
"""What systems and tools put into archives and folders unasked; macOS's tar a ._a.c beside a.c."""


class ArchiveRefused(UsageError):
    """What was handed in is not taken; the message is one printable line, without our own paths."""


@frozen
class Sizes:
    """How much may be handed in."""

    total_mib: int = 32
    """Of all files together, and of an archive as it is."""
    files: int = 1000
    """Files and folders."""
    file_mib: int = 16
    ratio: int = 200
    """How many times an archive's size its files may have, if they have more than 1 MiB."""
    depth: int = 16
    """Folders in folders."""
    name: int = 200
    """Bytes of each part of a name."""


def shown(name: str) -> str:
    """A name in a message."""
    text = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
    return printable(text)


def is_ignored(name: str, *, is_folder: bool) -> bool:
    """Whether it is of what tools put there, whatever it is: .venv has links out of it.

    A name that leads elsewhere is not.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or name.startswith("/"):
        return False
    if IGNORED_FOLDERS & {*(parts if is_folder else parts[:-1])}:
        return True
    file = "" if is_folder else parts[-1]
    return file in IGNORED_FILES or file.startswith(IGNORED_START)


class MemberNames:
    """The names in one archive or folder so far."""

    def __init__(self, most: Sizes) -> None:
        self._most = most
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def take(self, name: str, *, is_folder: bool) -> str | None:
        """The name as it is written: no part of it leads out. None for what is to be ignored.

        Raises ArchiveRefused.
        """
        if is_ignored(name, is_folder=is_folder):
            return None
        parts = self._parts(name)
        if not parts:
            return None
        for number in range(1, len(parts) + (1 if is_folder else 0)):
            self._take_folder("/".join(parts[:number]))
        path = "/".join(parts)
        if not is_folder:
            self._take_file(path)
        if len(self._files) + len(self._folders) > self._most.files:
            raise ArchiveRefused(f"it has more than {self._most.files} files and folders")
        return path

    def _parts(self, name: str) -> list[str]:
        if "\\" in name:
            raise ArchiveRefused(f"{shown(name)} has a backslash in its name")
        if name.startswith("/") or _DRIVE.match(name):
            raise ArchiveRefused(f"{shown(name)} is an absolute path")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise ArchiveRefused(f"{shown(name)} leads out of it")
        if not name.isprintable():
            raise ArchiveRefused(f"{shown(name)} has characters in its name that cannot be printed")
        if any(len(part.encode()) > self._most.name for part in parts):
            raise ArchiveRefused(f"{shown(name)} is longer than {self._most.name} bytes")
        if len(parts) > self._most.depth:
            raise ArchiveRefused(f"{shown(name)} is deeper than {self._most.depth} folders")
        return parts

    def _take_folder(self, path: str) -> None:
        key = _as_others_see_it(path)
        if key in self._files:
            raise ArchiveRefused(f"{shown(path)} is there twice, as a file and as a folder")
        if self._folders.setdefault(key, path) != path:
            raise ArchiveRefused(_twice(self._folders[key], path))

    def _take_file(self, path: str) -> None:
        key = _as_others_see_it(path)
        if key in self._folders:
            raise ArchiveRefused(f"{shown(path)} is there twice, as a file and as a folder")
        if key in self._files:
            raise ArchiveRefused(_twice(self._files[key], path))
        self._files[key] = path


def _as_others_see_it(path: str) -> str:
    """What two names have in common that are one where case and composition do not count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _twice(one: str, other: str) -> str:
    if one == other:
        return f"{shown(one)} is there twice"
    return f"{shown(one)} and {shown(other)} have the same name on some systems"
