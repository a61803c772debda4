"""What cannot be under ptrace is said, with what to do."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from ad_hoc_run import AdHocRun, python

from lab.kernel.trace.ptrace.denials import CLONE_UNTRACED, Denials

TAKE = "take --trace none or, as root, --trace bpf"


def test_only_what_a_tracer_stands_in_the_way_of_is_denied() -> None:
    denials = Denials()
    denials.note_clone(0x100 | 17)
    denials.note_ptrace(7, os.getpid())  # PTRACE_CONT
    denials.note_ptrace(16, os.getpid())  # PTRACE_ATTACH: nobody traces this process
    denials.note_ptrace(0x4206, 0)  # PTRACE_SEIZE: there is no such process
    assert denials.first == ""


def test_the_first_denial_is_kept() -> None:
    denials = Denials()
    denials.note_clone(CLONE_UNTRACED | 17)
    first = denials.first
    assert "CLONE_UNTRACED" in first and TAKE in first
    denials.note_ptrace(0, 0)
    assert denials.first == first


LIBC = "import ctypes, os, signal\nlibc = ctypes.CDLL(None)\n"
UNTRACED = """
import struct
from ctypes import c_long
words = struct.pack("8Q", 0x00800000, 0, 0, 0, 17, 0, 0, 0)  # clone3(2)
pid = libc.syscall(c_long(435), words, c_long(len(words)))
if pid == 0:
    libc.close(-1)
    os._exit(0)
os.waitpid(pid, 0)
"""
ATTACH = """
pid = os.fork()
if pid == 0:
    signal.pause()
print(libc.ptrace(16, pid, 0, 0))
os.kill(pid, signal.SIGKILL)
"""
DENIED = {
    "print(libc.ptrace(0, 0, 0, 0))": "called ptrace(PTRACE_TRACEME)",
    ATTACH: "called ptrace(PTRACE_ATTACH)",
    UNTRACED: "started a process with CLONE_UNTRACED",
}


@pytest.mark.kernel
@pytest.mark.usefixtures("needs_ptrace")
@pytest.mark.parametrize("code", DENIED)
def test_a_program_that_ptrace_stands_in_the_way_of_fails_with_advice(
    ad_hoc: Callable[..., AdHocRun], code: str
) -> None:
    run = ad_hoc("true", python(LIBC + code), "--no-wait", trace="ptrace")
    told = run.failure("client")
    assert told.startswith(DENIED[code]) and TAKE in told
    # Untraced, nothing stands in its way.
    run = ad_hoc("true", python(LIBC + code), "--no-wait")
    assert "failure" not in run.programs["client"], run.done.stdout


@pytest.mark.kernel
@pytest.mark.usefixtures("needs_ptrace")
def test_what_came_of_it_is_said_as_well(ad_hoc: Callable[..., AdHocRun]) -> None:
    code = LIBC + "raise SystemExit(libc.ptrace(0, 0, 0, 0) and 'no strace')"
    told = ad_hoc("true", python(code), "--no-wait", trace="ptrace").failure("client")
    assert told.endswith(f"{TAKE}; exited with status 1; its stderr ends: no strace")
