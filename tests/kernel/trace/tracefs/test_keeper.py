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
from lent import Lender, has_ended, instances_of
from outside import wait_until
from traced_programs import CONVERSATION, Traced

from lab.kernel.sandbox.sandbox import Sandbox, open_sandbox

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("needs_tracefs")]


@pytest.fixture
def lender() -> Iterator[Lender]:
    with Lender() as opened:
        yield opened


def trace(lender: Lender, *programs: str) -> Traced:
    return lender.ask(traced_programs.trace, programs)


def instances(observer: Sandbox, pids: list[int]) -> list[str]:
    return instances_of(observer.call(traced_programs.instances), pids)


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


def test_one_collector_serves_runs_that_follow_each_other(lender: Lender, sandbox: Sandbox) -> None:
    assert lender.collectors() == []
    trace(lender, SILENT)
    (collector,) = collectors = lender.collectors()
    of_it = instances(sandbox, collectors)
    assert [name.rpartition("-")[2] for name in of_it] == ["calls", "kernel"]
    for _ in range(5):
        trace(lender, SILENT)
    assert lender.collectors() == [collector]
    assert instances(sandbox, collectors) == of_it
    assert lender.close() == ""
    assert has_ended(collector, 0)
    assert instances(sandbox, collectors) == []


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
    lender.close()
    assert instances(sandbox, [killed, other]) == []


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


def test_one_that_cannot_be_sure_of_a_runs_end_serves_no_other(
    sandbox: Sandbox, tmp_path: Path
) -> None:
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
    assert instances(sandbox, [doubted]) == []


def test_when_the_keepers_process_is_killed_the_collectors_leave_nothing(
    lender: Lender, sandbox: Sandbox
) -> None:
    trace(lender, SILENT)
    collectors = lender.collectors()
    assert instances(sandbox, collectors)
    lender.process.kill()
    wait_until(lambda: not instances(sandbox, collectors))
    assert all(has_ended(pid) for pid in collectors)


def test_what_the_death_of_both_leaves_the_next_start_sweeps(
    lender: Lender, sandbox: Sandbox
) -> None:
    trace(lender, SILENT)
    collectors = lender.collectors()
    # Stopped, so that none sees another's end.
    for pid in (*collectors, lender.process.pid):
        os.kill(pid, signal.SIGSTOP)
    for pid in (*collectors, lender.process.pid):
        os.kill(pid, signal.SIGKILL)
    assert all(has_ended(pid) for pid in collectors)
    with open_sandbox() as following:
        following.call(traced_programs.hold_tracer)
        wait_until(lambda: not instances(sandbox, collectors))
