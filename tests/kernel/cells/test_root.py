"""What a program in a cell sees of the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from house import ROOT
from step_programs import in_cell, run_code, run_in_cells

from lab.errors import UsageError
from lab.kernel.cells.root import interpreters
from lab.model.allowed import Cell
from lab.model.program import Program

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]

LIST = """
import json, os
print(json.dumps({
    "/": sorted(os.listdir("/")), "/etc": sorted(os.listdir("/etc")),
    "/dev": sorted(os.listdir("/dev")), "/home": os.listdir("/home"), "/tmp": os.listdir("/tmp"),
    "passwd": open("/etc/passwd").read(), "hosts": open("/etc/hosts").read(),
}))
"""


def test_its_root_has_the_system_and_folders_of_its_own(marker: str, tmp_path: Path) -> None:
    it = run_code(tmp_path, LIST)
    assert it.failure == ""
    found = json.loads(it.stdout)
    beyond = {Path(path).parts[1] for path in interpreters()}
    assert {"dev", "etc", "home", "proc", "submission", "tmp", "usr"} <= set(found["/"])
    assert not {"root", "var", "srv", "opt", "run", "sys", "boot", "mnt"} - beyond & set(found["/"])
    assert {"passwd", "hosts", "nsswitch.conf"} <= set(found["/etc"])
    assert not {"shadow", "ssl", "ssh", "sudoers", "resolv.conf"} & set(found["/etc"])
    devices = {"null", "zero", "full", "random", "urandom", "tty"}
    links = {"fd", "stdin", "stdout", "stderr", "ptmx"}
    assert set(found["/dev"]) == devices | links | {"pts", "shm"}
    assert found["/home"] == found["/tmp"] == []
    assert "submission:x:" in found["passwd"]
    assert "127.0.0.1\tlocalhost" in found["hosts"]


def test_folders_that_are_asked_for_are_there_to_read(marker: str, tmp_path: Path) -> None:
    mine, tools = tmp_path / "ann", tmp_path / "tools"
    mine.mkdir()
    tools.mkdir()
    (tools / "jdk").write_text("java")
    read = f"print(open({str(tools / 'jdk')!r}).read())\nopen({str(tools / 'new')!r}, 'w')"
    plain = in_cell(mine, read)
    program = Program("it", "client", plain.argv, cell=Cell(str(mine), shows=(str(tools),)))
    (it,) = run_in_cells(program)
    assert it.stdout == "java\n"
    assert "Read-only file system" in it.stderr
    (it,) = run_in_cells(plain)
    assert "No such file or directory" in it.stderr
    absent = Cell(str(mine), shows=("/nowhere",))
    with pytest.raises(UsageError, match="a cell cannot show /nowhere"):
        run_in_cells(Program("it", "client", plain.argv, cell=absent))


def test_the_labs_own_package_is_hidden_where_it_would_be_shown(
    marker: str, tmp_path: Path
) -> None:
    """As where it is installed beneath /usr: it has the sheets, with what they look for."""
    mine = tmp_path / "ann"
    mine.mkdir()
    listed = f"import os\nprint(os.listdir({str(ROOT / 'lab')!r}), os.listdir({str(ROOT)!r}))"
    plain = in_cell(mine, listed)
    (it,) = run_in_cells(
        Program("it", "client", plain.argv, cell=Cell(str(mine), shows=(str(ROOT),)))
    )
    assert it.failure == ""
    assert it.stdout.startswith("[] [")
    assert "'README.md'" in it.stdout
