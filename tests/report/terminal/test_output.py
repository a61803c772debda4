"""What the command prints, and to whom: terminals, pipes, readers that leave."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from outside import (
    FAMILIES,
    command,
    environment,
    wirelab,
)

pytestmark = pytest.mark.kernel


ESCAPE = "\x1b"


@pytest.mark.parametrize("family", FAMILIES)
def test_ascii_is_ascii(runs: dict[str, Path], family: str) -> None:
    folder = runs[family]
    for words in (("replay", folder), ("show", folder / "recording.pcapng")):
        assert wirelab(*words, "--ascii").stdout.isascii()


@pytest.mark.once
def test_without_ascii_there_is_more(runs: dict[str, Path]) -> None:
    assert "▶" in wirelab("replay", runs["4"]).stdout


@pytest.mark.once
def test_an_output_that_cannot_take_more_than_ascii_gets_ascii(runs: dict[str, Path]) -> None:
    done = wirelab("replay", runs["4"], env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert done.stdout.isascii()


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize("family", FAMILIES)
def test_no_line_is_longer_than_the_terminal_is_wide(
    runs: dict[str, Path], family: str, columns: int
) -> None:
    env = {"COLUMNS": str(columns)}
    for words in (("replay", runs[family]), ("show", runs[family] / "recording.pcapng")):
        lines = wirelab(*words, env=env).stdout.splitlines()
        # What is there to be copied is not cut: the path, and the command that has it.
        copied = ("Artifacts: ", " replay ")
        lengths = {len(line) for line in lines if not any(word in line for word in copied)}
        assert columns - 10 < max(lengths) <= columns


@pytest.mark.once
def test_a_pipe_gets_no_escape_sequences(runs: dict[str, Path]) -> None:
    for words in (("replay", runs["4"]), ("show", runs["4"] / "recording.pcapng"), ("list",)):
        assert ESCAPE not in wirelab(*words, env={"TERM": "xterm-256color"}).stdout


def on_a_terminal(*words: str | Path, **env: str) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*words),
        cwd="/",
        env=environment(TERM="xterm-256color", PAGER="cat", **env),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
    )
    os.close(theirs)
    data = b""
    with process:
        while True:
            try:
                chunk = os.read(ours, 1 << 16)
            except OSError:  # EIO: the other end is closed
                break
            if not chunk:
                break
            data += chunk
    os.close(ours)
    assert process.returncode == 0
    return data.decode()


@pytest.mark.once
def test_a_terminal_gets_colours_unless_no_color_is_set(runs: dict[str, Path]) -> None:
    coloured = on_a_terminal("replay", runs["4"], COLUMNS="80")
    plain = on_a_terminal("replay", runs["4"], COLUMNS="80", NO_COLOR="1")
    assert "\x1b[1;32mHOLDS" in coloured
    assert ESCAPE not in plain


@pytest.mark.once
def test_a_reader_that_leaves_is_no_error(runs: dict[str, Path], tmp_path: Path) -> None:
    for words in (("replay", runs["4"]), ("list",), ("run", "tcp", "--out", tmp_path)):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            command(*words), stdout=write, stderr=subprocess.PIPE, env=environment(), cwd="/"
        )
        os.close(write)
        assert done.stderr == b""
        assert done.returncode == 128 + signal.SIGPIPE


@pytest.mark.once
def test_head_gets_its_line(runs: dict[str, Path]) -> None:
    shell = f'"$0" -m lab replay "{runs["4"]}" | head -1'
    done = subprocess.run(
        ["sh", "-c", shell, sys.executable], capture_output=True, text=True, env=environment()
    )
    assert done.stdout.startswith("tcp over IPv4")
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


@pytest.mark.once
def test_an_output_that_is_full_is_reported_in_one_line(runs: dict[str, Path]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("replay", runs["4"]),
            stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), cwd="/",
        )  # fmt: skip
    assert done.stderr == "wirelab: cannot write to standard output: No space left on device\n"
    assert done.returncode == 2


@pytest.mark.once
def test_a_closed_output_is_no_crash(runs: dict[str, Path]) -> None:
    shell = f'"$0" -m lab replay "{runs["4"]}" >&-'
    done = subprocess.run(
        ["sh", "-c", shell, sys.executable], capture_output=True, text=True, env=environment()
    )
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1
