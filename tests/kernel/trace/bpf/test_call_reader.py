"""What system calls' pointers point to, as BPF programs read it: the program's word against it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import calls_read
import pytest
from bpf_loaded import is_loaded
from outside import wait_until

from lab.kernel.sandbox.sandbox import Sandbox, open_sandbox
from lab.kernel.trace.bpf.records import NEW, RecordKind
from lab.records import MEMORY_LIMIT_BYTES
from lab.syscalls.numbers import NUMBERS
from lab.syscalls.table import CALLS

pytestmark = pytest.mark.kernel

EVERY_CALL = (Path(calls_read.__file__).with_name("every_call.py")).read_text()
OURS = NUMBERS[os.uname().machine]
READ_AT_EXIT = {name for name, shape in CALLS.items() if any(p.at_exit for p in shape.pointers)}


@pytest.fixture(scope="module", autouse=True)
def needs_bpf() -> None:
    if os.geteuid() != 0:
        pytest.skip("BPF programs are root's: bpf(2) gives EPERM to others")


def shown(call: calls_read.Read) -> list[object]:
    """As every_call.py prints it."""
    return [
        [memory.argument, memory.part, memory.at_exit, memory.data.hex(), memory.length]
        for memory in call.memory
    ]


def texts(calls: list[calls_read.Read]) -> list[bytes]:
    return [memory.data for call in calls for memory in call.memory]


def between_marks(seen: calls_read.Seen) -> list[calls_read.Read]:
    """The calls of the thread that marked them, its two marks included."""
    (calls,) = (one for one in seen.threads if b"begin" in texts(one))
    first, last = ([shown(one) for one in calls].index(mark(text)) for text in ("begin", "end"))
    return calls[first : last + 1]


def mark(text: str) -> list[object]:
    return [[1, "", False, text.encode().hex(), len(text)]]


def test_every_call_shows_what_its_program_says(sandbox: Sandbox) -> None:
    seen = sandbox.call(calls_read.run, EVERY_CALL, json.dumps(OURS))
    told = json.loads(seen.output)
    names = {number: name for name, number in OURS.items()}
    assert {names[number] for number, _, _ in told} == set(CALLS) & set(OURS)
    calls = between_marks(seen)
    said = [(names[number], memory) for number, _, memory in told if CALLS[names[number]].pointers]
    assert [(names[one.number], shown(one)) for one in calls] == said
    assert all(memory == [] for number, _, memory in told if not CALLS[names[number]].pointers)
    assert all(one.at_exit == (names[one.number] in READ_AT_EXIT) for one in calls)
    assert seen.lost == 0


def test_the_calls_that_should_succeed_do(sandbox: Sandbox) -> None:
    """Else the test above would say little about what is read at the exit."""
    seen = sandbox.call(calls_read.run, EVERY_CALL, json.dumps(OURS))
    names = {number: name for name, number in OURS.items()}
    done = {names[number] for number, result, _ in json.loads(seen.output) if result >= 0}
    assert READ_AT_EXIT & set(OURS) <= done


THREADS = """
import os, threading
null = os.open("/dev/null", os.O_WRONLY)
def work(name):
    for number in range(500):
        os.write(null, b"%s %d" % (name, number))
def process(name):
    threads = [threading.Thread(target=work, args=(b"%s%d" % (name, n),)) for n in range(3)]
    for one in threads: one.start()
    for one in threads: one.join()
child = os.fork()
process(b"child" if child == 0 else b"parent")
if child: os.waitpid(child, 0)
"""


def test_each_threads_calls_are_in_their_order(sandbox: Sandbox) -> None:
    seen = sandbox.call(calls_read.run, THREADS)
    found = {}
    for calls in seen.threads:
        ours = [one for one in texts(calls) if one.startswith((b"child", b"parent"))]
        if ours:
            found[ours[0].split()[0]] = ours
            times = [one.time_ns for one in calls]
            assert times == sorted(times)
    names = [b"%s%d" % (name, n) for name in (b"child", b"parent") for n in range(3)]
    assert found == {name: [b"%s %d" % (name, n) for n in range(500)] for name in names}


def test_times_are_those_of_the_real_time_clock(sandbox: Sandbox) -> None:
    code = """
import os, time
null = os.open("/dev/null", os.O_WRONLY)
before = time.time_ns(); os.write(null, b"begin"); os.write(null, b"end"); after = time.time_ns()
print(before, after)
"""
    seen = sandbox.call(calls_read.run, code)
    before, after = map(int, seen.output.split())
    # The two clocks are not read at once: what lies between is the error. Any other clock than
    # these two would be off by much more.
    slack_ns = 100_000_000
    begin, end = (one.time_ns for one in between_marks(seen))
    assert before - slack_ns <= begin < end <= after + slack_ns


def test_nobody_elses_calls_are_seen(sandbox: Sandbox) -> None:
    """Neither another sandbox's programs', nor what runs outside of any, nor this one's pid 1."""
    code = "import os; null = os.open('/dev/null', 1)\nwhile True: os.write(null, b'elsewhere')"
    command = [sys.executable, "-IS", "-c", code]
    with open_sandbox() as other, ExitStack() as ended:
        other.call(calls_read.keep_running, command)
        outside = ended.enter_context(subprocess.Popen(command))
        ended.callback(outside.kill)
        assert sandbox.call(calls_read.own_calls, 100) == 0
        seen = sandbox.call(calls_read.run, "import os; os.write(1, b'from here')")
    found = [one for calls in seen.threads for one in texts(calls)]
    assert b"from here" in found
    assert b"elsewhere" not in found
    assert len(seen.threads) == 1


