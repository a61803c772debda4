"""From the events of traced processes to their calls: who made them, and how they ended."""

from __future__ import annotations

import os
import struct

import pytest
from trace_bytes import Tracepoint, formats

from lab.errors import InstrumentError
from lab.kernel.trace.bpf.records import CompatCall
from lab.kernel.trace.tracefs.calls import CLONE_FILES, CLONE_THREAD, SA_RESTART, CallFollower
from lab.kernel.trace.tracefs.pages import RawEvent
from lab.kernel.trace.tracefs.pointer_arguments import PointerFields, assign_memory
from lab.records import Memory, Syscall, TaskEvent

FIRST, MAIN, CHILD, OTHER = 9000, 9001, 9002, 9003  # in the trace
HANDLER = 0x401000
APART_NS = 10_000
END_OF_COMMON = 18
RECV = (4, 0x7F00, 16, 0, 0, 0)

_numbers = iter(range(100, 1000))


def entry(call: str, *names: str) -> Tracepoint:
    fields = (("int __syscall_nr", 4), *((f"unsigned long {name}", 8) for name in names))
    return Tracepoint(f"syscalls:sys_enter_{call}", next(_numbers), fields)


def leave(call: str) -> Tracepoint:
    fields = (("int __syscall_nr", 4), ("long ret", 8))
    return Tracepoint(f"syscalls:sys_exit_{call}", next(_numbers), fields)


TRACEPOINTS = {
    one.name.partition(":")[2]: one
    for one in (
        entry("recvfrom", "fd", "ubuf", "size", "flags", "addr", "addr_len"),
        leave("recvfrom"),
        entry("close", "fd"),
        leave("close"),
        entry("write", "fd", "buf", "count", "a_kernel_may_tell_more"),
        leave("write"),
        entry("sendfile64", "out_fd", "in_fd", "offset", "count"),
        leave("sendfile64"),
        entry("restart_syscall"),
        leave("restart_syscall"),
        leave("clone"),
        Tracepoint("task:task_newtask", 20, (("pid_t pid", 4), ("u64 clone_flags", 8))),
        Tracepoint("sched:sched_process_exec", 21, (("pid_t old_pid", 4), ("pid_t pid", 4))),
        Tracepoint("sched:sched_process_exit", 22, (("char comm[16]", 16),)),
        Tracepoint(
            "signal:signal_deliver",
            23,
            (("unsigned long sa_flags", 8), ("unsigned long sa_handler", 8)),
        ),
        Tracepoint("ftrace:print", 24, (("char buf[]", 0),)),
        entry("getuid"),
        Tracepoint("raw_syscalls:sys_enter", 25, (("long id", 8), ("unsigned long args[6]", 48))),
        Tracepoint("raw_syscalls:sys_exit", 26, (("long id", 8), ("long ret", 8))),
    )
}
NUMBERS = {
    "recvfrom": 45,
    "close": 3,
    "write": 1,
    "sendfile64": 40,
    "restart_syscall": 219,
    "getuid": 102,
}


