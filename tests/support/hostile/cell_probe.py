"""Tries what docs/submissions.md says of: run as a submission, it prints what it could do.

Its argument is a file with a JSON object of what the test has put on the host. It needs the
standard library alone. Outside a cell the same is tried as a control: no try harms anything.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from stat import S_IFBLK
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
CLONE_NEWUSER = 0x10000000
PTRACE_SEIZE, PTRACE_DETACH = 0x4206, 17
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
MIB = 1 << 20

given: dict[str, Any] = {}
TRIES: dict[str, Callable[[], bool | None]] = {}


def tries(line: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Make a function the try of a line: it returns something true, or raises OSError."""

    def add(function: Callable[[], object]) -> Callable[[], object]:
        def attempt() -> bool | None:
            try:
                found = function()
            except (OSError, MemoryError):
                return False
            return None if found is None else bool(found)

        TRIES[line] = attempt
        return function

    return add


def checked(result: int) -> bool:
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return True


def in_child(function: Callable[[], object]) -> bool:
    """Whether the function could do it, in a process of its own."""
    pid = os.fork()
    if pid == 0:
        done = False
        with suppress(OSError, MemoryError, ValueError):  # of setrlimit(2): not allowed
            done = bool(function())
        os._exit(0 if done else 1)
    return os.waitpid(pid, 0)[1] == 0


def can_read(path: str) -> bool:
    return Path(path).read_bytes() is not None


def can_write(path: str) -> bool:
    assert not os.path.lexists(path)
    Path(path).write_text("x")
    Path(path).unlink()
    return True


def connect(family: int, address: str | tuple[str, int]) -> bool:
    with socket.socket(family) as one:
        one.settimeout(5)
        one.connect(address)
    return True


@tries("read and write in its folder")
def _() -> object:
    Path("made").write_text(Path("cell_probe.py").read_text())
    return Path("made").stat().st_uid == os.geteuid()


@tries("start what lies there")
def _() -> object:
    Path("script").write_text("#!/bin/sh\nexit 0\n")
    Path("script").chmod(0o755)
    return subprocess.run(["./script"], check=False).returncode == 0


@tries("use a compiler and other programs of the system")
def _() -> object:
    return subprocess.run(["true"], check=True).returncode == 0 and os.listdir("/usr/bin")  # noqa: PTH208


@tries("use a /tmp of its own")
def _() -> object:
    return can_write("/tmp/wirelab-cell-probe")


@tries("find a file that the host has in /tmp")
def _() -> object:
    return os.path.lexists(given["in_tmp"])


@tries("find a file that the host has in /dev/shm")
def _() -> object:
    return os.path.lexists(given["in_shm"])


@tries("find what another program of the run has in its /tmp")
def _() -> object:
    return os.path.lexists(given["neighbour_file"])


@tries("read the sheet that it is graded by")
def _() -> object:
    return can_read(given["sheet"])


@tries("read what another student has handed in")
def _() -> object:
    return can_read(given["other"])


@tries("find anything in /root, /var, /run, /srv, /opt, /mnt, /boot or /sys")
def _() -> object:
    names = ("root", "var", "run", "srv", "opt", "mnt", "boot", "sys")
    allowed = {Path(path).parts[1] for path in given["shown"]}
    return [name for name in names if name not in allowed and Path("/", name).exists()]


@tries("find a file of the lab's own")
def _() -> object:
    return os.path.lexists(given["lab"])


@tries("write to /usr, /etc, or beside its folder")
def _() -> object:
    for folder in ("/usr", "/etc", "/", "/dev"):
        with suppress(OSError):
            return can_write(f"{folder}/wirelab-cell-probe")
    return False


@tries("write in the folder that it is a copy of")
def _() -> object:
    return can_write(f"{given['folder']}/wirelab-cell-probe")


@tries("read the environment of the lab")
def _() -> object:
    return "WIRELAB_TEST_SECRET" in os.environ or b"WIRELAB_TEST_SECRET" in b"".join(
        environment(pid) for pid in visible()
    )


def visible() -> set[int]:
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208


