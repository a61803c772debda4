"""From the records of traced processes to their calls: who made them, and how they ended."""

from __future__ import annotations

import os

import pytest

from lab.errors import InstrumentError
from lab.kernel.trace.bpf.plans import RESTART
from lab.kernel.trace.bpf.records import (
    ARGUMENTS,
    BEFORE,
    HEADER,
    LENGTH,
    NEW,
    PARTS,
    RESULT,
    SECTION_HEADER,
    SIGNAL,
    RawRecord,
    RecordKind,
)
from lab.kernel.trace.collecting.calls import (
    CLONE_FILES,
    CLONE_THREAD,
    SA_RESTART,
    CallFollower,
    MovedBytes,
)
from lab.records import Memory, Syscall, TaskEvent
from lab.syscalls.numbers import NUMBERS, OTHER_NUMBERS

FIRST, MAIN, CHILD, OTHER = 9000, 9001, 9002, 9003  # in the initial pid namespace
HANDLER = 0x401000
APART_NS = 10_000
RECV = (4, 0x7F00, 16, 0, 0, 0)
MACHINE = "x86_64"
NUMBER = {**NUMBERS[MACHINE], RESTART: OTHER_NUMBERS[MACHINE][RESTART]}


def section(data: bytes, length: int, argument: int = 1, part: str = "") -> bytes:
    return SECTION_HEADER.pack(length, argument, PARTS.index(part), len(data)) + data


class Story:
    """Records in their order, APART_NS apart."""

    def __init__(self) -> None:
        self.follower = CallFollower(MACHINE)
        self.records: list[RawRecord] = []

    def add(self, kind: RecordKind, running: int, body: bytes = b"", number: int = 0) -> Story:
        time_ns = APART_NS * (len(self.records) + 1)
        header = HEADER.pack(time_ns, running, kind, number)
        self.records.append((time_ns, header + body))
        return self

    def enter(self, pid: int, call: str, *arguments: int, memory: bytes = b"") -> Story:
        padded = (*arguments, *[0xDEAD] * (6 - len(arguments)))
        return self.add(RecordKind.ENTERED, pid, ARGUMENTS.pack(*padded) + memory, NUMBER[call])

    def leave(self, pid: int, call: str, result: int, memory: bytes = b"") -> Story:
        return self.add(RecordKind.RETURNED, pid, RESULT.pack(result) + memory, NUMBER[call])

    def call(self, pid: int, call: str, *arguments: int, result: int = 0) -> Story:
        return self.enter(pid, call, *arguments).leave(pid, call, result)

    def fork(self, parent: int, child: int, number: int = 0, flags: int = 0) -> Story:
        return self.add(RecordKind.NEW_TASK, parent, NEW.pack(flags, child, number))

    def exec(self, pid: int, before: int | None = None) -> Story:
        return self.add(RecordKind.EXECUTED, pid, BEFORE.pack(before or pid))

    def exit(self, pid: int) -> Story:
        return self.add(RecordKind.ENDED, pid)

    def begin(self, pid: int = MAIN, program: str = "client", number: int = 5) -> Story:
        """A program's process, before its execve."""
        self.follower.begin(program, number)
        return self.fork(FIRST, pid, number)

    def start(self, pid: int = MAIN, program: str = "client", number: int = 5) -> Story:
        return self.begin(pid, program, number).exec(pid)

    def signal(self, pid: int, handler: int, flags: int = 0) -> Story:
        return self.add(RecordKind.SIGNALLED, pid, SIGNAL.pack(handler, flags))

    def take(self, step: str = "s") -> tuple[tuple[Syscall, ...], tuple[TaskEvent, ...]]:
        self.follower.feed(self.records)
        self.records.clear()
        return self.follower.take(step)

    def calls(self) -> list[tuple[str, int, int, int | None]]:
        """Each call's name, process, thread and result."""
        return [(call.name, call.pid, call.tid, call.result) for call in self.take()[0]]


def test_a_call_is_the_programs_whose_process_was_started() -> None:
    (call,), _ = Story().start().call(MAIN, "recvfrom", *RECV, result=7).take("first")
    assert call == Syscall(
        "client",
        5,
        5,
        "recvfrom",
        RECV,
        (),
        call.entry_ns,
        call.entry_ns + APART_NS,
        7,
        "",
        "first",
    )


def test_arguments_are_as_many_as_the_call_has_and_unsigned() -> None:
    story = Story().start().call(MAIN, "write", (1 << 64) - 1, 2, 3, 4)
    assert story.take()[0][0].arguments == ((1 << 64) - 1, 2, 3)


