"""Which processes rest, and what it takes to be at rest."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lab.kernel.programs import rest
from lab.kernel.programs.rest import INIT, REST_NS, RestWatch, rest_of

SOCKETS = (
    "import os, select, signal, socket, struct, sys, threading, time\n"
    "one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
    "def ready(): os.write(1, b'.')\n"
)
WAITS = {
    "recv": "ready(); one.recv(1)",
    "poll": "each = select.poll(); each.register(one, 1); ready(); each.poll()",
    "epoll": "each = select.epoll(); each.register(one, 1); ready(); each.poll()",
    "select": "ready(); select.select([one], [], [])",
    "accept": (
        "listener = socket.create_server(('127.0.0.1', 0)); ready(); listener.accept()"
    ),
    "threads": (
        "threading.Thread(target=one.recv, args=(1,)).start()\n"
        "each = threading.Event(); ready(); each.wait()"
    ),
    "child": "pid = os.fork()\nif pid: ready(); os.waitpid(pid, 0)\nelse: one.recv(1)",
}  # fmt: skip
GOES_ON = {
    "busy": "ready()\nwhile True: pass",
    "sleep": "ready(); time.sleep(60)",
    "poll": "each = select.poll(); each.register(one, 1); ready(); each.poll(60_000)",
    "timeout": "one.settimeout(60); ready(); one.recv(1)",
    "rcvtimeo": (
        "one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 60, 0))\n"
        "ready(); one.recv(1)"
    ),
    "alarm": "signal.signal(signal.SIGALRM, print); signal.alarm(60); ready(); one.recv(1)",
    "timer": "signal.setitimer(signal.ITIMER_REAL, 60)\n"
    "signal.signal(signal.SIGALRM, print); ready(); one.recv(1)",
    "sigwait": (
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM]); signal.alarm(60)\n"
        "ready(); signal.sigwait([signal.SIGALRM])"
    ),
    "signalfd": (
        "import ctypes; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\n"
        "alarms = ctypes.create_string_buffer(128)\n"
        "alarms[1] = 1 << signal.SIGALRM - 1 - 8\n"
        "found = ctypes.CDLL(None).signalfd(-1, alarms, 0); assert found > 2\n"
        "signal.alarm(60); ready(); os.read(found, 128)"
    ),
    "one of its threads": (
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "ready(); one.recv(1)"
    ),
    "its child": "pid = os.fork()\nif pid: ready(); os.waitpid(pid, 0)\nelse: time.sleep(60)",
}  # fmt: skip


@contextmanager
def running(code: str) -> Iterator[int]:
    """A program that has come to its wait, or is about to."""
    command = [sys.executable, "-IS", "-c", SOCKETS + code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            process.stdout.read(1)
            yield process.pid
        finally:
            os.killpg(process.pid, 9)


def only(*pids: int) -> list[int]:
    """The processes of this pid namespace that are passed over: all but these, and their own."""
    wanted = {*pids}
    every = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    for pid in sorted(every):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123
                parent = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent in wanted:
            wanted.add(pid)
    return [pid for pid in every if pid not in wanted]


def until(found: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.programs
@pytest.mark.parametrize("code", WAITS.values(), ids=WAITS)
def test_who_waits_without_a_time_rests(code: str) -> None:
    with running(code) as pid:
        assert until(lambda: rest_of(only(pid)) == rest_of(only(pid)) is not None, 20)


@pytest.mark.programs
@pytest.mark.parametrize("code", GOES_ON.values(), ids=GOES_ON)
def test_who_goes_on_by_itself_does_not(code: str) -> None:
    with running(code) as pid:
        assert not until(lambda: rest_of(only(pid)) is not None, 0.3)


@pytest.mark.programs
def test_who_asks_has_only_to_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(GOES_ON["sleep"]) as pid:
        assert until(lambda: rest_of(only(pid), [pid]) is not None, 20)
        assert rest_of(only(pid)) is None
    monkeypatch.setattr(rest, "MOST_TASKS", 0)
    with running(WAITS["recv"]) as pid:
        assert not until(lambda: rest_of(only(pid)) is not None, 0.2)


def test_the_init_is_passed_over() -> None:
    every = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    assert rest_of([pid for pid in every if pid != INIT]) in ("", None)


class Clock:
    """A clock of a test's own, and what is seen at it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ns = 10**12
        self.found: str | None = "all wait"
        self.traffic = False, 7
        monkeypatch.setattr(time, "monotonic_ns", lambda: self.now_ns)
        self.watch = RestWatch(lambda: self.found, lambda: self.traffic)

    def after(self, milliseconds: int) -> bool:
        self.now_ns += milliseconds * 1_000_000
        return self.watch.is_reached()


def test_all_has_to_rest_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    assert [clock.after(30) for _ in range(5)] == [False] * 4 + [True]
    clock.watch.begin()
    assert not clock.after(REST_NS)


@pytest.mark.parametrize(
    "change",
    [
        {"found": "one has gone on"},
        {"found": None},
        {"traffic": (False, 8)},
        {"traffic": (True, 7)},
    ],
)
def test_whatever_goes_on_begins_it_anew(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    clock = Clock(monkeypatch)
    assert not any(clock.after(30) for _ in range(4))
    before = {name: getattr(clock, name) for name in change}
    for name, value in change.items():
        setattr(clock, name, value)
    assert not clock.after(30)
    for name, value in before.items():
        setattr(clock, name, value)
    assert not any(clock.after(30) for _ in range(4))
    assert clock.after(30)