def environment(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes()
    return b""


@tries("see a process that is not its own")
def _() -> object:
    return visible() - {os.getpid()}


@tries("signal one")
def _() -> object:
    for pid in set(given["pids"]) - {os.getpid()}:
        with suppress(OSError):
            os.kill(pid, 0)
            return True
    with suppress(ProcessLookupError):
        os.kill(-1, 0)
        return True
    return False


@tries("trace one, or read its memory")
def _() -> object:
    for pid in set(given["pids"]) - {os.getpid()}:
        if LIBC.ptrace(PTRACE_SEIZE, pid, 0, 0) == 0:
            LIBC.ptrace(PTRACE_DETACH, pid, 0, 0)
            return True
        with suppress(OSError):
            os.close(os.open(f"/proc/{pid}/mem", os.O_RDWR))
            return True
    return False


@tries("become another user by a set-user-ID program")
def _() -> object:
    if not given["set_user_id"]:
        return None
    done = subprocess.run([given["set_user_id"], "-u"], capture_output=True, text=True, check=True)
    return int(done.stdout) != os.geteuid()


@tries("make a user namespace of its own")
def _() -> object:
    return in_child(lambda: checked(LIBC.unshare(CLONE_NEWUSER)))


@tries("find or make a block device")
def _() -> object:
    if any(path.is_block_device() for path in Path("/dev").rglob("*")):
        return True
    for folder in (".", "/tmp", "/dev/shm"):
        with suppress(OSError):
            os.mknod(f"{folder}/device", S_IFBLK | 0o600, os.makedev(1, 0))
            return True
    return False


@tries("set a sysctl: kernel.core_pattern")
def _() -> object:
    path = Path("/proc/sys/kernel/core_pattern")
    path.write_bytes(path.read_bytes())
    return True


@tries("open System V shared memory of the host")
def _() -> object:
    return checked(LIBC.shmget(given["shm_key"], 0, 0))


@tries("use keys of the session that the lab was called in")
def _() -> object:
    number = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
    key = (b"user", given["key"].encode(), ctypes.c_int(0))
    search, session = ctypes.c_int(10), ctypes.c_int(-3)  # keyctl(2)
    return LIBC.syscall(ctypes.c_long(number), search, session, *key) > 0


@tries("connect to a TCP port of the host's 127.0.0.1")
def _() -> object:
    return connect(socket.AF_INET, ("127.0.0.1", given["tcp_port"]))


@tries("connect to an abstract unix socket of the host")
def _() -> object:
    return connect(socket.AF_UNIX, "\0" + given["abstract"])


@tries("connect to a unix socket in the host's file systems")
def _() -> object:
    return connect(socket.AF_UNIX, given["unix"])


@tries("connect to the run's other hosts")
def _() -> object:
    return connect(socket.AF_INET, ("server", 4242))


@tries("listen on a port from 1024 on")
def _() -> object:
    socket.create_server(("", 1024)).close()
    return True


@tries("listen on a port below 1024")
def _() -> object:
    socket.create_server(("", 80)).close()
    return True


@tries("open a raw socket, a packet socket, or one of the kernel's cryptography")
def _() -> object:
    wanted = (
        (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        (socket.AF_PACKET, socket.SOCK_RAW, 0),
        (socket.AF_PACKET, socket.SOCK_DGRAM, 0),
    )
    for each in wanted:
        with suppress(OSError):
            socket.socket(*each).close()
            return True
    return False


@tries("ask which interfaces there are")
def _() -> object:
    return socket.if_nameindex()


@tries("change one")
def _() -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("=16sH14x", b"lo", 0)
        flags = struct.unpack_from("=H", ioctl(any_socket, SIOCGIFFLAGS, request), 16)[0]
        # As it is: who may not change it may not do that either.
        ioctl(any_socket, SIOCSIFFLAGS, struct.pack("=16sH14x", b"lo", flags))
    return True


@tries("start more processes than its limit")
def _() -> object:
    wanted = given["limits"]["processes"] + 1
    children: list[int] = []
    try:
        for _ in range(wanted):
            pid = os.fork()
            if pid == 0:
                signal.pause()
                os._exit(0)
            children.append(pid)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return True


@tries("take more memory of its own than its limit")
def _() -> object:
    return in_child(lambda: bytearray(given["limits"]["memory_mib"] * MIB))


@tries("write a file that is larger than its limit")
def _() -> object:
    def write() -> bool:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        descriptor = os.open("large", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.ftruncate(descriptor, given["limits"]["file_mib"] * MIB + 1)
        return True

    return in_child(write)


@tries("fill more than its limit of the disk")
def _() -> object:
    size, chunk = given["limits"]["disk_mib"] + 1, bytes(MIB)
    names = []
    try:
        for number in range(size):
            folder = (".", "/tmp", "/dev/shm")[number % 3]
            names.append(f"{folder}/fill-{number}")
            Path(names[-1]).write_bytes(chunk)
    finally:
        for name in names:
            Path(name).unlink(missing_ok=True)
    return True


@tries("open more files than its limit, in one process")
def _() -> object:
    def open_many() -> bool:
        for _ in range(given["limits"]["open_files"] + 1):
            os.open("/dev/null", os.O_RDONLY)
        return True

    return in_child(open_many)


@tries("raise its limits")
def _() -> object:
    def raise_one() -> bool:
        wanted = given["limits"]["processes"] + 1
        _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        most = hard if hard == resource.RLIM_INFINITY else max(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NPROC, (wanted, most))
        return True

    return in_child(raise_one)


@tries("go before others: real-time priority, or nice(2) below 0")
def _() -> object:
    def go_before() -> bool:
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
            return True
        os.nice(-1)
        return True

    return in_child(go_before)


@tries("leave a core file")
def _() -> object:
    return resource.getrlimit(resource.RLIMIT_CORE)[1] != 0


@tries("make calls of 32 bits")
def _() -> object:
    if os.uname().machine != "x86_64":
        return None

    def call() -> bool:
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20; int 0x80; ret: getpid(2)
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        return bool(ctypes.CFUNCTYPE(ctypes.c_int)(address)() == os.getpid())

    return in_child(call)


def refused(names: Iterable[str]) -> list[str]:
    """Those of the calls that fail with EPERM; their arguments are such that none does anything."""
    found = []
    for name in names:
        number = given["numbers"].get(name)
        if number is None:
            continue
        arguments = [-1] * 6
        if name in ("msgget", "semget"):
            arguments = [given["shm_key"] ^ 1, 0, 0, 0, 0, 0]
        if name == "vhangup" and given["is_control"]:
            continue  # it has no argument that could be wrong
        result = LIBC.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
        if result == -1 and ctypes.get_errno() == errno.EPERM:
            found.append(name)
    return found


if __name__ == "__main__":
    given.update(json.loads(Path(sys.argv[1]).read_text()))
    could = {line: attempt() for line, attempt in TRIES.items()}
    calls = {kind: refused(names) for kind, names in given["calls"].items()}
    print(json.dumps({"could": could, "refused": calls}))
