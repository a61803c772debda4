"""A program that was handed in, found among its files and built, in a cell of its own."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import DoesNotFitError, MachineError
from lab.frozen import frozen
from lab.grade.mark import Built
from lab.grade.submission import BUILD
from lab.model.allowed import Cell
from lab.model.counted import counted
from lab.run import run_in_cell, shown_in_cells

if TYPE_CHECKING:
    from lab.grade.submission import Language, Submission

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
"""Where a cell looks for commands."""
MOST_SHOWN = 8_000
"""Characters of what a compiler says."""
_MOST_NAMED = 6


class NotThere(Exception):
    """The program cannot be found among what was handed in, or there is too much of it.

    The message is for its student.
    """


class NoTools(MachineError):
    """This machine lacks what the program's language needs, or a cell cannot have it."""


@frozen
class ReadyProgram:
    """A program that was handed in, built or not."""

    built: Built
    folder: Path
    """Its files, with what was built of them, and those that the sheet gives."""
    command: str
    """What starts it in its folder, as `argv_of` splits it; "" where it could not be built."""


def make_ready(submission: Submission, folder: Path) -> ReadyProgram:
    """The program among these files, built where its language needs it.

    What the sheet gives is put beside it, and takes the place of what has its name. Raises
    NotThere, NoTools, MachineError.
    """
    root = _root(folder)
    language, main = _find(submission, root)
    _check_tools(language)
    wanted = root / language.file_name(submission.program)
    for name in (wanted.name, *submission.given):
        if (root / name).is_dir():
            raise NotThere(f"{name} is a folder, where a file of that name has to be")
    if language.as_class or language.name == "Python":
        main = main.rename(wanted) if main != wanted else main
    for name, data in submission.given.items():
        (root / name).write_bytes(data)
    sources = [f"./{path.name}" for path in _files(root, language)]
    name = language.called(submission.program)
    words = _words(language.build, _literally(main.name), name, [*map(_literally, sources)])
    command = shlex.join(_words(language.start, main.name, name, sources))
    if not words:
        return ReadyProgram(Built(language.name), root, command)
    said = " ".join(words).replace("{{", "{").replace("}}", "}")
    try:
        finished = run_in_cell(words, Cell(str(root), BUILD))
    except DoesNotFitError as error:
        raise NotThere(str(error)) from None
    output = finished.output[:MOST_SHOWN]
    if beyond := len(finished.output) - len(output) + finished.beyond:
        output += f"\n… and {counted(beyond, 'more character')}"
    if finished.cell.ended_by is not None:
        what = finished.cell.ended_by.name.lower().replace("_", " ")
        output += f"\nIt was ended: it took more than it may of {what}."
    has_failed = finished.status != 0
    held = replace(finished.cell, ended_by=None, was_at_work=False)
    return ReadyProgram(
        Built(language.name, has_failed, said, output, held), root, "" if has_failed else command
    )


def _root(folder: Path) -> Path:
    """The folder itself, or the one below it that holds all there is."""
    while True:
        inside = [each for each in folder.iterdir() if each.name not in ("__MACOSX",)]
        if len(inside) != 1 or not inside[0].is_dir():
            return folder
        folder = inside[0]


def _check_tools(language: Language) -> None:
    """Raise NoTools where a command of the language is not what a program in a cell could call."""
    for tool in language.tools:
        found = shutil.which(tool, path=SYSTEM_PATH)
        if not found:
            raise NoTools(f"it is in {language.name}, and this machine has no {tool}")
        # What a link leads to: /usr/local/bin/node may lead to /opt, which no cell has.
        place = os.path.realpath(found)
        if not any(Path(place).is_relative_to(folder) for folder in shown_in_cells()):
            raise NoTools(
                f"it is in {language.name}, and this machine's {tool} is {place}, which no cell has"
            )


def _find(submission: Submission, root: Path) -> tuple[Language, Path]:
    known = submission.known
    by_name = [
        (each, root / each.file_name(submission.program))
        for each in known
        if (root / each.file_name(submission.program)).is_file()
    ]
    if len(by_name) > 1:
        names = " and ".join(path.name for _, path in by_name)
        raise NotThere(f"{names} were handed in, and it is one program")
    if by_name:
        return by_name[0]
    found = [(each, files) for each in known if (files := _files(root, each))]
    wanted = " or ".join(each.file_name(submission.program) for each in known)
    if not found:
        there = sorted(path.name for path in root.iterdir())
        listed = ", ".join(there[:_MOST_NAMED]) + (" …" if len(there) > _MOST_NAMED else "")
        raise NotThere(f"there is no {wanted} among the files: {listed or 'there is none'}")
    language, files = found[0]
    if len(found) > 1 or (len(files) > 1 and language.name != "C"):
        names = ", ".join(path.name for _, files in found for path in files[:_MOST_NAMED])
        raise NotThere(f"which of {names} is the program? It is to be called {wanted}")
    return language, files[0]


def _files(root: Path, language: Language) -> list[Path]:
    return sorted(
        path for path in root.iterdir() if path.name.endswith(language.ends) and path.is_file()
    )


def _words(command: str, main: str, name: str, sources: Sequence[str]) -> list[str]:
    """A language's command in words."""
    words: list[str] = []
    for word in command.split():
        if word == "{sources}":
            words += sources
        else:
            words.append(word.replace("{main}", main).replace("{name}", name))
    return words


def _literally(text: str) -> str:
    """What students call their files is no placeholder, whatever stands in it."""
    return text.replace("{", "{{").replace("}", "}}")
