"""Collectors that serve one run after another: nothing of one is in the next, and none is left."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import lent
import pytest
import traced_programs
from bpf_loaded import is_loaded, programs_of
from lent import Lender, has_ended
from outside import wait_until
from traced_programs import CONVERSATION, Traced

from lab.kernel.sandbox.sandbox import Sandbox

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("needs_bpf")]


@pytest.fixture
def lender() -> Iterator[Lender]:
    # A run that returns much takes long to end on a slow machine, and no test waits that out.
    with Lender(patience_s=60) as opened:
        yield opened


def trace(lender: Lender, *programs: str) -> Traced:
    return lender.ask(traced_programs.trace, programs)


def programs_of_all(pids: list[int]) -> set[int]:
    """The BPF programs that they have, by their ids."""
    return {number for pid in pids for number in programs_of(pid)}


def loaded(programs: set[int]) -> set[int]:
    """Those of them that the kernel still has."""
    return {number for number in programs if is_loaded(number)}


def seen(traced: Traced) -> list[object]:
    """What is the same whenever a program does the same: no time, number of a port, address."""
    return [
        [(call.name, call.result, len(call.memory)) for call in traced.trace.syscalls],
        [(state.old, state.new, state.obtained) for state in traced.trace.states],
        [(drop.reason, drop.length) for drop in traced.trace.drops],
        [task.kind for task in traced.trace.tasks],
        [event.name for event in traced.trace.events],
        len(traced.trace.closings),
        traced.trace.lost,
        traced.instruments,
    ]


NOISE = """
import threading
a, b = socket.socketpair()
for number in range(2000):
    a.send(b'of the first')
    b.recv(100)
lost = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
lost.sendto(b'to nobody', ('127.0.0.1', 9))
listening = socket.socket()
listening.bind(('127.0.0.1', 0))
listening.listen()
clients = []
for _ in range(20):
    client = socket.socket()
    client.connect(listening.getsockname())
    clients.append(client)
# Threads that die in calls whose value-result arguments are kept until they return.
waiting = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
waiting.bind(('127.0.0.1', 0))
for _ in range(10):
    threading.Thread(target=waiting.recvfrom, args=(10,), daemon=True).start()