def test_what_comes_before_the_exec_is_the_labs_own() -> None:
    story = Story().begin().call(MAIN, "close", 3)
    assert story.call(MAIN, "close", 4).exec(MAIN).call(MAIN, "close", 5).calls() == [
        ("close", 5, 5, 0)
    ]


def test_the_starters_own_calls_and_strangers_are_none() -> None:
    story = Story().start().call(FIRST, "close", 3).call(OTHER, "close", 3)
    assert story.fork(OTHER, 77).call(77, "close", 3).calls() == []


def test_a_start_that_failed_leaves_nothing() -> None:
    calls, tasks = Story().fork(FIRST, MAIN, 5).exit(MAIN).take()
    assert (calls, tasks) == ((), ())


def test_what_the_init_starts_beside_the_programs_is_none_of_them() -> None:
    story = Story().start().fork(FIRST, OTHER, 7).exec(OTHER).call(OTHER, "close", 3)
    assert story.calls() == []


def test_a_program_that_another_process_of_the_labs_makes_is_known() -> None:
    story = Story().fork(FIRST, OTHER, 4)
    story.follower.begin("client", 5)
    assert story.fork(OTHER, MAIN, 5).exec(MAIN).call(MAIN, "close", 3).calls() == [
        ("close", 5, 5, 0)
    ]


def test_two_programs_that_had_the_same_pid_are_distinguished() -> None:
    story = Story().start().call(MAIN, "close", 3).exit(MAIN)
    story.start(OTHER, "server", 5).call(OTHER, "close", 4)
    assert [(call.program, call.arguments) for call in story.take()[0]] == [
        ("client", (3,)), ("server", (4,)),
    ]  # fmt: skip


def test_a_programs_child_with_the_pid_of_a_program_is_not_it() -> None:
    story = Story().start(number=5).start(OTHER, "server", 6).exit(OTHER)
    story.fork(MAIN, CHILD, 6).call(CHILD, "close", 3)
    assert [call.program for call in story.take()[0]] == ["client"]


def test_a_child_has_the_number_of_the_sandboxs_namespace() -> None:
    story = Story().start().fork(MAIN, CHILD, 6).call(CHILD, "close", 3)
    assert story.calls() == [("close", 6, 6, 0)]


def test_without_one_it_has_that_of_the_machine() -> None:
    assert Story().start().fork(MAIN, CHILD).call(CHILD, "close", 3).calls() == [
        ("close", CHILD, CHILD, 0)
    ]


def test_a_number_is_used_again_after_its_threads_end() -> None:
    story = Story().start().fork(MAIN, CHILD, 6).call(CHILD, "close", 3).exit(CHILD)
    story.fork(MAIN, OTHER, 6).call(OTHER, "close", 4)
    assert story.calls() == [("close", 6, 6, 0), ("close", 6, 6, 0)]


def test_a_thread_belongs_to_its_makers_process() -> None:
    story = Story().start().fork(MAIN, CHILD, 6, CLONE_THREAD | CLONE_FILES)
    story.fork(CHILD, OTHER, 7, CLONE_THREAD | CLONE_FILES).call(OTHER, "close", 3)
    calls, tasks = story.take()
    assert [(call.pid, call.tid) for call in calls] == [(5, 7)]
    starts = [(t.pid, t.tid, t.parent_tid, t.shares_files) for t in tasks if t.kind == "start"]
    assert starts == [(5, 5, 0, False), (5, 6, 5, True), (5, 7, 6, True)]


def test_tasks_are_reported_in_their_order() -> None:
    story = Story().start(program="server").fork(MAIN, CHILD, 6).exec(CHILD)
    _, tasks = story.exit(CHILD).exit(MAIN).take()
    assert [(task.program, task.kind, task.pid) for task in tasks] == [
        ("server", "start", 5),
        ("server", "exec", 5),
        ("server", "start", 6),
        ("server", "exec", 6),
        ("server", "exit", 6),
        ("server", "exit", 5),
    ]
    assert [task.time_ns for task in tasks] == sorted(task.time_ns for task in tasks)


def test_a_thread_that_calls_execve_becomes_its_process() -> None:
    story = Story().start().fork(MAIN, CHILD, 6, CLONE_THREAD | CLONE_FILES)
    story.call(MAIN, "close", 3).call(CHILD, "close", 4).enter(MAIN, "recvfrom", *RECV)
    story.exit(MAIN).exec(MAIN, before=CHILD).call(MAIN, "close", 5).exit(MAIN)
    calls, tasks = story.take()
    assert [(call.name, call.tid, call.result) for call in calls] == [
        ("close", 5, 0), ("close", 6, 0), ("recvfrom", 5, None), ("close", 5, 0),
    ]  # fmt: skip
    assert [(task.kind, task.pid, task.tid) for task in tasks[2:]] == [
        ("start", 5, 6), ("exit", 5, 6), ("exec", 5, 5), ("exit", 5, 5),
    ]  # fmt: skip


