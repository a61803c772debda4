"""Tries what docs/isolation.md says of: run as a program under test, it prints what it could do.

Its argument is a JSON object of what the test has put on the host. It needs the standard library
alone, and leaves everything as it found it.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import pty
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from fcntl import ioctl
from functools import partial
from pathlib import Path
from stat import S_IFBLK
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_REMOUNT, MS_BIND, MNT_DETACH = 0x20, 0x1000, 2
PTRACE_SEIZE, PTRACE_DETACH = 0x4206, 17
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
HIGHEST_PID = 200  # the lab's processes have the first pids of a sandbox

given: dict[str, Any] = {}
TRIES: dict[str, Callable[[], bool | None]] = {}


def tries(line: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Make a function the try of a line: it returns something true, or raises OSError."""

    def add(function: Callable[[], object]) -> Callable[[], object]:
        def attempt() -> bool | None:
            try:
                found = function()
            except OSError:
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
        with suppress(OSError):
            done = bool(function())
        os._exit(0 if done else 1)
    return os.waitpid(pid, 0)[1] == 0


def names(folder: str | Path) -> list[str]:
    return [path.name for path in Path(folder).iterdir()]


def write(path: str) -> bool:
    """Write a new file there; whether it is the user's."""
    assert not os.path.lexists(path)
    Path(path).write_text("x")
    owner = Path(path).stat().st_uid
    Path(path).unlink()
    return owner == os.geteuid()


def connect(address: str) -> bool:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(address)
    return True


@tries("write a file in the current folder, which then belongs to the user")
def _() -> object:
    Path("made-here").write_text("x")
    return Path("made-here").stat().st_uid == os.geteuid()


@tries("write in a folder named by `--writable`")
def _() -> object:
    return write(f"{given['writable']}/made")


@tries("write elsewhere in the host's file systems, where the user may")
def _() -> object:
    return write(f"{given['elsewhere']}/made")


@tries("write to /etc")
def _() -> object:
    return write("/etc/wirelab-isolation-probe")


@tries("change the mode of a file in /etc")
def _() -> object:
    passwd = Path("/etc/passwd")
    passwd.chmod(passwd.stat().st_mode & 0o777)
    return True


@tries("change the owner of a file in the current folder")
def _() -> object:
    Path("to-give-away").write_text("x")
    try:
        os.chown("to-give-away", os.geteuid() + 1, -1)
    finally:
        Path("to-give-away").unlink()
    return True


@tries("read what everybody may read")
def _() -> object:
    return Path("/etc/passwd").read_bytes()


@tries("read what root alone may read: /etc/shadow")
def _() -> object:
    return Path("/etc/shadow").read_bytes() is not None


@tries("use a /tmp of its own")
def _() -> object:
    Path("/tmp/wirelab-isolation-probe").write_text("x")
    return True  # that it is not the host's is for the test to see


@tries("find a file that the host has in /tmp")
def _() -> object:
    return os.path.lexists(given["in_tmp"])


@tries("find a file that the host has in /dev/shm")
def _() -> object:
    return os.path.lexists(given["in_shm"])


@tries("find a block device in /dev")
def _() -> object:
    found = [path for path in Path("/dev").rglob("*") if path.is_block_device()]
    return found or any(os.path.lexists(path) for path in given["block_devices"])


@tries("make a block device and open it")
def _() -> object:
    for folder in (".", "/tmp", "/dev/shm", given["writable"]):
        path = f"{folder}/probe-device"
        with suppress(OSError):
            os.mknod(path, S_IFBLK | 0o600, os.makedev(1, 0))
            try:
                os.close(os.open(path, os.O_RDONLY))
                return True
            finally:
                Path(path).unlink()
    return False


@tries("use /dev/null, /dev/urandom and a pseudo-terminal")
def _() -> object:
    near, far = pty.openpty()
    os.write(far, b"through\n")
    with Path("/dev/urandom").open("rb") as random:
        Path("/dev/null").write_bytes(random.read(8))
    return os.read(near, 100).startswith(b"through") and os.ttyname(far).startswith("/dev/pts/")


