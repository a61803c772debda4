"""A command whose system call of one kind the kernel refuses: EPERM, by a seccomp filter.

    python denied.py CALL [FIRST-ARGUMENT] -- COMMAND...

All that the command starts is refused it as well. Source: seccomp(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

from lab.syscalls.numbers import NUMBERS, OTHER_NUMBERS

BPF = {"x86_64": 321, "aarch64": 280}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER, FIRST_ARGUMENT = 0, 16  # struct seccomp_data, on a little-endian machine
ALLOW, FAIL = 0x7FFF0000, 0x00050000


def deny(call: str, first: int | None) -> None:
    """Have this process and all it starts refused the call; with that first argument alone."""
    machine = os.uname().machine
    known = {**NUMBERS[machine], **OTHER_NUMBERS[machine], "bpf": BPF[machine]}
    code = [(LOAD, 0, 0, NUMBER), (EQUAL, 0, 1 if first is None else 3, known[call])]
    if first is not None:
        code += [(LOAD, 0, 0, FIRST_ARGUMENT), (EQUAL, 0, 1, first)]
    code += [(RETURN, 0, 0, FAIL | errno.EPERM), (RETURN, 0, 0, ALLOW)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in code))
    given = struct.pack("@HP", len(code), ctypes.addressof(program))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [
        ctypes.c_int,
        ctypes.c_ulong,
        ctypes.c_char_p,
        ctypes.c_ulong,
        ctypes.c_ulong,
    ]
    if os.geteuid() != 0:
        assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, None, 0, 0) == 0, ctypes.get_errno()
    done = libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, given, 0, 0)
    assert done == 0, os.strerror(ctypes.get_errno())


if __name__ == "__main__":
    place = sys.argv.index("--")
    name, *rest = sys.argv[1:place]
    deny(name, int(rest[0]) if rest else None)
    os.execvp(sys.argv[place + 1], sys.argv[place + 1 :])
