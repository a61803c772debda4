"""Calls by the i386 table, as BPF programs find them: those of a program that makes them."""

from __future__ import annotations

import errno
import os
import sys

import calls_read
import pytest

from lab.kernel.sandbox.sandbox import Sandbox, open_sandbox

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.uname().machine != "x86_64", reason="no i386 table"),
    pytest.mark.skipif(os.geteuid() != 0, reason="BPF programs are root's"),
]

CALL = """
import ctypes, mmap, os, sys, threading
# push rbx; eax, ebx, ecx, edx = edi, esi, edx, ecx; int 0x80; pop rbx; ret. Places below 4 GiB.
code = "53 89 f8 89 f3 41 89 c8 89 d1 44 89 c2 cd 80 5b c3"
below = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40, 7)
below[:17] = bytes.fromhex(code)
at = ctypes.addressof(ctypes.c_char.from_buffer(below))
call = ctypes.CFUNCTYPE(*[ctypes.c_int] * 5)(at)
print(call(20, 0, 0, 0), flush=True)
"""
FOREVER = """
while True:
    if os.fork() == 0: call(6, 97, 0, 0); os._exit(0)
    os.wait()
"""
WRITE, CLOSE, GETPID = 4, 6, 20


def run(sandbox: Sandbox, code: str) -> list[tuple[int, bool, tuple[int, ...]]]:
    """Number, whether it is the return, and the first three arguments or the result."""
    seen = sandbox.call(calls_read.run, CALL + code)
    if not seen.output or seen.output.startswith("-38"):
        pytest.skip("this kernel has no calls of 32 bits (CONFIG_IA32_EMULATION)")
    assert seen.lost == 0
    return [(one.number, one.at_exit, one.values[:3]) for one in seen.compat]


def test_the_first_of_each_kind_is_recorded_with_its_return(sandbox: Sandbox) -> None:
    found = run(
        sandbox, f"call({CLOSE}, 99, 5, 6)\ncall({WRITE}, 98, 1, 2)\ncall({CLOSE}, 97, 0, 0)"
    )
    assert found == [
        (CLOSE, False, (99, 5, 6)),
        (CLOSE, True, (-errno.EBADF,)),
        (WRITE, False, (98, 1, 2)),
        (WRITE, True, (-errno.EBADF,)),
    ]


def test_each_process_has_its_own_first_call(sandbox: Sandbox) -> None:
    found = run(
        sandbox,
        f"call({CLOSE}, 97, 0, 0)\nif os.fork() == 0: call({CLOSE}, 98, 0, 0); os._exit(0)\n"
        f"os.wait(); thread = threading.Thread(target=call, args=({CLOSE}, 99, 0, 0))\n"
        "thread.start(); thread.join()",
    )
    assert [values[0] for _, _, values in found] == [97, -errno.EBADF, 98, -errno.EBADF]


def test_those_of_a_pid_namespace_beneath_are_seen(sandbox: Sandbox) -> None:
    found = run(
        sandbox,
        "ctypes.CDLL(None).unshare(0x20000000)\n"  # CLONE_NEWPID
        f"if os.fork() == 0: call({CLOSE}, 98, 0, 0); os._exit(0)\nos.wait()",
    )
    assert [values[0] for _, _, values in found] == [98, -errno.EBADF]


def test_other_calls_are_not_recorded_nor_are_a_hundred_thousand_lost(sandbox: Sandbox) -> None:
    found = run(
        sandbox,
        f"call({GETPID}, 0, 0, 0); os.close(os.dup(1))\n"
        f"for number in range(100_000): call({CLOSE}, 99, 0, 0)",
    )
    assert len(found) == 2


def test_calls_of_others_are_not_seen(sandbox: Sandbox) -> None:
    """Processes of another sandbox make their first calls all the time."""
    with open_sandbox() as other:
        other.call(calls_read.keep_running, [sys.executable, "-IS", "-c", CALL + FOREVER])
        found = run(sandbox, f"call({CLOSE}, 98, 0, 0)")
    assert [values[0] for _, _, values in found] == [98, -errno.EBADF]