@tries("change the mode or the times of the host's /dev/null")
def _() -> object:
    null = Path("/dev/null")
    with suppress(OSError):
        os.utime(null)
        return True
    null.chmod(null.stat().st_mode & 0o777)
    return True


@tries("set a sysctl: kernel.core_pattern")
def _() -> object:
    path = Path("/proc/sys/kernel/core_pattern")
    path.write_bytes(path.read_bytes())
    return True


@tries("write to /sys")
def _() -> object:
    uevent = Path("/sys/kernel/uevent_seqnum")
    with suppress(OSError):
        Path("/sys/fs/cgroup/wirelab-isolation-probe").mkdir()
        return True
    with suppress(OSError):
        os.close(os.open("/sys/kernel/mm/transparent_hugepage/enabled", os.O_WRONLY))
        return True
    os.close(os.open(uevent, os.O_WRONLY))
    return True


@tries("find tracefs, debugfs or bpf mounted in /sys")
def _() -> object:
    seen = [path for path in map(Path, given["kernel_mounts"]) if path.is_dir() and names(path)]
    return seen or os.path.lexists("/sys/kernel/tracing/trace")


@tries("see the host's interfaces in /sys/class/net")
def _() -> object:
    return sorted(names("/sys/class/net")) == given["interfaces"]


@tries("mount a file system")
def _() -> object:
    return checked(LIBC.mount(b"none", b"/tmp", b"tmpfs", 0, None))


@tries("make a user namespace of its own")
def _() -> object:
    return in_child(lambda: checked(LIBC.unshare(CLONE_NEWUSER)))


@tries("make mounts writable, or uncover what is under them, from such a namespace")
def _() -> object:
    def uncover() -> bool:
        checked(LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNS))
        for path in (b"/", b"/proc/sys", b"/sys"):
            if LIBC.mount(None, path, None, ctypes.c_ulong(MS_REMOUNT | MS_BIND), None) == 0:
                return True
        for path in (b"/tmp", b"/run", b"/dev", b"/proc/sys", given["elsewhere_socket"].encode()):
            if LIBC.umount2(path, MNT_DETACH) == 0:
                return True
        return False

    return in_child(uncover)


def set_link_down() -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("=16sH14x", b"lo", 0)
        flags = struct.unpack_from("=H", ioctl(any_socket, SIOCGIFFLAGS, request), 16)[0]
        # As it is: who may not change it may not do that either.
        ioctl(any_socket, SIOCSIFFLAGS, struct.pack("=16sH14x", b"lo", flags))
    return True


@tries("change its network's interfaces")
def _() -> object:
    return set_link_down()


@tries("change its network's interfaces from a user namespace of its own")
def _() -> object:
    return in_child(lambda: checked(LIBC.unshare(CLONE_NEWUSER)) and set_link_down())


def enter(descriptor: int) -> bool:
    return checked(LIBC.setns(descriptor, 0))


@tries("enter the namespaces of the lab")
def _() -> object:
    for name in ("mnt", "net", "pid", "user", "ipc", "uts"):
        with suppress(OSError):
            descriptor = os.open(f"/proc/1/ns/{name}", os.O_RDONLY)
            return in_child(partial(enter, descriptor))
    return False


@tries("become another user by a set-user-ID program")
def _() -> object:
    if not given["set_user_id"]:
        return None
    done = subprocess.run([given["set_user_id"], "-u"], capture_output=True, text=True, check=True)
    return int(done.stdout) != os.geteuid()


@tries("load a kernel module")
def _() -> object:
    number = {"x86_64": 175, "aarch64": 105}[os.uname().machine]
    result = LIBC.syscall(ctypes.c_long(number), None, ctypes.c_ulong(0), b"")
    # Who may is refused for other reasons; ENOSYS: a kernel without modules.
    return result == 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS)


@tries("look up a host of the run by its name")
def _() -> object:
    return socket.gethostbyname("server") != socket.gethostbyname("client")


