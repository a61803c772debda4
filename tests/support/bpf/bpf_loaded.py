"""Which BPF programs a process has, and whether the kernel still has them."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path

from lab.errors import LabError
from lab.kernel.system import libc

PROGRAM_BY_ID = 13  # BPF_PROG_GET_FD_BY_ID


def programs_of(pid: int | str = "self") -> set[int]:
    """The ids of those that it has descriptors of. Source: proc(5), /proc/pid/fdinfo."""
    ids: set[int] = set()
    try:
        for entry in Path(f"/proc/{pid}/fdinfo").iterdir():
            try:
                text = entry.read_text()
            except OSError:
                continue  # the descriptor of the folder itself, or one just closed
            ids |= {int(one) for one in re.findall(r"prog_id:\s*(\d+)", text)}
    except OSError:
        return set()  # the process has ended
    return ids


def is_loaded(program: int) -> bool:
    """Whether the kernel has a program of that id."""
    try:
        os.close(libc.bpf(PROGRAM_BY_ID, struct.pack("=II", program, 0) + bytes(8), "find it"))
    except LabError:
        return False
    return True