class Story:
    """Events in their order, APART_NS apart."""

    def __init__(self, programs: tuple[str, ...] = ("client", "server")) -> None:
        self.follower = CallFollower(formats(list(TRACEPOINTS.values())), programs, FIRST)
        self.events: list[RawEvent] = []

    def add(self, name: str, running: int, /, **values: int | bytes) -> Story:
        time_ns = APART_NS * (len(self.events) + 1)
        self.events.append((time_ns, TRACEPOINTS[name].record(running, **values)))
        return self

    def enter(self, pid: int, call: str, *arguments: int) -> Story:
        tracepoint = TRACEPOINTS[f"sys_enter_{call}"]
        names = [declaration.split()[-1] for declaration, _ in tracepoint.fields[1:]]
        values = dict(zip(names, arguments, strict=False))
        return self.add(f"sys_enter_{call}", pid, __syscall_nr=NUMBERS[call], **values)

    def leave(self, pid: int, call: str, result: int) -> Story:
        return self.add(f"sys_exit_{call}", pid, ret=result)

    def call(self, pid: int, call: str, *arguments: int, result: int = 0) -> Story:
        return self.enter(pid, call, *arguments).leave(pid, call, result)

    def fork(self, parent: int, child: int, number: int = 0, flags: int = 0) -> Story:
        self.add("task_newtask", parent, pid=child, clone_flags=flags)
        return self.leave(parent, "clone", number) if number else self

    def mark(self, pid: int, place: int, number: int) -> Story:
        self.enter(pid, "write", 9, 0x7F00, 30)
        self.add("print", pid, buf=b"wirelab program %d %d\n\0" % (place, number))
        return self.leave(pid, "write", 30)

    def exec(self, pid: int, before: int | None = None) -> Story:
        return self.add("sched_process_exec", pid, pid=pid, old_pid=before or pid)

    def exit(self, pid: int) -> Story:
        return self.add("sched_process_exit", pid)

    def start(self, pid: int = MAIN, place: int = 0, number: int = 5) -> Story:
        return self.fork(FIRST, pid).mark(pid, place, number).exec(pid)

    def signal(self, pid: int, handler: int, flags: int = 0) -> Story:
        return self.add("signal_deliver", pid, sa_handler=handler, sa_flags=flags)

    def take(self, step: str = "s") -> tuple[tuple[Syscall, ...], tuple[TaskEvent, ...]]:
        self.follower.feed(self.events)
        self.events.clear()
        return self.follower.take(step)

    def calls(self) -> list[tuple[str, int, int, int | None]]:
        """Each call's name, process, thread and result."""
        return [(call.name, call.pid, call.tid, call.result) for call in self.take()[0]]


def test_a_call_is_known_by_the_programs_mark() -> None:
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


def test_a_call_has_its_man_pages_name() -> None:
    assert Story().start().call(MAIN, "sendfile64", 4, 5, 0, 9).calls() == [("sendfile", 5, 5, 0)]


def test_what_comes_before_the_exec_is_the_labs_own() -> None:
    story = Story().fork(FIRST, MAIN).call(MAIN, "close", 3).mark(MAIN, 0, 5)
    assert story.call(MAIN, "close", 4).exec(MAIN).call(MAIN, "close", 5).calls() == [
        ("close", 5, 5, 0)
    ]


def test_the_starters_own_calls_and_strangers_are_none() -> None:
    story = Story().start().call(FIRST, "close", 3).call(OTHER, "close", 3)
    assert story.fork(OTHER, 77).call(77, "close", 3).calls() == []


def test_a_start_that_failed_leaves_nothing() -> None:
    calls, tasks = Story().fork(FIRST, MAIN).mark(MAIN, 0, 5).exit(MAIN).take()
    assert (calls, tasks) == ((), ())


def test_a_child_has_the_number_that_its_parents_call_returned() -> None:
    story = Story().start().fork(MAIN, CHILD, 6).call(CHILD, "close", 3)
    assert story.calls() == [("close", 6, 6, 0)]


def test_a_child_may_act_before_its_parents_call_returns() -> None:
    story = Story().start().fork(MAIN, CHILD).call(CHILD, "close", 3).exit(CHILD)
    assert story.leave(MAIN, "clone", 6).calls() == [("close", 6, 6, 0)]


def test_where_that_return_is_lost_a_child_has_the_traces_number() -> None:
    assert Story().start().fork(MAIN, CHILD).call(CHILD, "close", 3).calls() == [
        ("close", CHILD, CHILD, 0)
    ]


def test_two_threads_are_not_known_by_one_number() -> None:
    """As where a child in a pid namespace of its own makes another."""
    story = Story().start().fork(MAIN, CHILD, 5).call(CHILD, "close", 3).call(MAIN, "close", 3)
    assert story.calls() == [("close", CHILD, CHILD, 0), ("close", 5, 5, 0)]


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
    _, tasks = Story().start(place=1).fork(MAIN, CHILD, 6).exec(CHILD).exit(CHILD).exit(MAIN).take()
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
    began = story.events[-6][0]
    calls, _ = story.take()
    assert [(call.name, call.result) for call in calls] == [("recvfrom", 7), ("close", 0)]
    assert calls[0].entry_ns < began
    assert calls[0].exit_ns == began + 5 * APART_NS