@tries("write to that /etc/hosts")
def _() -> object:
    return Path("/etc/hosts").open("a")


@tries("set the host's name")
def _() -> object:
    socket.sethostname(socket.gethostname())
    return True


@tries("open System V shared memory of the host")
def _() -> object:
    return checked(LIBC.shmget(given["shm_key"], 0, 0))


def visible() -> set[int]:
    return {int(name) for name in names("/proc") if name.isdigit()}


@tries("see a process of the host")
def _() -> object:
    return given["host_pid"] in visible() or not visible() <= set(range(2, 1000))


def own() -> set[int]:
    """The processes of this program, and of the run's others."""
    return {os.getpid(), *map(int, Path("/tmp/pids").read_text().split())}


@tries("see the lab's own processes")
def _() -> object:
    return visible() - own()


@tries("trace the lab's own processes")
def _() -> object:
    for pid in set(range(1, HIGHEST_PID)) - own():
        if LIBC.ptrace(PTRACE_SEIZE, pid, 0, 0) == 0:
            return True
    return False


@tries("signal the lab's own processes, if it guesses their pids")
def _() -> object:
    for pid in set(range(2, HIGHEST_PID)) - own():
        with suppress(OSError):
            os.kill(pid, 0)
            return True
    return False


@tries("see and signal the run's other programs")
def _() -> object:
    (other,) = own() - {os.getpid()}
    os.kill(other, 0)
    return other in visible()


@tries("share /tmp and /run/wirelab with the other hosts' programs")
def _() -> object:
    return Path("/tmp/pids").exists() and connect("/run/wirelab/of-the-server")


@tries("open a raw socket")
def _() -> object:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    return True


@tries("listen on port 80")
def _() -> object:
    socket.create_server(("", 80)).close()
    return True


@tries("connect to a TCP port of the host")
def _() -> object:
    socket.create_connection(("127.0.0.1", given["tcp_port"]), 5).close()
    return True


@tries("connect to an abstract unix socket of the host")
def _() -> object:
    return connect("\0" + given["abstract"])


@tries("connect to a unix socket that the host has in /tmp")
def _() -> object:
    return connect(given["tmp_socket"])


@tries("connect to one elsewhere that was there when the run began")
def _() -> object:
    return connect(given["elsewhere_socket"])


@tries("connect to one in the current folder")
def _() -> object:
    return connect("here.sock")


@tries("connect to one named by `--socket`")
def _() -> object:
    return connect(given["named_socket"])


@tries("connect to one elsewhere that was bound by a relative path")
def _() -> object:
    return connect(given["relative_socket"])


@tries("write to a FIFO elsewhere, where the user may")
def _() -> object:
    os.close(os.open(given["fifo"], os.O_RDWR))
    return True


@tries("use keys of the session that wirelab was called in")
def _() -> object:
    number = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
    key = (b"user", given["key"].encode(), ctypes.c_int(0))
    search, session = ctypes.c_int(10), ctypes.c_int(-3)  # keyctl(2)
    return LIBC.syscall(ctypes.c_long(number), search, session, *key) > 0


@tries("fill more than a quarter of the memory by files in /tmp or in /dev/shm")
def _() -> object:
    memory = int(Path("/proc/meminfo").read_text().split()[1]) * 1024
    sizes = [found.f_blocks * found.f_frsize for found in map(os.statvfs, ("/tmp", "/dev/shm"))]
    return max(sizes) > memory // 4 + (1 << 20)


@tries("use memory and processors without bound")
def _() -> object:
    return len(bytearray(64 << 20)) and len(os.sched_getaffinity(0)) == given["processors"]


def serve() -> None:
    """Be the run's other program, until it is ended."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("/run/wirelab/of-the-server")
    Path("/tmp/pids").write_text(str(os.getpid()))
    listener.listen()
    while True:
        listener.accept()[0].close()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    given.update(json.loads(sys.argv[1]))
    print(json.dumps({line: attempt() for line, attempt in TRIES.items()}))
