from __future__ import annotations

import os
import struct
from pathlib import Path

from lab.kernel.trace.bpf.pid_namespace import NOWHERE, PidNamespace, own_pid_namespace


def test_a_process_is_in_the_one_that_its_file_in_proc_names() -> None:
    found = Path(f"/proc/{os.getpid()}/ns/pid").stat()
    device, inode = own_pid_namespace()
    assert (device >> 20, device & 0xFFFFF) == (os.major(found.st_dev), os.minor(found.st_dev))
    assert inode == found.st_ino


def test_the_programs_read_two_numbers_of_64_bits() -> None:
    assert PidNamespace(4, 0xF0000001).packed() == struct.pack("=QQ", 4, 0xF0000001)
    assert NOWHERE.packed() == bytes(16)
