"""A run under limits on descriptors or processes that are too small for it."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from outside import check_refused, command, environment

from lab.errors import KernelRefused
from lab.kernel.system.limits import as_refusal

AD_HOC = ("--server", "true", "--client", "true")


LIMIT = """
import os, resource, sys
which, most, *command = sys.argv[1:]
resource.setrlimit(getattr(resource, which), (int(most),) * 2)
os.execv(command[0], command)
"""


def limited(
    which: str, most: int, *words: str | Path, as_user: Sequence[str] = (), **env: str
) -> subprocess.CompletedProcess[str]:
    limit = [sys.executable, "-IS", "-c", LIMIT, which, str(most)]
    return subprocess.run(
        [*as_user, *limit, *command("run", *words)],
        cwd="/", env=environment(**env), capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_a_descriptor_that_cannot_be_had_is_the_machines_refusal(number: int) -> None:
    refusal = as_refusal(OSError(number, "no"))
    assert refusal is not None
    assert (refusal.exit_status, bool(refusal.advice)) == (3, True)


def test_what_a_descriptor_was_wanted_for_is_beside_the_matter() -> None:
    with pytest.raises(KernelRefused) as refused:
        try:
            raise OSError(errno.EMFILE, "no")
        except OSError:
            raise KernelRefused("cannot set sysctl x") from None
    assert "ulimit -n" in str(as_refusal(refused.value))


def test_a_thread_that_cannot_be_started_is_the_machines_refusal() -> None:
    assert "ulimit -u" in str(as_refusal(RuntimeError("can't start new thread")))


def test_another_error_is_none() -> None:
    near, far = socket.socketpair()
    near.setblocking(False)
    with near, far, pytest.raises(BlockingIOError) as empty:
        near.recv(1)
    for error in (empty.value, OSError(errno.ENOENT, "no"), RuntimeError("no"), ValueError()):
        assert as_refusal(error) is None


@pytest.mark.kernel
@pytest.mark.parametrize("most", [8, 9, 12, 14, 15, 16, 18, 20, 24, 28])
def test_too_few_descriptors_are_told_in_a_line(most: int, tmp_path: Path, marker: str) -> None:
    done = limited("RLIMIT_NOFILE", most, *AD_HOC, "--out", tmp_path)
    assert "ulimit -n" in check_refused(done, 3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.kernel
@pytest.mark.parametrize("most", [2, 3, 4])
def test_too_few_processes_are_told_in_a_line(
    most: int, as_sandboxing_nobody: tuple[str, ...], anyones_folder: Path
) -> None:
    """Others of the user's, if there are any, make it fewer still."""
    done = limited(
        "RLIMIT_NPROC", most, *AD_HOC, "--out", anyones_folder,
        as_user=as_sandboxing_nobody, HOME=str(anyones_folder),
    )  # fmt: skip
    assert "ulimit -u" in check_refused(done, 3)