def test_neither_the_process_that_opened_it_nor_pid_1_is_seen(sandbox: Sandbox) -> None:
    """The one would make calls of its own by taking in what is seen of them."""
    assert sandbox.call(calls_read.calls_of_a_parent, 100) == 0


def test_a_call_is_seen_once_it_has_shown_what_it_can(sandbox: Sandbox) -> None:
    """One whose memory the kernel fills when it has returned, be it because of a signal."""
    calls, (killed,) = sandbox.call(calls_read.while_blocked)
    assert texts(calls[-1:]) == [b"reading"]
    assert (killed.number, killed.memory, killed.at_exit) == (OURS["read"], (), True)


WRITE = """
import os
null, data = os.open("/dev/null", os.O_WRONLY), b"x" * 1000
def write(times):
    for _ in range(times): os.write(null, data)
"""
ENOUGH, ALL = 5_000, 40_000
"""Calls whose records are enough for the ring to ask, and more than fit into it."""
MOST = 0.99
"""Now and then the kernel refuses room in a ring that has some (seen in 6.18, one of 20,000)."""


NESTED = """
import ctypes, os
ctypes.CDLL(None).unshare(0x20000000)  # CLONE_NEWPID
if os.fork() == 0:
    os.write(1, b"%d from beneath" % os.getpid())
    os._exit(0)
os.wait()
"""


def test_what_a_pid_namespace_beneath_does_is_seen(sandbox: Sandbox) -> None:
    seen = sandbox.call(calls_read.run, NESTED)
    assert seen.output == "1 from beneath"
    assert [b"1 from beneath" in texts(calls) for calls in seen.threads].count(True) == 1


def test_threads_are_followed_from_when_they_are_made(sandbox: Sandbox) -> None:
    """By whom, also where that is the init; with their tids here, and in the sandbox."""
    code = """
import os
child = os.fork()
if child == 0: os.execv("/bin/sh", ["sh", "-c", "exit 0"])
os.waitpid(child, 0)
print(os.getpid(), child)
"""
    seen = sandbox.call(calls_read.run, code)
    program, child = map(int, seen.output.split())
    made = {}
    for kind, maker, body in seen.tasks:
        if kind is RecordKind.NEW_TASK:
            _, tid, number = NEW.unpack_from(body)
            made[number] = maker, tid
    assert made[child][0] == made[program][1]
    ends = [tid for kind, tid, _ in seen.tasks if kind is RecordKind.ENDED]
    assert ends == [made[child][1], made[program][1]]
    executed = [tid for kind, tid, _ in seen.tasks if kind is RecordKind.EXECUTED]
    assert executed == [made[program][1], made[child][1]]


def test_a_ring_that_is_read_when_it_asks_loses_nothing(sandbox: Sandbox) -> None:
    code = f"{WRITE}for _ in range(9): write({ENOUGH}); os.read(0, 100)"
    seen = sandbox.call(calls_read.run, code)
    (calls,) = seen.threads
    written = [one for one in calls if one.number == OURS["write"]]
    assert len(written) >= MOST * 9 * ENOUGH
    assert len(written) > ALL
    # The kernel may take a page away for a moment: then its call's memory is not read.
    shown = [one for one in written if one.memory]
    assert len(shown) > MOST * len(written)
    assert {(one.memory[0].data, one.memory[0].length) for one in shown} == {
        (b"x" * MEMORY_LIMIT_BYTES, 1000)
    }
    assert seen.asked > 1
    assert seen.lost == 2 * 9 * ENOUGH - records_of_write(seen)


def records_of_write(seen: calls_read.Seen) -> int:
    """Entries and returns."""
    kinds = RecordKind.ENTERED, RecordKind.RETURNED
    return sum(seen.counts.get((kind, OURS["write"]), 0) for kind in kinds)


def test_what_a_full_ring_loses_is_counted(sandbox: Sandbox) -> None:
    none, many = (
        sandbox.call(calls_read.run_unread, f"{WRITE}write({times})") for times in (0, ALL)
    )
    assert (none.asked, none.lost, many.asked) == (0, 0, 1)
    (calls,) = many.threads
    assert ALL / 2 < len(calls) < ALL
    # What comes after the ring is full is lost as well: the program's end.
    assert sum(many.counts.values()) + many.lost == sum(none.counts.values()) + 2 * ALL


def test_a_little_in_the_ring_wakes_nobody(sandbox: Sandbox) -> None:
    assert not sandbox.call(calls_read.run_unread, "print('little')").asked


def test_it_asks_once_for_each_amount(sandbox: Sandbox) -> None:
    """Though there is more in the ring whenever its reader looks."""
    seen = sandbox.call(calls_read.run, f"{WRITE}write({ENOUGH + ENOUGH // 2})")
    # Twice where it asked again while it was being read.
    assert 1 <= seen.asked <= 2


def test_without_rights_it_is_refused(sandbox: Sandbox) -> None:
    assert sandbox.call(calls_read.refusal).startswith(
        "KernelRefused: create the BPF map wirelab_inside: EPERM"
    )


def test_it_dies_with_init() -> None:
    with open_sandbox() as sandbox:
        ids = sandbox.call(calls_read.leave_open)
        assert len(ids) == 8
        assert all(map(is_loaded, ids))
        sandbox.abort()
    wait_until(lambda: not any(map(is_loaded, ids)))


def test_closing_gives_back_every_descriptor(sandbox: Sandbox) -> None:
    before, after = sandbox.call(calls_read.descriptors_kept, 3)
    assert before == after
