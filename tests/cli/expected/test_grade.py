from __future__ import annotations

import json
from pathlib import Path

import pytest
from forked_wirelab import forked_wirelab
from outside import REPOSITORY, check_refused

pytestmark = pytest.mark.programs

RECORDED = REPOSITORY / "tests/recordings"
SHEET = REPOSITORY / "sheets/tcp_conversation.py"
GOOD, BAD = RECORDED / "tcp4/recording.pcapng", RECORDED / "half-close4/recording.pcapng"


def test_captures_are_graded(tmp_path: Path) -> None:
    (tmp_path / "none.pcap").write_bytes(b"x")
    files = [GOOD, BAD, tmp_path / "none.pcap"]
    done = forked_wirelab("grade", SHEET, "--out", tmp_path / "out", "--pcap", *files)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "A TCP conversation of your own"
    assert [line.split()[-1] for line in lines[2:5]] == ["7/7", "4/7", "0/7"]
    assert [line.split()[0] for line in lines[2:5]] == [
        "tcp4/recording", "half-close4/recording", "none",
    ]  # fmt: skip
    assert "none: cannot read none.pcap: not a pcap" in done.stdout
    assert lines[-1] == f"Written to {tmp_path / 'out'}"
    results = tmp_path / "out/students/half-close4_recording/results.json"
    assert json.loads(results.read_bytes())["score"] == 4


def test_checks_are_explained() -> None:
    every = forked_wirelab("grade", SHEET, "--explain")
    assert every.returncode == 0
    assert "opens (2 points)" in every.stdout and "no-reset (1 point)" in every.stdout
    one = forked_wirelab("grade", SHEET, "--explain", "closes")
    assert "Where it does not pass: Close both ends" in one.stdout
    assert "no-reset" not in one.stdout


def test_wrong_usage_is_refused(tmp_path: Path) -> None:
    assert "did you mean 'closes'" in check_refused(
        forked_wirelab("grade", SHEET, "--explain", "close")
    )
    assert "there is no lab sheet" in check_refused(forked_wirelab("grade", "none.py", "--explain"))
    assert forked_wirelab("grade", SHEET).returncode == 2
    assert forked_wirelab("grade", SHEET, "--explain", "--pcap", GOOD).returncode == 2


def test_a_sheet_whose_check_fails_itself_is_to_be_mended(tmp_path: Path) -> None:
    sheet = tmp_path / "own.py"
    sheet.write_text(
        "from lab.api import Check, Sheet\n"
        "def own(capture):\n    'It is so.'\n    capture.nothing()\n"
        "SHEET = Sheet('t', 'h', (Check('own', 1, own),))\n"
    )
    done = forked_wirelab("grade", sheet, "--out", tmp_path / "out", "--pcap", GOOD)
    assert done.returncode == 2
    assert "own.py has to be mended: the check 'own'" in done.stderr
    assert (tmp_path / "out/results.csv").is_file()


@pytest.mark.parametrize("way", [(), ("--pcap",)])
def test_a_path_that_is_not_there_is_the_callers_mistake(
    tmp_path: Path, way: tuple[str, ...]
) -> None:
    sheet = "tcp_conversation" if way else "tcp_echo"
    done = forked_wirelab("grade", sheet, *way, "nobody.py", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "wirelab: there is no nobody.py; nothing was graded\n"
    assert list(tmp_path.iterdir()) == []
