from __future__ import annotations

import re
from pathlib import Path

import pytest
from outside import check_refused, wirelab

pytestmark = pytest.mark.kernel

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
    done = wirelab("check", FILE, *options)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout.count(": ") >= len(words)


def test_frames_have_their_numbers_in_the_file() -> None:
    done = wirelab("check", FILE, "--expect", "no-clear-text:Hello")
    match = re.search(r"^  f(\d+) has it in clear text$", done.stdout, re.MULTILINE)
    assert match is not None
    assert f"f{match[1]} PSH ACK" in done.stdout
    shown = wirelab("show", FILE, "--frames", match[1])
    assert f"{match[1]} PSH ACK" in shown.stdout
    assert "Hello" in shown.stdout


def test_nothing_to_check_and_wrong_words_are_refused() -> None:
    assert "check what?" in check_refused(wirelab("check", FILE))
    assert "did you mean 'silent'" in wirelab("check", FILE, "--expect", "silnt").stderr
    check_refused(wirelab("check", "none.pcap", "--expect", "silent"))
