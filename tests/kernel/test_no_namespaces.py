"""A machine that allows no namespaces to an ordinary user: inside a user namespace of a limit 0."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from outside import REPOSITORY, check_refused, environment, wirelab

pytestmark = pytest.mark.kernel

REASON = "cannot create a user namespace: ENOSPC (No space left on device)"
ADVICE = "run with sudo, or `wirelab doctor` says how to allow unprivileged user namespaces"

# The limit is the namespace's own, and so are the capabilities that set it, which are given away.
FORBID = (
    "unshare", "--user", "--map-current-user", "--keep-caps", "sh", "-c",
    "echo 0 >/proc/sys/user/max_user_namespaces && "
    'exec setpriv --inh-caps=-all --ambient-caps=-all --bounding-set=-all "$@"', "sh",
)  # fmt: skip


@pytest.fixture
def confined(as_sandboxing_nobody: tuple[str, ...]) -> list[str]:
    """What makes a command one of an ordinary user's who may make no namespace."""
    confined = [*as_sandboxing_nobody, *FORBID]
    tried = subprocess.run([*confined, "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"unshare(1) cannot forbid namespaces here: {tried.stderr.strip()}")
    return confined


def test_a_run_says_what_forbids_it(confined: list[str], anyones_folder: Path) -> None:
    done = wirelab("run", "tcp", "--out", anyones_folder / "runs", as_user=confined)
    assert check_refused(done, 3) == f"wirelab: {REASON}; {ADVICE}\n"
    assert list(anyones_folder.iterdir()) == []


def test_doctor_says_what_is_missing_and_how_to_mend_it(confined: list[str]) -> None:
    done = wirelab("doctor", as_user=confined)
    assert (done.returncode, done.stderr) == (3, "")
    missing = [line for line in done.stdout.splitlines() if line.startswith("MISSING ")]
    assert [line for line in missing if "apparmor" not in line] == [
        "MISSING  user.max_user_namespaces: 0, so that ordinary users may not open a sandbox; to "
        "mend: sudo sysctl user.max_user_namespaces=15000, or use sudo",
        f"MISSING  namespaces: {REASON}; to mend: sudo; in a container: --privileged, or less by "
        "docs/ci.md",
    ]


def test_kernel_tests_are_skipped_and_the_last_line_says_so(confined: list[str]) -> None:
    tests = ("tests/model/test_topology.py", "tests/kernel/programs/test_listening.py")
    done = subprocess.run(
        [*confined, "tests/run", *tests], cwd=REPOSITORY, text=True, capture_output=True,
        env={**environment(), "VENV": sys.prefix},
    )  # fmt: skip
    # Of a user without a name it tells the number, and fails.
    who = subprocess.run([*confined, "id", "-un"], text=True, stdout=subprocess.PIPE).stdout.strip()
    *_, summary, last = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert summary == f"{' '.join(tests)} as {who}: passed"
    assert last == f"kernel tests as {who}: SKIPPED, {REASON}; {ADVICE}"
    (told,) = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED [")]
    assert told.endswith(f"{REASON}; {ADVICE}")