def test_a_stop_makes_the_kernel_make_it_again_without_a_handler() -> None:
    story = interrupted().signal(MAIN, 0).enter(MAIN, "recvfrom", *RECV)
    assert story.leave(MAIN, "recvfrom", 7).calls() == [("recvfrom", 5, 5, 7)]


def test_a_wait_is_gone_on_with() -> None:
    story = interrupted(-516).enter(MAIN, "restart_syscall").leave(MAIN, "restart_syscall", 1)
    assert story.calls() == [("recvfrom", 5, 5, 1)]


def test_another_wait_that_is_gone_on_with_is_no_call() -> None:
    story = Story().start().enter(MAIN, "restart_syscall").leave(MAIN, "restart_syscall", 0)
    assert story.call(MAIN, "close", 3).calls() == [("close", 5, 5, 0)]


def test_a_deadly_signal_lets_no_call_return() -> None:
    calls, _ = interrupted().signal(MAIN, 0).exit(MAIN).take()
    assert [(call.exit_ns, call.result) for call in calls] == [(None, None)]


def test_without_the_signal_the_next_call_fails() -> None:
    assert interrupted().call(MAIN, "close", 3).calls() == [
        ("recvfrom", 5, 5, -4), ("close", 5, 5, 0),
    ]  # fmt: skip


# What BPF read.


def test_memory_is_the_calls_own_where_both_have_all() -> None:
    story = Story().start().call(MAIN, "write", 1, 2, 2).call(MAIN, "close", 3)
    story.call(MAIN, "recvfrom", *RECV).call(MAIN, "write", 1, 2, 2)
    reads = [(1, b""), (1, b"ab"), (45, b"in"), (1, b"cd")]
    assert memories(story, reads) == [b"ab", None, b"in", b"cd"]


def test_a_lost_read_gives_its_call_none_and_the_others_theirs() -> None:
    story = Story().start().call(MAIN, "write", 1, 2, 2).call(MAIN, "write", 1, 2, 2)
    story.follower.feed(story.events)
    _, time_ns, _ = story.follower.threads[0].entries[-1]
    read = (1, time_ns + 400, False, ((1, "", False, b"cd", 2),))
    assign_memory(story.follower.threads, {MAIN: [read]})
    calls, _ = story.follower.take("s")
    assert [[part.data for part in call.memory] for call in calls] == [[], [b"cd"]]


def test_where_some_are_lost_calls_close_to_each_other_get_none() -> None:
    story = Story().start().call(MAIN, "write", 1, 2, 2).call(MAIN, "write", 1, 2, 2)
    story.follower.feed(story.events)
    _, time_ns, _ = story.follower.threads[0].entries[-1]
    read = (1, time_ns - APART_NS, False, ((1, "", False, b"cd", 2),))
    assign_memory(story.follower.threads, {MAIN: [read]})
    calls, _ = story.follower.take("s")
    assert [call.memory for call in calls] == [(), ()]


def test_a_call_that_has_not_returned_may_lack_its_read() -> None:
    story = Story().start().call(MAIN, "write", 1, 2, 2).enter(MAIN, "recvfrom", *RECV)
    story.follower.feed(story.events)
    reads = [read(1, 0, b""), read(1, 0, b"ab")]
    assign_memory(story.follower.threads, {MAIN: reads})
    calls, _ = story.follower.take("s")
    assert [[part.data for part in call.memory] for call in calls] == [[b"ab"], []]


def test_where_some_are_lost_a_call_read_at_its_exit_is_found_by_that() -> None:
    story = Story().start().enter(MAIN, "recvfrom", *RECV).leave(MAIN, "recvfrom", -512)
    story.signal(MAIN, HANDLER, SA_RESTART).call(MAIN, "write", 1, 2, 2)
    story.call(MAIN, "recvfrom", *RECV, result=2)
    first_exit, _, _, _, _, second_exit = (time_ns for time_ns, _ in story.events[-6:])
    story.follower.feed(story.events)
    reads = [read(45, first_exit + 400, b"no"), read(45, second_exit - 400, b"cd")]
    assign_memory(story.follower.threads, {MAIN: reads})
    calls, _ = story.follower.take("s")
    found = {call.name: [part.data for part in call.memory] for call in calls}
    assert found == {"recvfrom": [b"cd"], "write": []}


