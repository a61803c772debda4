from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from forked_wirelab import forked_wirelab
from outside import check_refused

pytestmark = pytest.mark.programs

FILE = Path(__file__).parents[2] / "recordings/tcp4/recording.pcapng"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["no-reset", "closes-with-fin:client", "round-trips<=2"], 0),
        (["no-reset", "no-clear-text:Hello"], 1),
        (["silent"], 4),
        (["never:shutdown", "bytes:client=1"], 1),
    ],
)
def test_a_file_from_anywhere_is_judged(words: list[str], status: int) -> None:
    options = [option for each in words for option in ("--expect", each)]
    done = forked_wirelab("check", FILE, *options)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout.count(": ") >= len(words)


def test_frames_have_their_numbers_in_the_file() -> None:
    done = forked_wirelab("check", FILE, "--expect", "no-clear-text:Hello")
    match = re.search(r"^  f(\d+) has it in clear text$", done.stdout, re.MULTILINE)
    assert match is not None
    assert f"f{match[1]} PSH ACK" in done.stdout
    shown = forked_wirelab("show", FILE, "--frames", match[1])
    assert f"{match[1]} PSH ACK" in shown.stdout
    assert "Hello" in shown.stdout


def test_nothing_to_check_and_wrong_words_are_refused() -> None:
    assert "check what?" in check_refused(forked_wirelab("check", FILE))
    assert "did you mean 'silent'" in forked_wirelab("check", FILE, "--expect", "silnt").stderr
    check_refused(forked_wirelab("check", "none.pcap", "--expect", "silent"))


def test_what_became_of_it_is_published_for_ci_services(tmp_path: Path) -> None:
    words = ("--expect", "no-reset", "--expect", "silent", "--junit", "junit.xml")
    done = forked_wirelab("check", FILE, *words, cwd=tmp_path, env={"GITHUB_ACTIONS": "true"})
    assert done.returncode == 4
    (suite,) = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert [[each.tag for each in case] for case in suite] == [[], ["error"]]
    assert done.stderr.startswith("::error title=")
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_judged(
    tmp_path: Path,
) -> None:
    words = ("--expect", "no-reset", "--junit", tmp_path / "none" / "junit.xml")
    assert "cannot write" in check_refused(forked_wirelab("check", FILE, *words))


def test_a_file_that_cannot_be_read_is_published_too(tmp_path: Path) -> None:
    words = ("--expect", "no-reset", "--junit", "junit.xml")
    done = forked_wirelab(
        "check", "none.pcap", *words, cwd=tmp_path, env={"GITHUB_ACTIONS": "true"}
    )
    assert done.returncode == 2
    (suite,) = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert [case.get("name") for case in suite] == ["the command"]
    assert suite.get("errors") == "1"
    assert "::error title=none.pcap::" in done.stderr
