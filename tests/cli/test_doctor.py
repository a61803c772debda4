from __future__ import annotations

from pathlib import Path

import pytest
from outside import (
    wirelab,
)

pytestmark = pytest.mark.kernel


def test_doctor_finds_that_the_lab_can_run_here() -> None:
    done = wirelab("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert "MISSING" not in done.stdout
    assert any("a sandbox opens" in line for line in done.stdout.splitlines())


def test_doctor_says_the_same_of_an_ordinary_user(
    as_sandboxing_nobody: tuple[str, ...], anyones_folder: Path
) -> None:
    done = wirelab("doctor", as_user=as_sandboxing_nobody, env={"HOME": str(anyones_folder)})
    assert (done.returncode, done.stderr) == (0, "")
    assert "a sandbox opens (user, mount, pid and network namespaces)" in done.stdout
