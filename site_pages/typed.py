"""Commands of a page, typed in a folder of their own, and what they print."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from lab.errors import LabError
from lab.frozen import frozen
from site_pages.blocks import PROMPT, blocks_of
from site_pages.runs import recording_of

WITH_OUTPUT = "with its output"
"""The remark above a block of console whose commands the site shows with what they print."""

PICTURE = re.compile(r"<!-- picture (?P<file>\S+): (?P<shows>.*?) -->", re.DOTALL)
"""Stands in a page for a picture that a command of it leaves in its folder."""

LONGEST_S = 300

SHOWN_FOLDER = "~/wirelab"
"""What pages call the folder that commands were typed in: whoever reads has another."""

NO_PICTURE = b"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 40" font-family="sans-serif">
<text x="8" y="26" fill="#888">No picture: this site was built where no run can be made.</text>
</svg>
"""


@frozen
class Printed:
    """What became of a command."""

    text: str
    status: int


@frozen
class Typed:
    """What came of a page's commands."""

    page: str
    """Its path in the repository."""
    printed: Mapping[str, str]
    """By command."""
    pictures: Mapping[str, bytes]
    """By file, in the folder that they were typed in."""

    def place_of(self, file: str) -> str:
        """Where the page finds a picture, from where it lies."""
        name = self.page.rpartition("/")[2].removesuffix(".md")
        number = [*self.pictures].index(file) + 1
        return f"pictures/{name}-{number}.svg"


def make_folder(folder: Path) -> None:
    """Make a folder to type in: `./wirelab` and `wirelab` are there, as from the repository."""
    root = Path(__file__).parents[1]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bin").mkdir(exist_ok=True)
    for command in (folder / "wirelab", folder / "bin" / "wirelab"):
        called = "./wirelab" if command.parent == folder else "wirelab"
        command.write_text(
            f'#!/bin/sh\nPYTHONPATH="{root}" WIRELAB_CALLED_AS={called} '
            f'exec "{sys.executable}" -m lab "$@"\n'
        )
        command.chmod(0o755)


def typed(command: str, folder: Path) -> Printed:
    """What a command prints in that folder, on a terminal of 80 columns, and its exit status.

    stdout and stderr as they come; of the folder they say SHOWN_FOLDER. Raises
    subprocess.TimeoutExpired.
    """
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=os.environ | {"PATH": path, "COLUMNS": "80", "PAGER": "cat"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=LONGEST_S,
        check=False,
    )
    return Printed(_without(folder, done.stdout), done.returncode)


def _without(folder: Path, text: str) -> str:
    """The text with another name for the folder, where a long one was wrapped, too."""
    letters = map(re.escape, str(folder))
    return re.sub(r"(?:\n *)?".join(letters), SHOWN_FOLDER, text)


def commands_with_output(text: str) -> list[str]:
    """Those of a page that are to be shown with what they print, in their order."""
    blocks = (block for block in blocks_of(text) if block.remark == WITH_OUTPUT)
    return [command for block in blocks for command in block.commands]


def pictures_of(text: str) -> list[tuple[str, str]]:
    """The pictures that a page asks for: each a file that its commands leave, and what it shows."""
    return [(found["file"], found["shows"]) for found in PICTURE.finditer(text)]


def filled(text: str, typed_there: Typed) -> str:
    """The page whose commands have what they print below them, and which has its pictures."""
    lines = text.split("\n")
    for block in reversed(blocks_of(text)):
        if block.remark == WITH_OUTPUT:
            shown: list[str] = []
            for command in block.commands:
                printed = typed_there.printed[command].rstrip("\n").split("\n")
                shown += [f"{PROMPT}{command}", *printed]
            lines[block.first : block.end] = shown
    return PICTURE.sub(
        lambda found: f"![{found['shows']}]({typed_there.place_of(found['file'])})",
        "\n".join(lines),
    )


def typed_by_page(page: str, text: str, folder: Path, *, is_recorded: bool) -> Typed:
    """What a page's commands print, typed in its folder, and the pictures that they leave.

    With `is_recorded` no run is made: instead of a scenario's the recorded one is shown, and of
    any other command that needs one, that it was not typed. Raises LabError where one fails, or
    leaves no picture.
    """
    printed: dict[str, str] = {}
    for command in commands_with_output(text):
        make_folder(folder)
        done = typed(as_recorded(command, folder) if is_recorded else command, folder)
        if done.status:
            raise LabError(f"{page}: {command} ended with {done.status}:\n{done.text}")
        printed[command] = done.text
    pictures = {}
    for file, _ in pictures_of(text):
        path = folder / file
        if not path.is_file() and not is_recorded:
            raise LabError(f"{page}: no command has left {file}")
        pictures[file] = path.read_bytes() if path.is_file() else NO_PICTURE
    return Typed(page, printed, pictures)


def as_recorded(command: str, folder: Path) -> str:
    """What shows as much without making a run."""
    words = shlex.split(command)
    if words[1:2] != ["run"]:
        return command
    recording = recording_of(words[2]) if len(words) == 3 else None
    if recording is None:
        return "echo '(not typed: this site was built where no run can be made)'"
    latest = f"runs/{words[2]}/latest"
    shutil.copytree(recording, folder / latest, dirs_exist_ok=True)
    return f"./wirelab report {latest} --format svg && ./wirelab replay {latest}"
