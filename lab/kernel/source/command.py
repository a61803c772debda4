"""The command that runs a Python program so that it notes the lines that make its calls."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from lab.frozen import frozen

_PYTHON = re.compile(r"python(3(\.[0-9]+)?t?)?")
# -i reads more from standard input, -x leaves out a line; the others run no program.
_REFUSED = frozenset("ixhV?")
_TAKES_WORD = frozenset("WX")
_SHEBANG_BYTES = 256  # as many has the kernel: BINPRM_BUF_SIZE, include/uapi/linux/binfmts.h
_START = """\
import sys
sys.version_info >= (3, 8) or sys.exit("wirelab --source needs Python 3.8 or newer")
exec(compile(sys.argv.pop(1), "<wirelab>", "exec"), {"__name__": "wirelab"})
"""


@frozen
class PythonCommand:
    """A command that runs a Python program."""

    interpreter: tuple[str, ...]
    """The interpreter and its options."""
    kind: str
    """What it runs: a "script", a "module" or a "command"."""
    program: str
    """The script's file, the module's name, or the text."""
    arguments: tuple[str, ...]

    def noting(self, descriptor: int) -> tuple[str, ...]:
        """The same command, with the lines noted in the memory behind that descriptor."""
        call = f"\nrun({descriptor}, sys.argv.pop(1), sys.argv.pop(1))\n"
        text = Path(__file__).with_name("inside.py").read_text("utf-8") + call
        return (*self.interpreter, "-c", _START, text, self.kind, self.program, *self.arguments)


def python_command(argv: Sequence[str]) -> PythonCommand | str:
    """What runs a Python program in that command; why there is none, in words."""
    name = Path(argv[0]).name
    if not _PYTHON.fullmatch(name):
        behind = _shebang(argv[0])
        names = [Path(word).name for word in behind]
        if names[:1] == ["env"] and len(names) == 2:
            behind, names = behind[1:], names[1:]
        if not names or not _PYTHON.fullmatch(names[0]):
            return f"{name} is no Python program"
        argv = (*behind, shutil.which(argv[0]) or argv[0], *argv[1:])
    return _parsed(tuple(argv))


def _parsed(argv: tuple[str, ...]) -> PythonCommand | str:
    """By the interpreter's own rules. Source: Python/getopt.c; python(1)."""
    place = 1
    while place < len(argv):
        word = argv[place]
        if word == "-" or not word.startswith("-"):
            break
        if word.startswith("--"):
            if word != "--check-hash-based-pycs":
                return f"python's option {word} runs no program"
            place += 2
            continue
        for at, letter in enumerate(word[1:], 1):
            rest = word[at + 1 :]
            if letter in _REFUSED:
                return f"python's option -{letter} is not provided for"
            if letter in "cm":
                options = argv[:place] + ((word[:at],) if at > 1 else ())
                given = ((rest,) if rest else ()) + argv[place + 1 :]
                if not given:
                    return "the command is not complete"
                kind = "command" if letter == "c" else "module"
                return PythonCommand(options, kind, given[0], given[1:])
            if letter in _TAKES_WORD:
                place += not rest
                break
        place += 1
    if place >= len(argv) or argv[place] == "-":
        return "its program comes from standard input"
    return PythonCommand(argv[:place], "script", argv[place], argv[place + 1 :])


def _shebang(command: str) -> tuple[str, ...]:
    """The interpreter that a file names, and its option: execve(2). Empty where it names none."""
    path = shutil.which(command)
    if path is None:
        return ()
    try:
        with Path(path).open("rb") as file:
            start = file.read(_SHEBANG_BYTES)
    except OSError:
        return ()
    line, end, _ = start.partition(b"\n")
    if not end or not line.startswith(b"#!"):
        return ()
    return tuple(line[2:].decode("utf-8", "surrogateescape").split(None, 1))
