"""What the tests of the reader of calls do as pid 1 of a sandbox."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import inside
from bpf_loaded import programs_of

from lab.errors import LabError
from lab.kernel.trace.bpf.bpf import records_of
from lab.kernel.trace.bpf.call_reader import CallReader
from lab.kernel.trace.bpf.followed import FollowedNamespace, own_pid_namespace
from lab.kernel.trace.bpf.records import (
    ARGUMENTS,
    BODY_AT,
    HEADER,
    RESULT,
    SECTIONS_AT,
    RecordKind,
    in_order,
    memory_in,
)
from lab.records import Memory
from lab.syscalls.numbers import NUMBERS
from lab.syscalls.table import CALLS

DEADLINE_S = 10.0

_kept: list[object] = []


READ_AT_EXIT = {
    number: any(pointer.at_exit for pointer in CALLS[name].pointers)
    for name, number in NUMBERS[os.uname().machine].items()
    if CALLS[name].pointers
}
"""By the number of a call that has pointers: whether they are read when it returns."""


class Read(NamedTuple):
    """A call with pointers, when these were read."""

    number: int
    time_ns: int
    at_exit: bool
    memory: tuple[Memory, ...]


class Compat(NamedTuple):
    """A call by the i386 table was entered, or returned."""

    number: int
    at_exit: bool
    values: tuple[int, ...]
    """Its arguments, or the result."""


class Seen(NamedTuple):
    threads: list[list[Read]]
    """Each thread's calls."""
    output: str
    lost: int
    asked: int
    """How often the ring asked to be read."""
    compat: list[Compat]
    """Calls by the i386 table."""
    counts: dict[tuple[RecordKind, int], int]
    """How many records of each kind and number there are."""
    tasks: list[tuple[RecordKind, int, bytes]]
    """What was recorded of threads, in its order: of what kind, of which, and what it says."""


def run(code: str, *arguments: str) -> Seen:
    """What is seen of a Python program, by a reader who comes when the ring asks.

    The program gets a line to read each time that the ring has asked.
    """
    reader = Reader()
    poll = select.poll()
    for descriptor in reader.calls.descriptors():
        poll.register(descriptor, select.POLLIN)
    asked = 0
    with _start(code, *arguments) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        poll.register(process.stdout, select.POLLHUP)
        while process.stdout.fileno() not in dict(poll.poll()):
            asked += 1
            reader.calls.take()
            with suppress(BrokenPipeError):  # it may have ended meanwhile
                os.write(process.stdin.fileno(), b"go on\n")
        output = process.stdout.read()
    return _seen(reader, output, asked)


def run_unread(code: str) -> Seen:
    """What is seen of a Python program, by a reader who comes when it has ended."""
    reader = Reader()
    with _start(code) as process:
        output, _ = process.communicate()
    asked = len(select.select(reader.calls.descriptors(), [], [], 0)[0])
    return _seen(reader, output, asked)


