"""Commands in cells, as lab.run.run_in_cell starts them: builds of what was handed in."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.model.allowed import Cell, Limits
from lab.records import Limit
from lab.run import run_in_cell

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]

needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="cc is not installed")


@pytest.fixture
def folder(tmp_path: Path, marker: str) -> Path:
    made = tmp_path / "ann"
    made.mkdir()
    return made


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_what_it_has_made_is_in_the_folder(folder: Path) -> None:
    (folder / "old").write_text("old")
    done = run_in_cell("sh -c 'echo made > new; rm old; ln -s /etc/passwd link; echo done; exit 3'",
                       Cell(str(folder)))  # fmt: skip
    assert (done.status, done.signal, done.output, done.beyond) == (3, None, "done\n", 0)
    assert done.cell.ended_by is None
    assert contents(folder) == {"new": "made\n"}
    assert (folder / "new").stat().st_uid == os.geteuid()


@needs_cc
def test_a_c_program_is_built_and_runs(folder: Path) -> None:
    (folder / "hello.c").write_text('#include <stdio.h>\nint main(void) { puts("hello"); }\n')
    cell = Cell(str(folder))
    assert run_in_cell(["cc", "-o", "hello", "hello.c"], cell).status == 0
    assert run_in_cell("./hello", cell).output == "hello\n"


@needs_cc
def test_a_build_reads_nothing_of_the_host_s(folder: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.h"
    sheet.write_text("int answer = 42;\n")
    program = f'#include "{sheet}"\nint main(void) {{ return answer; }}\n'
    (folder / "a.c").write_text(program)
    compiled = ["cc", "-c", str(folder / "a.c"), "-o", str(tmp_path / "control.o")]
    assert os.spawnvp(os.P_WAIT, "cc", compiled) == 0  # out of a cell it is found
    done = run_in_cell("cc -c a.c", Cell(str(folder)))
    assert done.status == 1
    assert "No such file or directory" in done.output


def test_what_it_writes_to_both_outputs_comes_as_it_came(folder: Path) -> None:
    write = "import os; [os.write(1 + n % 2, b'%d' % n) for n in range(10)]"
    done = run_in_cell(("{python}", "-c", write), Cell(str(folder)))
    assert (done.status, done.output) == (0, "0123456789")


def test_the_signal_that_ends_it_is_a_number(folder: Path) -> None:
    done = run_in_cell("sh -c 'kill -KILL $$'", Cell(str(folder)))
    assert (done.status, done.signal, done.cell.ended_by) == (None, 9, None)


def test_output_beyond_the_limit_is_not_kept(folder: Path) -> None:
    done = run_in_cell("yes", Cell(str(folder), Limits(output_kib=8)))
    assert (done.signal, done.cell.ended_by) == (9, Limit.OUTPUT)
    assert done.output == "y\n" * 4096
    assert done.beyond > 0


def test_a_command_without_end_is_ended(folder: Path) -> None:
    done = run_in_cell("sleep 1000", Cell(str(folder), Limits(wall_s=0.2)))
    assert (done.signal, done.cell.ended_by) == (9, Limit.WALL)


def test_there_is_no_network(folder: Path) -> None:
    code = "import socket; print(socket.socket().connect_ex(('127.0.0.1', 9)))"
    done = run_in_cell(("{python}", "-c", code), Cell(str(folder)))
    assert done.output == "101\n"  # ENETUNREACH: lo is down


def test_a_command_that_there_is_not_has_status_127(folder: Path) -> None:
    done = run_in_cell("no-such-compiler", Cell(str(folder)))
    assert (done.status, done.signal) == (127, None)
    assert done.output == "cannot be started: no-such-compiler: No such file or directory"


def test_a_mistake_is_refused_before_anything_runs() -> None:
    for command in ("", "'"):
        with pytest.raises(UsageError, match=r"command|split"):
            run_in_cell(command, Cell("/nowhere"))
    with pytest.raises(UsageError, match="a cell cannot have /nowhere"):
        run_in_cell("true", Cell("/nowhere"))
