"""Programs run as they note their lines, against the same programs run as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.kernel.source import notes
from lab.kernel.source.command import PythonCommand, python_command
from lab.kernel.source.inside import CHUNK_BYTES, FILE_BYTES, split_lines
from lab.kernel.source.notes import Noted, NotedProgram

pytestmark = pytest.mark.kernel  # processes, and memory that they share

ABOUT = """
import sys
said = __name__, sys.argv, sys.path, sorted(globals()), __spec__ and __spec__.name
print(*said, globals().get("__file__"), __builtins__, sep="\\n")
import os
print(os.open("/", os.O_RDONLY), os.open("/", os.O_RDONLY))
"""
PAIR = "import socket\na, b = socket.socketpair()\n"


def noted(argv: Sequence[str], cwd: Path) -> tuple[subprocess.CompletedProcess[str], Noted]:
    """The program as it ended, which is as it ends without noting, and what it noted."""
    command = python_command(argv)
    assert isinstance(command, PythonCommand)
    program = NotedProgram(command)
    try:
        done = subprocess.run(
            program.argv,
            pass_fds=[program.descriptor],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        lines = program.read("p", "s")
    finally:
        program.close()
    plain = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == (plain.stdout, plain.stderr)
    assert done.returncode == plain.returncode
    return done, lines


def shown(lines: Noted) -> list[tuple[str, int, str]]:
    """Of each use the file's name, the line's number, and the line itself."""
    found = []
    for use in lines[1]:
        line = lines[0][use.line]
        place = line.number - line.first
        text = line.text[place].strip() if place < len(line.text) else ""
        found.append((Path(line.file).name, line.number, text))
    return found


@pytest.mark.parametrize(
    "words",
    ["a.py x -c", "-I a.py", "-IS a.py", "-m a x", "-Im json.tool nothing", "-c {} x", "folder",
     "-m folder", "nothing.py", "wrong.py", "-c 1/0", "executes.py", "raises.py",
     "exits.py", "-P a.py"],
)  # fmt: skip
def test_it_runs_as_it_would_by_itself(tmp_path: Path, words: str) -> None:
    (tmp_path / "a.py").write_text(ABOUT)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "__main__.py").write_text(ABOUT)
    (tmp_path / "wrong.py").write_text("a b c\n")
    (tmp_path / "raises.py").write_text("def f():\n    raise ValueError(1)\nf()\n")
    (tmp_path / "executes.py").write_text("exec('\\n\\n\\n1/0')\n")
    (tmp_path / "exits.py").write_text("import sys\nsys.exit('so')\n")
    argv = [sys.executable, *(ABOUT if word == "{}" else word for word in words.split())]
    noted(argv, tmp_path)


def test_the_line_is_the_innermost_outside_the_library(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "import helper\nhelper.talk()\n",
    )
    (tmp_path / "helper.py").write_text(
        f"{PAIR}def talk():\n    a.sendall(b'x')\n    with a.makefile('rwb') as f:\n"
        "        f.write(b'y')\n        f.flush()\n    b.recv(2)\n",
    )
    _, lines = noted([sys.executable, "a.py"], tmp_path)
    found = shown(lines)
    assert ("helper.py", 4, "a.sendall(b'x')") in found
    assert ("helper.py", 7, "f.flush()") in found
    assert ("helper.py", 8, "b.recv(2)") in found
    flushed = [lines[0][use.line].through for use in lines[1] if lines[0][use.line].number == 7]
    assert any(through.startswith("write, socket.py:") for through in flushed)


@pytest.fixture(params=["", *(f"python3.{minor}" for minor in range(8, 16))])
def interpreter(request: pytest.FixtureRequest) -> str:
    """This one, and those of other versions that there are."""
    name = str(request.param)
    # A version manager's shim may be there without the interpreter.
    if name and (
        not shutil.which(name)
        or subprocess.run([name, "-c", ""], capture_output=True, check=False).returncode
    ):
        pytest.skip(f"there is no {name}")
    return name or sys.executable


def test_threads_and_forked_children_note_as_themselves(tmp_path: Path, interpreter: str) -> None:
    (tmp_path / "a.py").write_text(
        f"{PAIR}import os, threading\n"
        "def send():\n    a.send(b'x')\n"
        "t = threading.Thread(target=send)\nt.start()\nt.join()\nsend()\n"
        "child = os.fork()\nsend()\n"
        "if not child:\n    os._exit(0)\n"
        "os.waitpid(child, 0)\n",
    )
    _, (lines, uses) = noted([interpreter, "a.py"], tmp_path)
    sends = [use for use in uses if lines[use.line].number == 5]
    assert len(sends) == 4
    assert len({use.tid for use in sends}) == 3
    assert all(use.exit_ns is not None and use.exit_ns >= use.entry_ns for use in sends)


def test_a_call_that_never_returns_is_noted(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        f"{PAIR}import os, signal\nparent = os.getpid()\n"
        "if not os.fork():\n"
        # It sleeps nowhere but in recv().
        "    while open(f'/proc/{parent}/stat').read().rpartition(')')[2].split()[0] != 'S':\n"
        "        pass\n"
        "    os.kill(parent, signal.SIGKILL)\n    os._exit(0)\n"
        "b.recv(1)\n",
    )
    _, (lines, uses) = noted([sys.executable, "a.py"], tmp_path)
    (waiting,) = [use for use in uses if use.exit_ns is None]
    assert lines[waiting.line].text[2] == "b.recv(1)"


def test_a_program_that_closes_all_or_profiles_itself_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        f"import os, threading\nos.closerange(3, 1024)\nmine = os.open('a.py', os.O_RDONLY)\n{PAIR}"
        "a.send(b'x')\n"
        "if not os.fork():\n    a.send(b'y')\n    os._exit(0)\n"
        "os.wait()\nprint(os.lseek(mine, 0, os.SEEK_CUR))\n"
        "import sys\nsys.setprofile(None)\na.send(b'z')\n",
    )
    _, lines = noted([sys.executable, "a.py"], tmp_path)
    numbers = [number for _, number, _ in shown(lines)]
    assert 6 in numbers
    assert 13 not in numbers


def test_more_than_there_is_room_for_ends_the_noting_and_not_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "NOTES_BYTES", 2 * CHUNK_BYTES)
    program = NotedProgram(
        command_of(tmp_path, f"{PAIR}for _ in range(2000):\n    a.getsockname()\n")
    )
    try:
        subprocess.run(program.argv, pass_fds=[program.descriptor], check=True, timeout=60)
        assert program.is_full
        assert 900 < len(program.read("p", "s")[1]) < 2000
    finally:
        program.close()


def test_a_program_without_its_descriptor_runs_and_notes_nothing(tmp_path: Path) -> None:
    program = NotedProgram(command_of(tmp_path, f"{PAIR}print(a.fileno(), a.send(b'x'))\n"))
    try:
        done = subprocess.run(program.argv, capture_output=True, text=True, check=True, timeout=60)
        assert (done.stdout, done.stderr) == ("3 1\n", "")
        assert program.read("p", "s") == ((), ())
    finally:
        program.close()


def test_code_with_a_fifos_name_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.py").write_text(
        f"{PAIR}import time\ntime.time_ns = lambda: 1\n"
        "exec(compile('a.send(b\"x\")', 'pipe', 'exec'))\n"
    )
    _, (lines, uses) = noted([sys.executable, "a.py"], tmp_path)
    (use,) = [use for use in uses if lines[use.line].file == "pipe"]
    assert lines[use.line].text == ()
    assert use.entry_ns > 1


def command_of(folder: Path, code: str) -> PythonCommand:
    (folder / "a.py").write_text(code)
    command = python_command([sys.executable, "-IS", str(folder / "a.py")])
    assert isinstance(command, PythonCommand)
    return command


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (b"a\r\nb\rc\n", ["a", "b", "c", ""]),
        (b"", [""]),
        ("\u00e9\x0c\u2028\n".encode(), ["\u00e9\x0c\u2028", ""]),
        (b"\xff\n", ["\\xff", ""]),
        (b"x" * (FILE_BYTES + 1), []),
    ],
)
def test_a_source_is_split_as_the_interpreter_counts_its_lines(
    source: bytes, lines: list[str]
) -> None:
    assert split_lines(source) == lines