def _start(code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-IS", "-c", code, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _seen(reader: Reader, output: str, asked: int) -> Seen:
    reader.calls.take()
    threads, compat, count, tasks = _parsed(reader)
    assert not reader.calls.read()
    seen = Seen([*threads.values()], output, reader.calls.lost, asked, compat, count, tasks)
    reader.close()
    return seen


def _parsed(
    reader: Reader,
) -> tuple[
    dict[int, list[Read]],
    list[Compat],
    dict[tuple[RecordKind, int], int],
    list[tuple[RecordKind, int, bytes]],
]:
    ahead_ns = round((time.clock_gettime_ns(time.CLOCK_TAI) - time.time_ns()) / 1e9) * 10**9
    threads: dict[int, list[Read]] = {}
    compat: list[Compat] = []
    count: dict[tuple[RecordKind, int], int] = {}
    tasks: list[tuple[RecordKind, int, bytes]] = []
    records = [record for chunk in reader.calls.read() for record in records_of(chunk)]
    for time_ns, record in in_order(records, ahead_ns):
        _, tid, which, number = HEADER.unpack_from(record)
        kind = RecordKind(which)
        count[kind, number] = count.get((kind, number), 0) + 1
        at_exit = kind is RecordKind.RETURNED
        if kind in (RecordKind.I386_ENTERED, RecordKind.I386_RETURNED):
            body = ARGUMENTS if kind is RecordKind.I386_ENTERED else RESULT
            values = body.unpack_from(record, BODY_AT)
            compat.append(Compat(number, kind is RecordKind.I386_RETURNED, values))
        elif kind not in SECTIONS_AT:
            tasks.append((kind, tid, record[BODY_AT:]))
        elif READ_AT_EXIT.get(number) is at_exit:
            memory = memory_in(record, SECTIONS_AT[kind], at_exit)
            threads.setdefault(tid, []).append(Read(number, time_ns, at_exit, memory))
    return threads, compat, count, tasks


def refusal() -> str:
    """What is said to a process that lacks every capability."""
    inside.drop_capabilities()
    try:
        Reader()
    except LabError as error:
        return f"{type(error).__name__}: {error}"
    return "opened"


class Reader:
    """One of what begins in this pid namespace from now on."""

    def __init__(self) -> None:
        self.followed = FollowedNamespace()
        self.calls = CallReader(self.followed)
        self.followed.follow(own_pid_namespace())

    def read(self) -> list[Read]:
        """All calls with pointers since it was asked last, a thread's after the other's."""
        self.calls.take()
        return [call for of_thread in _parsed(self)[0].values() for call in of_thread]

    def close(self) -> None:
        self.calls.close()
        self.followed.close()


def own_calls(count: int) -> int:
    """How many threads are seen while only this process makes calls."""
    reader = Reader()
    _write_to_nobody(count)
    return _threads_seen(reader)


def calls_of_a_parent(count: int) -> int:
    """How many threads are seen by a child of pid 1 while only these two make calls."""
    (ours, theirs), (answer, answered) = socket.socketpair(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            reader = Reader()
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


def _threads_seen(reader: Reader) -> int:
    reader.calls.take()
    seen = len(_parsed(reader)[0])
    reader.close()
    return seen


def keep_running(command: list[str]) -> None:
    """Start it; it ends with the sandbox."""
    _kept.append(subprocess.Popen(command))


def while_blocked() -> tuple[list[Read], list[Read]]:
    """The calls of a program until it blocks in a read, and those when that was killed."""
    code = "import os; os.write(1, b'reading'); os.read(0, 1234)"
    reader = Reader()
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-IS", "-c", code], stdin=pipe, stdout=pipe) as process:
        calls: list[Read] = []
        end = time.monotonic() + DEADLINE_S
        while not any(memory.data == b"reading" for one in calls for memory in one.memory):
            assert time.monotonic() < end
            select.select([], [], [], 0.001)
            calls += reader.read()
        assert process.stdout is not None
        process.stdout.read(len(b"reading"))
        _wait_until_asleep(process.pid, end)
        calls += reader.read()
        process.send_signal(signal.SIGKILL)
        process.wait()  # before its input is closed, which would end the read as well
    after = reader.read()
    reader.close()
    return calls, after


def _wait_until_asleep(pid: int, end: float) -> None:
    while "S (sleeping)" not in Path(f"/proc/{pid}/status").read_text():
        assert time.monotonic() < end
        select.select([], [], [], 0.001)


def leave_open() -> set[int]:
    """Begin, and stay at it; the ids of the programs that the kernel has for it."""
    _kept.append(Reader())
    return programs_of()


def descriptors_kept(count: int) -> tuple[int, int]:
    """How many descriptors are open before and after it was opened and closed so often."""

    def open_and_close() -> None:
        for _ in range(count):
            Reader().close()

    return _open_files(), _after(open_and_close)


def _after(action: Callable[[], object]) -> int:
    action()
    return _open_files()


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
