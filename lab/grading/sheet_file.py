"""Lab sheets as files: found by path or name, loaded, and known again when they have changed."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from lab.errors import UsageError, did_you_mean
from lab.grade.sheet import Sheet
from lab.scenario_files import names_in_file

FOLDER = "sheets"
"""The folder of wirelab's own sheets: in the package where it is installed, or beside it."""


def builtin_sheets() -> dict[str, Path]:
    """By name, wirelab's own sheets: tcp_echo."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / FOLDER, package.parent / FOLDER):
        if folder.is_dir():
            files = sorted(folder.glob("[!_.]*.py"))
            return {path.stem: path for path in files if b"SHEET" in path.read_bytes()}
    return {}


def find_sheet(wanted: str) -> Path:
    """The file of a sheet: `wanted` is a path with a "/" or ".py", or the name of wirelab's own.

    Raises UsageError.
    """
    if os.sep in wanted or wanted.endswith(".py"):
        path = Path(wanted)
        if not path.is_file():
            raise UsageError(f"there is no lab sheet {wanted}")
        return path.absolute()
    known = builtin_sheets()
    name = wanted.replace("-", "_")
    if name not in known:
        near = did_you_mean(name, known)
        raise UsageError(
            f"there is no lab sheet {wanted!r} of wirelab's own{near}; there are "
            f"{', '.join(known) or 'none'}, and any file by its path: ./{wanted}.py"
        )
    return known[name]


def load_sheet(wanted: str) -> Sheet:
    """The SHEET of a Python file, which may import modules beside it.

    Raises UsageError, for a mistake in it with the line.
    """
    path = find_sheet(wanted)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    sheet = names_in_file(path).get("SHEET")
    if sheet is None:
        raise UsageError(f"{wanted}: there is no SHEET in it")
    if not isinstance(sheet, Sheet):
        raise UsageError(f"{wanted}: SHEET is no Sheet")
    return sheet


def sheet_digest(path: Path, sheet: Sheet) -> str:
    """What changes with a sheet that was loaded: its file, the modules from its folder, and what it

    gives, which may come from anywhere.
    """
    files = {path}
    for module in [*sys.modules.values()]:
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(path.parent):
            files.add(Path(file))
    digest = hashlib.sha256()
    for file in sorted(files):
        data = file.read_bytes() if file.is_file() else b""
        digest.update(f"{file.name} {len(data)} ".encode() + data)
    given = sheet.submission.given if sheet.submission else {}
    for name, data in sorted(given.items()):
        digest.update(f"{name!r} {len(data)} ".encode() + data)
    return digest.hexdigest()