print(os.getpid(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
SILENT = "print(os.getpid())"


def test_what_was_seen_of_one_run_is_never_in_the_next(lender: Lender, sandbox: Sandbox) -> None:
    alone = traced_programs.run(sandbox, SILENT)
    for _ in range(3):
        before = trace(lender, NOISE)
        assert len(before.calls("sendto")) == 2001
        assert before.trace.states
        assert before.trace.drops
        silent = trace(lender, SILENT)
        assert seen(silent) == seen(alone)
        assert {call.pid for call in silent.trace.syscalls} == {silent.pids[0]}
        assert silent.trace.states == silent.trace.drops == silent.trace.events == ()


def test_a_run_is_seen_as_by_a_collector_of_its_own(lender: Lender, sandbox: Sandbox) -> None:
    alone = seen(traced_programs.run(sandbox, CONVERSATION))
    for _ in range(4):
        assert seen(trace(lender, CONVERSATION)) == alone


def test_one_collector_serves_runs_that_follow_each_other(lender: Lender) -> None:
    assert lender.collectors() == []
    trace(lender, SILENT)
    (collector,) = collectors = lender.collectors()
    of_it = programs_of_all(collectors)
    assert len(of_it) >= 14
    for _ in range(5):
        trace(lender, SILENT)
    assert lender.collectors() == [collector]
    assert programs_of_all(collectors) == loaded(of_it) == of_it
    assert lender.close() == ""
    assert has_ended(collector, 0)
    wait_until(lambda: not loaded(of_it))


MEETING = "open({!r}).read(); print(os.getpid())"


def release(fifo: Path) -> None:
    """Let a program go on that waits there, as soon as it waits."""
    os.close(os.open(fifo, os.O_WRONLY))


def test_runs_at_the_same_time_have_a_collector_each(lender: Lender, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    traced: list[Traced] = []
    waiting = threading.Thread(
        target=lambda: traced.append(trace(lender, MEETING.format(str(fifo))))
    )
    waiting.start()
    try:
        wait_until(lambda: len(lender.collectors()) == 1)
        other = trace(lender, SILENT)
        both = lender.collectors()
    finally:
        release(fifo)
        waiting.join()
    assert len(both) == 2
    for each in (*traced, other):
        assert {call.pid for call in each.trace.syscalls} == set(each.pids)
    trace(lender, SILENT)
    assert lender.collectors() == both


BURST = """
open({!r}).read()
a, b = socket.socketpair()
for number in range(100000):
    a.send(b'x')
    b.recv(1)
open({!r}, 'w').close()
print(os.getpid())
"""


def test_what_one_run_has_lost_the_next_has_not(lender: Lender, tmp_path: Path) -> None:
    go_on, done = tmp_path / "go on", tmp_path / "done"
    for fifo in (go_on, done):
        os.mkfifo(fifo)
    trace(lender, SILENT)
    (collector,) = lender.collectors()
    traced: list[Traced] = []
    program = BURST.format(str(go_on), str(done))
    running = threading.Thread(target=lambda: traced.append(trace(lender, program)))
    running.start()
    release_after_it_waits = os.open(go_on, os.O_WRONLY)
    os.kill(collector, signal.SIGSTOP)
    try:
        os.close(release_after_it_waits)
        done.read_bytes()
    finally:
        os.kill(collector, signal.SIGCONT)
    running.join()
    assert traced[0].trace.lost > 0
    following = trace(lender, CONVERSATION)
    assert following.trace.lost == 0
    assert lender.collectors() == [collector]
    assert lender.close() == ""


def test_another_is_made_for_one_that_was_killed_between_runs(
    lender: Lender, sandbox: Sandbox
) -> None:
    alone = seen(traced_programs.run(sandbox, CONVERSATION))
    trace(lender, SILENT)
    (killed,) = lender.collectors()
    os.kill(killed, signal.SIGKILL)
    assert has_ended(killed)
    assert seen(trace(lender, CONVERSATION)) == alone
    (other,) = lender.collectors()
    assert other != killed
    of_it = programs_of(other)
    lender.close()
    wait_until(lambda: not loaded(of_it))


def test_a_run_whose_collector_was_killed_says_so_and_the_next_has_another(
    lender: Lender, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    trace(lender, SILENT)
    (killed,) = lender.collectors()
    said: list[str] = []

    def run() -> None:
        killed, trace = lender.ask(lent.traced_until_killed, MEETING.format(str(fifo)))
        assert trace.syscalls == ()
        said.extend(killed)

    running = threading.Thread(target=run)
    running.start()
    held = os.open(fifo, os.O_WRONLY)  # the program is there
    os.kill(killed, signal.SIGKILL)
    assert has_ended(killed)
    os.close(held)
    running.join()
    (line,) = said
    assert line.startswith("the trace's collector, which is lent, is gone")
    assert line.endswith("what calls, states and drops it saw is lost")
    traced = trace(lender, CONVERSATION)
    assert traced.calls("connect")
    assert lender.collectors() != [killed]


def test_one_that_cannot_be_sure_of_a_runs_end_serves_no_other(tmp_path: Path) -> None:
    begun, go_on = tmp_path / "begun", tmp_path / "go on"
    for fifo in (begun, go_on):
        os.mkfifo(fifo)
    with Lender(patience_s=0.1) as lender:
        trace(lender, SILENT)
        (doubted,) = lender.collectors()
        lasting = threading.Thread(
            target=lender.ask, args=(lent.give_back_and_go_on, str(begun), str(go_on))
        )
        lasting.start()
        try:
            begun.read_bytes()
            assert has_ended(doubted)
            assert trace(lender, CONVERSATION).calls("connect")
            assert doubted not in lender.collectors()
        finally:
            release(go_on)
            lasting.join()
        said = lender.close()
    assert "a sandbox goes on though its run is over" in said


def test_when_the_pools_process_is_killed_the_collectors_leave_nothing(lender: Lender) -> None:
    trace(lender, SILENT)
    collectors = lender.collectors()
    programs = programs_of_all(collectors)
    assert loaded(programs) == programs != set()
    lender.process.kill()
    wait_until(lambda: not loaded(programs))
    assert all(has_ended(pid) for pid in collectors)


def test_the_death_of_both_leaves_nothing(lender: Lender) -> None:
    trace(lender, SILENT)
    collectors = lender.collectors()
    programs = programs_of_all(collectors)
    # Stopped, so that none sees another's end.
    for pid in (*collectors, lender.process.pid):
        os.kill(pid, signal.SIGSTOP)
    for pid in (*collectors, lender.process.pid):
        os.kill(pid, signal.SIGKILL)
    assert all(has_ended(pid) for pid in collectors)
    wait_until(lambda: not loaded(programs))