def test_a_call_that_never_returned_has_no_exit() -> None:
    calls, _ = Story().start().enter(MAIN, "recvfrom", *RECV).exit(MAIN).take()
    assert [(call.exit_ns, call.result) for call in calls] == [(None, None)]


def test_a_call_under_way_at_the_end_of_a_step_is_reported_once() -> None:
    story = Story().start().enter(MAIN, "recvfrom", *RECV)
    assert story.calls() == [("recvfrom", 5, 5, None)]
    assert story.leave(MAIN, "recvfrom", 3).call(MAIN, "close", 3).calls() == [("close", 5, 5, 0)]


def test_a_lost_return_does_not_take_the_next_ones() -> None:
    story = Story().start().enter(MAIN, "recvfrom", *RECV).call(MAIN, "close", 3, result=-9)
    assert story.calls() == [("recvfrom", 5, 5, None), ("close", 5, 5, -9)]


def test_a_lost_entry_makes_no_call() -> None:
    assert Story().start().leave(MAIN, "close", 0).calls() == []


def test_a_process_lives_on_in_the_next_step() -> None:
    story = Story().start()
    story.take("one")
    (call,), tasks = story.call(MAIN, "close", 3).exit(MAIN).take("two")
    assert (call.program, call.pid, call.step) == ("client", 5, "two")
    assert [(task.kind, task.step) for task in tasks] == [("exit", "two")]


def test_a_thread_is_known_by_its_process_when_that_has_ended_a_step_before() -> None:
    story = Story().start().fork(MAIN, CHILD, 6, CLONE_THREAD).exit(MAIN)
    story.take("one")
    assert story.call(CHILD, "close", 3).calls() == [("close", 5, 6, 0)]


# Signals. -512 is ERESTARTSYS, -514 ERESTARTNOHAND, -516 ERESTART_RESTARTBLOCK.


def interrupted(result: int = -512) -> Story:
    return Story().start().enter(MAIN, "recvfrom", *RECV).leave(MAIN, "recvfrom", result)


@pytest.mark.parametrize(("result", "flags"), [(-512, 0), (-514, SA_RESTART), (-516, SA_RESTART)])
def test_a_handler_makes_a_call_return_eintr(result: int, flags: int) -> None:
    story = interrupted(result).signal(MAIN, HANDLER, flags).call(MAIN, "close", 3)
    assert story.calls() == [("recvfrom", 5, 5, -4), ("close", 5, 5, 0)]


@pytest.mark.parametrize("result", [-512, -513])
def test_a_call_that_the_kernel_makes_again_is_one(result: int) -> None:
    story = interrupted(result).signal(MAIN, HANDLER, SA_RESTART).call(MAIN, "close", 3)
    story.enter(MAIN, "recvfrom", *RECV).leave(MAIN, "recvfrom", 7)
    began = story.records[-6][0]
    calls, _ = story.take()
    assert [(call.name, call.result) for call in calls] == [("recvfrom", 7), ("close", 0)]
    assert calls[0].entry_ns < began
    assert calls[0].exit_ns == began + 5 * APART_NS


def test_a_stop_makes_the_kernel_make_it_again_without_a_handler() -> None:
    story = interrupted().signal(MAIN, 0).enter(MAIN, "recvfrom", *RECV)
    assert story.leave(MAIN, "recvfrom", 7).calls() == [("recvfrom", 5, 5, 7)]


def test_a_wait_is_gone_on_with() -> None:
    story = interrupted(-516).enter(MAIN, RESTART).leave(MAIN, RESTART, 1)
    assert story.calls() == [("recvfrom", 5, 5, 1)]


def test_another_wait_that_is_gone_on_with_is_no_call() -> None:
    story = Story().start().enter(MAIN, RESTART).leave(MAIN, RESTART, 0)
    assert story.call(MAIN, "close", 3).calls() == [("close", 5, 5, 0)]


def test_a_deadly_signal_lets_no_call_return() -> None:
    calls, _ = interrupted().signal(MAIN, 0).exit(MAIN).take()
    assert [(call.exit_ns, call.result) for call in calls] == [(None, None)]


def test_without_the_signal_the_next_call_fails() -> None:
    assert interrupted().call(MAIN, "close", 3).calls() == [
        ("recvfrom", 5, 5, -4), ("close", 5, 5, 0),
    ]  # fmt: skip


