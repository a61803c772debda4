from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from handed_in import IN_C, RIGHT

from lab.grade.submission import Language, Submission
from lab.grading.building import MOST_SHOWN, SYSTEM_PATH, NoTools, NotThere, make_ready

ECHO = Submission("echo_server")
RUST = Language("Rust", (".rs",), "rustc-of-nowhere {main}", "./{name}")


def folder_with(path: Path, **files: str) -> Path:
    path.mkdir()
    for name, text in files.items():
        end = name.rpartition("_")[2]
        (path / f"{name[: -len(end) - 1]}.{end}").write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "there is no echo_server.py or echo_server.c or EchoServer.java or echo_server.go"),
        ({"readme_txt": ""}, "among the files: readme.txt"),
        ({"a_py": "", "b_py": ""}, "which of a.py, b.py is the program?"),
        ({"a_py": "", "b_c": ""}, "which of a.py, b.c is the program?"),
        ({"echo_server_py": "", "echo_server_c": ""}, "and it is one program"),
    ],
)
def test_a_program_that_is_not_to_be_found_is_refused(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    with pytest.raises(NotThere) as refused:
        make_ready(ECHO, folder_with(tmp_path / "a", **files))
    assert said in str(refused.value)


def test_a_folder_where_a_file_has_to_be_is_refused(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "a", ann_py=RIGHT)
    (folder / "file.bin").mkdir()
    with pytest.raises(NotThere, match=r"file\.bin is a folder"):
        make_ready(Submission("echo_server", given={"file.bin": b"x"}), folder)
    (folder / "echo_server.py").mkdir()
    with pytest.raises(NotThere, match=r"echo_server\.py is a folder"):
        make_ready(ECHO, folder)


def test_a_language_that_is_not_on_this_machine_is_named(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "a", ann_rs="")
    with pytest.raises(NoTools, match="it is in Rust, and this machine has no rustc-of-nowhere"):
        make_ready(Submission("x", (RUST,)), folder)


def test_a_tool_that_no_cell_has_is_the_machines_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a compiler in /opt is, to which /usr/local/bin has a link."""
    (tmp_path / "opt").mkdir()
    shutil.copy("/bin/true", tmp_path / "opt/rustc-of-nowhere")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/rustc-of-nowhere").symlink_to(tmp_path / "opt/rustc-of-nowhere")
    monkeypatch.setattr("lab.grading.building.SYSTEM_PATH", str(tmp_path / "bin"))
    said = f"rustc-of-nowhere is {tmp_path / 'opt/rustc-of-nowhere'}, which no cell has"
    with pytest.raises(NoTools, match=re.escape(said)):
        make_ready(Submission("x", (RUST,)), folder_with(tmp_path / "a", ann_rs=""))


@pytest.mark.kernel
def test_a_single_file_of_any_name_is_the_program(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "a", ann_py=RIGHT)
    ready = make_ready(Submission("echo_server", given={"file.bin": b"x"}), folder)
    assert (ready.built.language, ready.built.has_failed) == ("Python", False)
    assert ready.command == "'{python}' echo_server.py"
    assert {path.name for path in folder.iterdir()} >= {"echo_server.py", "file.bin"}


@pytest.mark.kernel
def test_a_mistake_is_said_as_the_compiler_says_it(tmp_path: Path) -> None:
    ready = make_ready(ECHO, folder_with(tmp_path / "a", ann_py="def ("))
    assert ready.built.has_failed and ready.command == ""
    assert "SyntaxError" in ready.built.output
    assert str(tmp_path) not in ready.built.output


@pytest.mark.kernel
@pytest.mark.skipif(not shutil.which("cc", path=SYSTEM_PATH), reason="no compiler of C")
def test_c_is_compiled_from_all_its_files_in_the_folder_within(tmp_path: Path) -> None:
    inside = tmp_path / "a"
    inside.mkdir()
    folder = folder_with(inside / "ann's work", main_c=IN_C, more_c="int more;")
    ready = make_ready(ECHO, inside)
    assert not ready.built.has_failed, ready.built.output
    assert ready.folder == folder and (folder / "echo_server").is_file()
    assert ready.command == "./echo_server"
    (tmp_path / "b").mkdir()
    wrong = folder_with(tmp_path / "b/c", main_c='#error "\x1b[2J' + "x" * 2 * MOST_SHOWN + '"')
    ready = make_ready(ECHO, wrong)
    assert ready.built.has_failed and "#error" in ready.built.output
    assert len(ready.built.output) < MOST_SHOWN + 100


@pytest.mark.kernel
def test_names_of_files_are_no_options_of_the_compiler(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "-imacros x.py").write_text("x = 1")
    ready = make_ready(ECHO, folder)
    assert not ready.built.has_failed, ready.built.output


@pytest.mark.kernel
@pytest.mark.skipif(not shutil.which("cc", path=SYSTEM_PATH), reason="no compiler of C")
@pytest.mark.parametrize(
    "name", ["a{b}.c", "{python:>9}.c", "{python.x}.c", "{}{{.c", "{python}.c"]
)
def test_names_of_files_are_no_placeholders(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / name).write_text(IN_C)
    ready = make_ready(ECHO, folder)
    assert not ready.built.has_failed, ready.built.output
    assert f" ./{name} " in ready.built.command
