"""`wirelab grade` with programs: marks, outputs, and what is graded again."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from handed_in import IN_C, IN_GO, IN_JAVA, RIGHT, WRONG, hand_in
from outside import REPOSITORY, check_refused, wait_until, wirelab

from lab.grade.submission import GO, JAVA, Language
from lab.grading.building import SYSTEM_PATH

pytestmark = pytest.mark.kernel

COMMAND = REPOSITORY / "wirelab"
SHEET = REPOSITORY / "tests/support/grades/echo_sheet.py"


def copied_sheet(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    sheet = folder / "sheet.py"
    sheet.write_text(SHEET.read_text("utf-8"), "utf-8")
    return sheet


def scores(out: Path) -> dict[str, str]:
    with (out / "results.csv").open(encoding="utf-8") as file:
        return {row["student"]: row["score"] for row in csv.DictReader(file)}


def kept_at(out: Path) -> dict[str, int]:
    return {path.stem: path.stat().st_mtime_ns for path in (out / "kept").iterdir()}


@pytest.mark.once
def test_programs_are_graded_several_at_once(tmp_path: Path) -> None:
    hostile = {"=<b>": WRONG["syntax"], "\x1b[2J": RIGHT}
    files = hand_in(tmp_path / "up", ann=RIGHT, bob_c=IN_C, cem=WRONG["loopback"], **hostile)
    done = wirelab("grade", SHEET, *files, "-j", "2", "--out", tmp_path / "out", "-v")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    memory, _ = (line for line in done.stdout.splitlines() if line.startswith("memory "))
    assert "512 MiB" in memory and "the lab, together; rlimit, each process" in memory
    lines = done.stdout.splitlines()
    assert lines[0] == "Echo"
    assert [line.split()[-1] for line in lines[2:7]] == ["4/4", "4/4", "0/4", "0/4", "0/4"]
    assert "cem: binds-loopback" in done.stdout
    assert "could not be built (Python)" in done.stdout
    assert [*scores(tmp_path / "out").values()] == ["4", "4", "0", "0", "0"]
    results = json.loads((tmp_path / "out/students/cem/results.json").read_bytes())
    assert "Hint: Bind to ::." in results["tests"][0]["output"]
    page = (tmp_path / "out/students/cem/student.html").read_text("utf-8")
    assert "<svg" in page and "The program server" in page
    overview = (tmp_path / "out/overview.html").read_text("utf-8")
    assert "binds-loopback" in overview and "How programs were held" in overview
    assert not (tmp_path / "out/.scratch").exists()


@pytest.mark.parametrize(("language", "text"), [(GO, IN_GO), (JAVA, IN_JAVA)])
def test_a_right_program_has_all_points_in_every_language(
    language: Language, text: str, tmp_path: Path
) -> None:
    if not all(shutil.which(tool, path=SYSTEM_PATH) for tool in language.tools):
        pytest.skip(f"there is no {' or no '.join(language.tools)}")
    end = language.ends[0].removeprefix(".")
    files = hand_in(tmp_path / "up", **{f"ann_{end}": text, f"bob_{end}": "import x"})
    done = wirelab("grade", SHEET, *files, "--out", tmp_path / "out", timeout_s=110)
    assert done.returncode == 0, done.stderr
    assert scores(tmp_path / "out") == {"ann": "4", "bob": "0"}
    assert f"bob: could not be built ({language.name})" in done.stdout


@pytest.mark.once
def test_only_what_has_changed_is_graded_again(tmp_path: Path) -> None:
    sheet, out = copied_sheet(tmp_path / "sheet"), tmp_path / "out"
    files = hand_in(tmp_path / "up", ann=RIGHT, bob=WRONG["ends"])

    def grade(*more: str) -> set[str]:
        """Grade them; whose grades were made anew."""
        before = kept_at(out) if out.exists() else {}
        done = wirelab("grade", sheet, *files, "--out", out, *more)
        assert done.returncode == 0, done.stderr
        return {name for name, moment in kept_at(out).items() if before.get(name) != moment}

    assert grade() == {"ann", "bob"}
    assert grade() == set()
    (out / "results.csv").unlink()
    hand_in(tmp_path / "up", bob=RIGHT)
    assert grade() == {"bob"}
    assert scores(out) == {"ann": "4", "bob": "4"}
    assert grade("--again") == {"ann", "bob"}
    (out / "kept/ann.json").write_bytes((out / "kept/ann.json").read_bytes()[:-9])
    assert grade() == {"ann"}
    sheet.write_text(sheet.read_text("utf-8").replace('"echo", 2', '"echo", 3'), "utf-8")
    assert grade() == {"ann", "bob"}
    assert scores(out) == {"ann": "5", "bob": "5"}


@pytest.mark.once
def test_a_language_that_is_not_here_is_the_machines_fault(tmp_path: Path) -> None:
    sheet, out = copied_sheet(tmp_path / "sheet"), tmp_path / "out"
    text = sheet.read_text("utf-8").replace("Check,", "Check, Language,", 1)
    rust = 'Language("Rust", (".py",), "no-rustc {main}", "./{name}")'
    own = f'Submission("echo_server", ("C", {rust}))'
    sheet.write_text(text.replace('Submission("echo_server")', own), "utf-8")
    files = hand_in(tmp_path / "up", ann=RIGHT, bob_c=IN_C)
    said = "ann: the lab could not grade it: it is in Rust, and this machine has no no-rustc"
    for _ in range(2):
        done = wirelab("grade", sheet, *files, "--out", out)
        assert done.returncode == 3 and said in done.stderr
        assert "the same command grades these again" in done.stderr
    results = json.loads((out / "students/ann/results.json").read_bytes())
    assert "Hint" not in json.dumps(results)
    assert scores(out) == {"ann": "0", "bob": "4"}


def test_a_kill_leaves_what_was_graded_and_nothing_in_part(tmp_path: Path) -> None:
    out = tmp_path / "out"
    slow = f"import time\ntime.sleep(3600)\n{RIGHT}"
    files = hand_in(tmp_path / "up", ann=RIGHT, bob=slow)
    command = [str(each) for each in (COMMAND, "grade", SHEET, *files, "--out", out, "-j2")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        wait_until((out / "kept/ann.json").exists, 60)
        wait_until(lambda: [*(out / ".scratch/bob").rglob("*.py")], 60)
        running.kill()
        assert running.stdout is not None
        assert running.stdout.read() == b""  # all of its processes have ended
    assert kept_at(out).keys() == {"ann"}
    assert not (out / ".scratch").exists()
    before = kept_at(out)
    hand_in(tmp_path / "up", bob=WRONG["ends"])
    done = wirelab("grade", SHEET, *files, "--out", out)
    assert done.returncode == 0, done.stderr
    assert kept_at(out)["ann"] == before["ann"]
    assert scores(out) == {"ann": "4", "bob": "0"}


def test_an_interrupt_ends_it_at_once(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (bob,) = hand_in(tmp_path / "up", bob=f"import time\ntime.sleep(3600)\n{RIGHT}")
    command = [str(each) for each in (COMMAND, "grade", SHEET, bob, "--out", out)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as running:
        wait_until(lambda: [*(out / ".scratch").rglob("*.py")], 60)
        os.killpg(running.pid, signal.SIGINT)
        assert running.stdout is not None and running.stderr is not None
        assert running.stdout.read() == b""
        assert running.stderr.read() == b"wirelab: interrupted\n"
    assert running.returncode == 130
    assert kept_at(out) == {} and not (out / ".scratch").exists()


@pytest.mark.once
def test_one_folder_is_graded_into_by_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    files = hand_in(tmp_path / "up", ann=RIGHT)
    out.mkdir()
    held = os.open(out, os.O_RDONLY)
    import fcntl

    fcntl.flock(held, fcntl.LOCK_EX)
    refused = wirelab("grade", SHEET, *files, "--out", out)
    os.close(held)
    assert "another wirelab is grading into" in check_refused(refused)


@pytest.mark.once
def test_a_sheet_that_fails_itself_is_to_be_mended_and_nothing_of_it_is_kept(
    tmp_path: Path,
) -> None:
    sheet, out = copied_sheet(tmp_path / "sheet"), tmp_path / "out"
    text = sheet.read_text("utf-8")
    sheet.write_text(text.replace("    assert seen.value ==", "    assert seen.valeu =="), "utf-8")
    files = hand_in(tmp_path / "up", ann=RIGHT)
    done = wirelab("grade", sheet, *files, "--out", out)
    assert done.returncode == 2
    assert "has to be mended: the check 'echo': the check failed itself: AttributeE" in done.stderr
    assert scores(out) == {"ann": "1"}


@pytest.mark.once
def test_sheets_are_of_programs_or_of_captures(tmp_path: Path) -> None:
    files = hand_in(tmp_path / "up", ann=RIGHT)
    conversation = REPOSITORY / "sheets/tcp_conversation.py"
    refused = wirelab("grade", conversation, *files, "--out", tmp_path / "out")
    assert "is for captures" in check_refused(refused)
    refused = wirelab("grade", SHEET, "--pcap", *files, "--out", tmp_path / "out")
    assert "is for programs" in check_refused(refused)
    refused = wirelab("grade", SHEET, *files, "--pcap", *files)
    assert "give what was handed in" in check_refused(refused)
