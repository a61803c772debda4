"""A scenario to begin with, written: two programs, a page each, that run at once and hold."""

from __future__ import annotations

import re
from pathlib import Path

from lab.errors import UsageError
from lab.recording.artifacts import check_links, give_to_invoker
from lab.scenario_files import builtin_scenarios, own_folder

TEMPLATES = Path(__file__).parent / "templates"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def write_scenario(name: str, folder: str = "") -> tuple[Path, ...]:
    """The files written: the scenario, its server and its client, in `demos` beside it.

    `folder` is the current directory's `own_folder` if it is "". Raises UsageError for a name
    that is unfit or taken, where a file is there already, and where it cannot be written.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"a scenario cannot be named {name!r}: use small letters and digits, and '-' between "
            "words"
        )
    if name in builtin_scenarios():
        raise UsageError(f"there is a scenario {name!r} of wirelab's own; choose another name")
    page = name.replace("-", "_")
    beside = Path(folder) if folder else own_folder()
    files = {
        beside / f"{page}.py": "scenario",
        beside / "demos" / f"{page}_server.py": "server",
        beside / "demos" / f"{page}_client.py": "client",
    }
    if existing := [file for file in files if file.exists()]:
        raise UsageError(f"{existing[0]} is there already; it stays as it is")
    for file in files:
        check_links(file)
    try:
        for made in (*reversed(beside.parents), beside, beside / "demos"):
            if not made.is_dir():
                made.mkdir()
                give_to_invoker(made)
        for file, template in files.items():
            text = (TEMPLATES / f"{template}.txt").read_text("utf-8")
            with file.open("x", encoding="utf-8") as new:
                new.write(text.replace("@NAME@", name).replace("@FILE@", page))
            give_to_invoker(file)
    except OSError as error:
        where = error.filename or beside
        raise UsageError(f"cannot write {where}: {error.strerror}") from None
    return tuple(files)