# Memory.


def test_memory_is_of_the_call_whose_entry_or_return_has_it() -> None:
    story = Story().start().enter(MAIN, "write", 1, 2, 9, memory=section(b"ab", 9))
    story.leave(MAIN, "write", 9).call(MAIN, "close", 3).enter(MAIN, "recvfrom", *RECV)
    parts = section(b"in", 2) + section(b"me", 16, 4, "name")
    story.leave(MAIN, "recvfrom", 2, parts).call(MAIN, "write", 1, 2, 2)
    assert [call.memory for call in story.take()[0]] == [
        (Memory(1, "", False, b"ab", 9),),
        (),
        (Memory(1, "", True, b"in", 2), Memory(4, "name", True, b"me", 16)),
        (),
    ]


def test_what_could_not_be_read_is_left_out() -> None:
    story = Story().start().enter(MAIN, "write", 1, 2, 9, memory=section(b"", 9))
    (call,), _ = story.leave(MAIN, "write", 9).take()
    assert call.memory == ()


def test_a_call_that_is_made_again_has_what_it_read_at_last() -> None:
    story = Story().start().enter(MAIN, "recvfrom", *RECV).leave(MAIN, "recvfrom", -512)
    story.signal(MAIN, HANDLER, SA_RESTART).enter(MAIN, "recvfrom", *RECV)
    (call,), _ = story.leave(MAIN, "recvfrom", 2, section(b"cd", 2)).take()
    assert call.memory == (Memory(1, "", True, b"cd", 2),)


# What sockets sent and received.


def test_lengths_are_those_of_the_programs_threads() -> None:
    body = LENGTH.pack(0xFFFF8881, 2, 6, 7, 0x4000)
    story = Story().start().add(RecordKind.SENT, MAIN, body).add(RecordKind.RECEIVED, MAIN, body)
    story.add(RecordKind.SENT, OTHER, body)
    times = [time_ns for time_ns, _ in story.records[-3:-1]]
    story.take()
    assert story.follower.take_lengths() == [
        MovedBytes(times[0], MAIN, True, 0xFFFF8881, 2, 6, 7, 0x4000),
        MovedBytes(times[1], MAIN, False, 0xFFFF8881, 2, 6, 7, 0x4000),
    ]
    assert story.follower.take_lengths() == []


# Calls by the i386 table.


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="no i386 table")
def test_calls_by_the_i386_table_have_its_names() -> None:
    story = Story().start().call(MAIN, "close", 3)
    arguments = ARGUMENTS.pack(3, 0x1000, 8, 0, 0, 0)
    story.add(RecordKind.I386_ENTERED, MAIN, arguments, 4)
    story.add(RecordKind.I386_RETURNED, MAIN, RESULT.pack(8), 4)
    story.add(RecordKind.I386_ENTERED, OTHER, arguments, 4)
    story.call(MAIN, "close", 4).add(RecordKind.I386_ENTERED, MAIN, arguments, 102)
    calls, _ = story.take()
    assert [(call.name, call.arguments[:3], call.result) for call in calls] == [
        ("close", (3,), 0),
        ("i386:write", (3, 0x1000, 8), 8),
        ("close", (4,), 0),
        ("i386:socketcall", (3, 0x1000, 8), None),
    ]


# Records that no program writes.


@pytest.mark.parametrize("kind", RecordKind)
def test_a_record_cut_short_is_refused(kind: RecordKind) -> None:
    if kind is RecordKind.ENDED:
        pytest.skip("it is a header alone")
    story = Story().start()
    if kind in (RecordKind.RETURNED, RecordKind.I386_RETURNED):
        number = 4 if kind is RecordKind.I386_RETURNED else NUMBER["write"]
        before = RecordKind(kind - 1)
        story.add(before, MAIN, ARGUMENTS.pack(1, 2, 3, 4, 5, 6), number)
    else:
        number = NUMBER["write"]
    story.add(kind, MAIN, b"\0" * 3, 4 if kind is RecordKind.I386_ENTERED else number)
    with pytest.raises(InstrumentError, match="a record of 19 bytes"):
        story.take()


def test_a_record_without_a_whole_header_is_refused() -> None:
    story = Story().start()
    for length in range(HEADER.size):
        with pytest.raises(InstrumentError, match=f"a record of {length} bytes"):
            story.follower.feed([(1, bytes(length))])


def test_an_unknown_kind_is_refused() -> None:
    story = Story().start().add(len(RecordKind), MAIN)  # type: ignore[arg-type]
    with pytest.raises(InstrumentError, match="no program of the trace writes"):
        story.take()