def read(number: int, exit_ns: int, data: bytes) -> PointerFields:
    return number, exit_ns, True, ((1, "", True, data, 2),) if data else ()


def test_a_read_of_another_call_is_given_to_none() -> None:
    story = Story().start().call(MAIN, "write", 1, 2, 2)
    assert memories(story, [(3, b"no"), (3, b"no")]) == [None]


def memories(story: Story, reads: list[tuple[int, bytes]]) -> list[bytes | None]:
    """The calls' data with these reads, which have the times of the entries in their order."""
    story.follower.feed(story.events)
    entries = story.follower.threads[0].entries
    fields = [
        (number, time_ns + 400, False, ((1, "", False, data, 2),) if data else ())
        for (number, data), (_, time_ns, _) in zip(reads, entries, strict=True)
    ]
    assign_memory(story.follower.threads, {MAIN: fields, OTHER: fields})
    calls, _ = story.follower.take("s")
    assert all(isinstance(part, Memory) for call in calls for part in call.memory)
    return [call.memory[0].data if call.memory else None for call in calls]


@pytest.mark.parametrize("name", sorted(TRACEPOINTS.keys() - {"print"}))
def test_a_record_cut_short_is_refused(name: str) -> None:
    whole = TRACEPOINTS[name].record(MAIN)
    follower = Story().start().follower
    for length in range(END_OF_COMMON):
        with pytest.raises(InstrumentError, match="record of"):
            follower.feed([(1, whole[:length])])


def test_an_unknown_tracepoint_is_passed_over() -> None:
    unknown = Tracepoint("other:event", 4000, (("int x", 4),))
    story = Story().start()
    story.events.append((1_000_000, unknown.record(MAIN)))
    assert story.call(MAIN, "close", 3).calls() == [("close", 5, 5, 0)]


RAW = struct.pack("=6Q", 3, 0x1000, 8, 0, 0, 0)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="no i386 table")
def test_a_raw_entry_without_one_of_its_own_is_a_call_by_the_i386_table() -> None:
    story = Story().start()
    story.add("sys_enter", MAIN, id=4, args=RAW).add("sys_exit", MAIN, id=4, ret=8)
    story.add("sys_enter", MAIN, id=4, args=RAW).add("sys_exit", MAIN, id=4, ret=8)
    story.add("sys_enter", MAIN, id=102, args=RAW)
    first, second = story.take()[0]
    assert (first.name, first.arguments[:3], first.result) == ("i386:write", (3, 0x1000, 8), 8)
    assert (second.name, second.result) == ("i386:socketcall", None)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="no i386 table")
def test_calls_by_the_i386_table_that_bpf_found_come_at_their_time() -> None:
    story = Story().start()
    story.call(MAIN, "close", 3).call(MAIN, "close", 4)
    between = next(time_ns for time_ns, _ in story.events[-2:]) - 1
    arguments = 3, 0x1000, 8, 0, 0, 0
    compat = [
        CompatCall(between, MAIN, 4, False, 0, arguments),
        CompatCall(between, MAIN, 4, True, 8, arguments),
        CompatCall(between, 999_999, 4, False, 0, arguments),
        CompatCall(story.events[-1][0] + 1, MAIN, 4, False, 0, arguments),
        CompatCall(story.events[-1][0] + 2, MAIN, 102, False, 0, arguments),
    ]
    story.follower.feed(story.events, compat)
    calls, _ = story.follower.take("s")
    assert [(call.name, call.result) for call in calls] == [
        ("close", 0),
        ("i386:write", 8),
        ("close", 0),
        ("i386:socketcall", None),
    ]


def test_a_raw_entry_behind_one_of_its_own_is_no_other_call() -> None:
    story = Story().start()
    story.enter(MAIN, "close", 3).add("sys_enter", MAIN, id=3, args=RAW)
    story.leave(MAIN, "close", 0).add("sys_exit", MAIN, id=3, ret=0)
    story.enter(MAIN, "getuid").add("sys_enter", MAIN, id=102, args=RAW)
    assert [call.name for call in story.take()[0]] == ["close"]
