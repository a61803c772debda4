"""This checkout and another commit's, so that one command can be run in both."""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder with the project's sources; both use this interpreter and its packages."""

    name: str
    folder: Path

    def run(self, *words: str) -> str:
        """The standard output of the interpreter with these arguments, in this checkout.

        Raises CalledProcessError, whose `stderr` and note say what went wrong.
        """
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            # The folder comes before where the package is installed.
            env=os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
        try:
            done.check_returncode()
        except subprocess.CalledProcessError as error:
            error.add_note(done.stderr)
            raise
        return done.stdout


@contextmanager
def both(commit: str) -> Iterator[tuple[Checkout, Checkout]]:
    """This checkout as it stands, and the sources of a commit in a folder that is removed after.

    Both are compiled, so that neither pays for that. Raises CalledProcessError where there is no
    such commit.
    """
    archive = subprocess.run(
        ["git", "archive", "--format=tar", commit], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    with tempfile.TemporaryDirectory(prefix="wirelab-against-") as name:
        subprocess.run(["tar", "-x", "-C", name], input=archive.stdout, check=True)
        for folder in (ROOT, Path(name)):
            compileall.compile_dir(folder / "lab", quiet=1)
            compileall.compile_dir(folder / "scenarios", quiet=1)
        yield Checkout("this", ROOT), Checkout(commit, Path(name))
