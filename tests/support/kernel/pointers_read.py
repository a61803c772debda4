"""What the tests of pointer arguments do as pid 1 of a sandbox."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import inside

from lab.errors import LabError
from lab.kernel.system import libc
from lab.kernel.trace.bpf.pid_namespace import own_pid_namespace
from lab.kernel.trace.bpf.pointer_reader import PointerReader
from lab.kernel.trace.bpf.records import CompatCall, PointerArguments

DEADLINE_S = 10.0
PROGRAM_BY_ID, NEXT_PROGRAM = 13, 11  # BPF_PROG_GET_FD_BY_ID

_kept: list[object] = []


class Seen(NamedTuple):
    threads: list[list[PointerArguments]]
    """Each thread's calls."""
    output: str
    lost: int
    asked: int
    """How often the ring asked to be read."""
    compat: list[CompatCall]
    """Calls by the i386 table."""
    lost_compat: int
    finds_compat: bool


def run(code: str, *arguments: str) -> Seen:
    """What is seen of a Python program, by a reader who comes when the ring asks.

    The program gets a line to read each time that the ring has asked.
    """
    reader = _reader()
    poll = select.poll()
    for descriptor in reader.descriptors():
        poll.register(descriptor, select.POLLIN)
    asked = 0
    with _start(code, *arguments) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        poll.register(process.stdout, select.POLLHUP)
        while process.stdout.fileno() not in dict(poll.poll()):
            asked += 1
            reader.take()
            with suppress(BrokenPipeError):  # it may have ended meanwhile
                os.write(process.stdin.fileno(), b"go on\n")
        output = process.stdout.read()
    return _seen(reader, output, asked)


def run_unread(code: str) -> Seen:
    """What is seen of a Python program, by a reader who comes when it has ended."""
    reader = _reader()
    with _start(code) as process:
        output, _ = process.communicate()
    asked = len(select.select(reader.descriptors(), [], [], 0)[0])
    return _seen(reader, output, asked)


def _start(code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-IS", "-c", code, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _seen(reader: PointerReader, output: str, asked: int) -> Seen:
    reader.take()
    found = list(reader.read().values())
    assert not reader.read()
    compat = reader.read_compat(), reader.lost_compat, reader.finds_compat
    seen = Seen(found, output, reader.lost, asked, *compat)
    reader.close()
    return seen


def refusal() -> str:
    """What is said to a process that lacks every capability."""
    inside.drop_capabilities()
    try:
        _reader()
    except LabError as error:
        return f"{type(error).__name__}: {error}"
    return "opened"


def _reader() -> PointerReader:
    """One of this pid namespace, without its pid 1 and this process."""
    reader = PointerReader.open({1, os.getpid()})
    reader.follow(own_pid_namespace())
    return reader


def own_calls(count: int) -> int:
    """How many threads are seen while only this process makes calls."""
    reader = _reader()
    _write_to_nobody(count)
    return _threads_seen(reader)


def calls_of_a_parent(count: int) -> int:
    """How many threads are seen by a child of pid 1 while only these two make calls."""
    (ours, theirs), (answer, answered) = socket.socketpair(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            reader = _reader()
            theirs.send(b"opened")
            theirs.recv(10)
            os.write(answered, b"%d" % _threads_seen(reader))
        finally:
            os._exit(0)
    ours.recv(10)
    _write_to_nobody(count)
    ours.send(b"written")
    os.waitpid(child, 0)
    os.close(answered)
    with ours, theirs, os.fdopen(answer) as file:
        return int(file.read())


def _write_to_nobody(count: int) -> None:
    null = os.open("/dev/null", os.O_WRONLY)
    for _ in range(count):
        os.write(null, b"of its own")
    os.close(null)


def _threads_seen(reader: PointerReader) -> int:
    reader.take()
    seen = len(reader.read())
    reader.close()
    return seen


def keep_running(command: list[str]) -> None:
    """Start it; it ends with the sandbox."""
    _kept.append(subprocess.Popen(command))


def while_blocked() -> tuple[list[PointerArguments], list[PointerArguments]]:
    """The calls of a program until it blocks in a read, and those when that was killed."""
    code = "import os; os.write(1, b'reading'); os.read(0, 1234)"
    reader = _reader()
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-IS", "-c", code], stdin=pipe, stdout=pipe) as process:
        calls: list[PointerArguments] = []
        end = time.monotonic() + DEADLINE_S
        while not any(memory.data == b"reading" for one in calls for memory in one.memory):
            assert time.monotonic() < end
            select.select([], [], [], 0.001)
            reader.take()
            for of_thread in reader.read().values():
                calls += of_thread
        assert process.stdout is not None
        process.stdout.read(len(b"reading"))
        _wait_until_asleep(process.pid, end)
        reader.take()
        calls += [one for of_thread in reader.read().values() for one in of_thread]
        process.send_signal(signal.SIGKILL)
        process.wait()  # before its input is closed, which would end the read as well
    reader.take()
    after = [one for of_thread in reader.read().values() for one in of_thread]
    reader.close()
    return calls, after


def _wait_until_asleep(pid: int, end: float) -> None:
    while "S (sleeping)" not in Path(f"/proc/{pid}/status").read_text():
        assert time.monotonic() < end
        select.select([], [], [], 0.001)


def leave_open() -> list[int]:
    """Begin, and stay at it; the ids of the programs that the kernel has for it."""
    _kept.append(_reader())
    ids = set()
    for entry in Path("/proc/self/fdinfo").iterdir():
        try:
            ids |= {int(one) for one in re.findall(r"prog_id:\s*(\d+)", entry.read_text())}
        except FileNotFoundError:
            continue  # the descriptor of the folder itself
    return sorted(ids)


def is_loaded(program: int) -> bool:
    """Whether the kernel has a BPF program of that id."""
    try:
        os.close(libc.bpf(PROGRAM_BY_ID, struct.pack("=II", program, 0) + bytes(8), "find it"))
    except LabError:
        return False
    return True


def descriptors_kept(count: int) -> tuple[int, int]:
    """How many descriptors are open before and after it was opened and closed so often."""

    def open_and_close() -> None:
        for _ in range(count):
            _reader().close()

    return _open_files(), _after(open_and_close)


def _after(action: Callable[[], object]) -> int:
    action()
    return _open_files()


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
