"""What the command refuses, in a line and with the right exit status."""

from __future__ import annotations

from pathlib import Path

import pytest
from outside import (
    OWN_SCENARIOS,
    check_refused,
    wirelab,
)

pytestmark = pytest.mark.kernel


def test_a_word_that_is_unknown_is_reported_in_one_line(other_scenarios: Path, marker: str) -> None:
    scenario = other_scenarios / "scenarios" / "tcp.py"
    scenario.write_text(scenario.read_text().replace("{server}", "{srever}"))
    assert "srever" in check_refused(wirelab("run", "tcp", *OWN_SCENARIOS, cwd=other_scenarios))


ESC = "\x1b[31m"


@pytest.mark.parametrize(
    "words",
    [
        ("show", ESC),
        ("replay", ESC),
        ("run", ESC),
        ("run", f"./{ESC}.py"),
        ("run", "tcp", f"--{ESC}"),
        ("run", "tcp", "--scenarios", ESC),
        ("run", "tcp", "--out", f"/proc/{ESC}"),
        ("run", "tcp", "--junit", f"/proc/{ESC}/x"),
        ("run", "--client", "true", "--as", ESC),
        ("run", "--client", "true", "--cap", ESC),
        ("run", "--client", "true", "--writable", ESC),
        ("run", "--client", "true", "--socket", ESC),
        ("new", f"{ESC}/x"),
    ],
)
def test_a_word_that_is_refused_does_nothing_to_the_terminal(words: tuple[str, ...]) -> None:
    done = wirelab(*words)
    assert done.returncode != 0 and done.stderr
    assert "\x1b" not in done.stdout + done.stderr
