"""Which object each descriptor is, call by call."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from call_script import Script, kept
from traced import (
    AF_INET,
    AF_UNIX,
    SOCK_CLOEXEC,
    SOCK_STREAM,
    call,
    pid_of,
    rights,
    trace,
    two_numbers,
)

from lab.records import RingUse
from lab.syscalls.descriptors import (
    EPOLL,
    READ_END,
    SOCKET,
    WRITE_END,
    follow,
)
from lab.syscalls.memory import passed_descriptors
from lab.syscalls.table import CALLS

CLOEXEC = 0o2000000
F_DUPFD, F_SETFD, F_DUPFD_CLOEXEC = 0, 2, 1030


def test_a_descriptor_is_what_the_call_that_returned_it_made() -> None:
    found = Script().socket(3).socket(4).read(4).read(3).read(5).found
    assert found.acts_on == (None, None, 1, 0, None)
    assert found.made == ((0,), (1,), (), (), ())
    assert [(opened.kind, opened.made_by) for opened in found.objects] == [(SOCKET, 0), (SOCKET, 1)]


@pytest.mark.parametrize("result", [-1, -24, -4095, None])
def test_a_call_that_failed_or_did_not_return_made_nothing(result: int | None) -> None:
    found = Script().socket(3).call("accept", 3, 0, 0, result=result).found
    assert len(found.objects) == 1


def test_a_closed_descriptor_is_nothing_and_its_number_is_given_away_again() -> None:
    script = Script().socket(3).call("close", 3).read(3)
    assert script.found.acts_on == (None, 0, None)
    assert script.socket(3).read(3).last() == 1


@pytest.mark.parametrize("result", [0, -4, -5, -104, None])
def test_close_takes_the_descriptor_away_however_it_ends(result: int | None) -> None:
    assert Script().socket(3).call("close", 3, result=result).read(3).last() is None


def test_a_number_that_another_thread_gets_while_close_is_under_way_is_the_new_socket() -> None:
    records = trace(
        call("p", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(0, 1)),
        call("p", "close", 3, at=(2, 9)),
        call("p", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(4, 5), tid=7),
        call("p", "read", 3, 0x1000, 1, at=(10, 11)),
    )
    assert follow(records).acts_on[-1] == 1


def test_a_descriptor_that_is_returned_later_is_not_what_a_call_entered_before_acts_upon() -> None:
    records = trace(
        call("p", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(0, 8)),
        call("p", "read", 3, 0x1000, 1, at=(4, 5), tid=7),
    )
    assert follow(records).acts_on == (None, None)


def test_a_call_that_takes_no_time_is_made_before_it_returns() -> None:
    records = trace(
        call("p", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(4, 4)),
        call("p", "close", 3, at=(4, 4)),
        call("p", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(4, 4)),
        call("p", "read", 3, 0x1000, 1, at=(4, 4)),
    )
    assert follow(records).acts_on == (None, 0, None, 1)


def test_an_upper_half_of_an_argument_is_no_part_of_a_descriptor() -> None:
    assert Script().socket(3).read((7 << 32) + 3).last() == 0
    assert Script().socket(3).read(-1).last() is None


@pytest.mark.parametrize("name", ["accept", "accept4"])
def test_an_accepted_socket_is_another_than_the_one_that_listens(name: str) -> None:
    arguments = (3, 0, 0, 0)[: len(CALLS[name].arguments)]
    found = Script().socket(3).call(name, *arguments, result=4).read(4).read(3).found
    assert found.acts_on == (None, 0, 1, 0)
    assert found.made[1] == (1,)


def test_both_ends_of_a_pipe_are_distinguished() -> None:
    for script in (
        Script().call("pipe", two_numbers(5, 6)),
        Script().call("pipe2", two_numbers(5, 6), 0),
    ):
        found = script.read(5).call("write", 6, b"x", 1, result=1).found
        assert [opened.kind for opened in found.objects] == [READ_END, WRITE_END]
        assert found.acts_on == (None, 0, 1)
        assert found.made[0] == (0, 1)


def test_a_socketpair_makes_two_sockets() -> None:
    found = Script().call("socketpair", AF_UNIX, SOCK_STREAM, 0, two_numbers(7, 9)).read(9).found
    assert found.made[0] == (0, 1)
    assert found.acts_on[-1] == 1


def test_pairs_whose_numbers_could_not_be_read_stay_unknown() -> None:
    found = Script().call("pipe", 0x1000).call("pipe2", b"\1\2", 0).read(3).found
    assert found.objects == ()
    assert found.acts_on == (None, None, None)


@pytest.mark.parametrize("name", ["epoll_create", "epoll_create1"])
def test_an_epoll_instance_that_watches_a_socket_is_an_object_too(name: str) -> None:
    script = Script().socket(3).call(name, 0, result=4).call("epoll_ctl", 4, 1, 3, 0)
    script.call("epoll_wait", 4, 0x1000, 9, -1)
    assert script.found.objects[1].kind == EPOLL
    assert script.found.acts_on == (None, None, 1, 1)
    assert kept(script) == [0, 1, 2, 3]


@pytest.mark.parametrize("watched", [5, 4])
def test_an_epoll_instance_that_watches_nothing_known_is_passed_over(watched: int) -> None:
    script = Script().call("epoll_create1", 0, result=4)
    if watched != 4:
        script.call("epoll_ctl", 4, 1, watched, 0)
    script.call("epoll_wait", 4, 0x1000, 9, -1).call("close", 4).socket(4).read(4)
    assert [opened.kind for opened in script.found.objects] == [SOCKET]
    assert kept(script) == [len(script.records) - 2, len(script.records) - 1]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("dup", (3,)),
        ("dup2", (3, 8)),
        ("dup3", (3, 8, CLOEXEC)),
        ("fcntl", (3, F_DUPFD, 8)),
        ("fcntl", (3, F_DUPFD_CLOEXEC, 8)),
    ],
)
def test_a_duplicate_is_the_same_object(name: str, arguments: tuple[int, ...]) -> None:
    script = Script().socket(3).call(name, *arguments, result=8).call("close", 3).read(8)
    assert script.last() == 0
    assert script.found.made[1] == ()


@pytest.mark.parametrize("result", [-9, -24, None])
def test_a_duplication_that_failed_changes_nothing(result: int | None) -> None:
    script = Script().socket(3).socket(8).call("dup2", 3, 8, result=result).read(8)
    assert script.last() == 1


def test_a_duplicate_of_something_unknown_hides_what_was_there() -> None:
    assert Script().socket(3).call("dup2", 1, 3, result=3).read(3).last() is None
    assert Script().socket(3).call("dup2", 3, 3, result=3).read(3).last() == 0


def watching(name: str, argument: int) -> Script:
    """An epoll instance, 3, that has something to watch."""
    return Script().socket(9).call(name, argument, result=3).call("epoll_ctl", 3, 1, 9, 0)


def closes_at_exec(script: Script, descriptor: int = 3) -> bool:
    return script.task("exec").read(descriptor).last() is None


@pytest.mark.parametrize(
    ("script", "is_closed"),
    [
        (Script().socket(3), False),
        (Script().socket(3, SOCK_CLOEXEC), True),
        (Script().socket(3).call("fcntl", 3, F_SETFD, 1), True),
        (Script().socket(3, SOCK_CLOEXEC).call("fcntl", 3, F_SETFD, 0), False),
        (Script().socket(3).call("fcntl", 3, F_SETFD, 1, result=-9), False),
        (Script().socket(9).call("accept4", 9, 0, 0, SOCK_CLOEXEC, result=3), True),
        (Script().socket(9).call("accept", 9, 0, 0, result=3), False),
        (Script().socket(9, SOCK_CLOEXEC).call("dup", 9, result=3), False),
        (Script().socket(9).call("dup3", 9, 3, CLOEXEC, result=3), True),
        (Script().socket(9).call("fcntl", 9, F_DUPFD, 3, result=3), False),
        (Script().socket(9).call("fcntl", 9, F_DUPFD_CLOEXEC, 3, result=3), True),
        (Script().call("pipe2", two_numbers(3, 4), CLOEXEC), True),
        (Script().call("pipe2", two_numbers(3, 4), 0), False),
        (Script().call("pipe", two_numbers(3, 4)), False),
        (watching("epoll_create1", CLOEXEC), True),
        (watching("epoll_create1", 0), False),
        (watching("epoll_create", 1), False),
        (Script().socket(3).call("close_range", 3, 9, 4), True),
        (Script().socket(3, SOCK_CLOEXEC).call("close", 3).socket(3), False),
    ],
)
def test_exec_closes_what_is_marked_so(script: Script, is_closed: bool) -> None:
    # read(2) and its kin on what is left are the same object; on what is closed, none.
    fresh = Script()
    fresh.records, fresh.now = list(script.records), script.now
    assert closes_at_exec(fresh) is is_closed


@pytest.mark.parametrize(
    ("first", "last", "flags", "result", "left"),
    [
        (3, 5, 0, 0, {6}),
        (4, 2**32 - 1, 0, 0, {3}),
        (0, 2, 0, 0, {3, 4, 5, 6}),
        (3, 6, 4, 0, {3, 4, 5, 6}),
        (3, 6, 2, 0, set()),
        (3, 6, 0, -22, {3, 4, 5, 6}),
    ],
)
def test_close_range_closes_that_range(
    first: int, last: int, flags: int, result: int, left: set[int]
) -> None:
    script = Script().socket(3).socket(4).socket(5).socket(6)
    script.call("close_range", first, last, flags, result=result)
    for descriptor in (3, 4, 5, 6):
        script.read(descriptor)
    found = script.found.acts_on[-4:]
    assert {3 + place for place, what in enumerate(found) if what is not None} == left


def test_a_child_has_a_copy_of_its_parents_descriptors() -> None:
    parent, child = pid_of("p"), 900
    script = Script().task("start").socket(3)
    script.task("start", pid=child, parent_tid=parent)
    script.call("close", 3).read(3, pid=child).call("close", 3, pid=child).socket(3)
    script.read(3, pid=child)
    assert script.found.acts_on == (None, 0, 0, 0, None, None)


def test_threads_and_tasks_that_share_files_have_one_table() -> None:
    parent = pid_of("p")
    script = Script().task("start").task("start", tid=901, parent_tid=parent, shares_files=True)
    script.socket(3, tid=901).read(3).call("close", 3).read(3, tid=901)
    assert script.found.acts_on == (None, 0, 0, None)


def test_close_range_can_end_the_sharing() -> None:
    parent = pid_of("p")
    script = Script().task("start").socket(3)
    script.task("start", tid=901, parent_tid=parent, shares_files=True)
    script.call("close_range", 3, 9, 2, tid=901).read(3, tid=901).read(3)
    assert script.found.acts_on[-2:] == (None, 0)


def test_exec_of_a_child_leaves_the_parents_descriptors_alone() -> None:
    parent, child = pid_of("p"), 900
    script = Script().task("start").socket(3, SOCK_CLOEXEC)
    script.task("start", pid=child, parent_tid=parent, shares_files=True)
    script.task("exec", pid=child).read(3, pid=child).read(3)
    assert script.found.acts_on[-2:] == (None, 0)


def test_a_process_number_that_comes_again_is_another_process() -> None:
    script = Script().task("start").socket(3).task("exit").task("start").read(3)
    assert script.last() is None


def test_threads_whose_start_was_not_reported_have_their_processs_table() -> None:
    assert Script().socket(3).read(3, tid=901).last() == 0


def test_two_programs_have_nothing_to_do_with_each_other() -> None:
    records = trace(
        call("p", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(0, 1)),
        call("q", "read", 3, 0x1000, 1, at=(2, 3), pid=pid_of("p")),
    )
    assert follow(records).acts_on[-1] is None


def test_a_passed_descriptor_is_the_same_object_at_the_receiver() -> None:
    script = Script().call("socketpair", AF_UNIX, SOCK_STREAM, 0, two_numbers(3, 4)).socket(5)
    script.call("sendmsg", 3, {"data": b"x", "control": rights(5, 1)}, 0, result=1)
    script.call("close", 5)
    script.call("recvmsg", 4, {"data": b"x", "control": rights(8, 9)}, 0, result=1)
    script.read(8).read(9)
    assert script.found.acts_on[-2:] == (2, None)


def test_passed_descriptors_arrive_in_the_order_of_their_messages() -> None:
    script = Script().call("socketpair", AF_UNIX, SOCK_STREAM, 0, two_numbers(3, 4))
    script.socket(5).socket(6)
    for descriptor in (5, 6):
        script.call("sendmsg", 3, {"control": rights(descriptor)}, 0, result=1)
    for descriptor in (7, 8):
        script.call("recvmsg", 4, {"control": rights(descriptor)}, 0, result=1)
    assert script.read(7).last() == 2
    assert script.read(8).last() == 3


def test_a_peeked_message_brings_descriptors_and_stays() -> None:
    script = Script().call("socketpair", AF_UNIX, SOCK_STREAM, 0, two_numbers(3, 4)).socket(5)
    script.call("sendmsg", 3, {"control": rights(5)}, 0, result=1)
    script.call("recvmsg", 4, {"control": rights(7)}, 2, result=1)
    script.call("recvmsg", 4, {"control": rights(8)}, 0, result=1)
    assert script.read(7).last() == 2
    assert script.read(8).last() == 2


def test_a_send_that_failed_passes_nothing() -> None:
    script = Script().call("socketpair", AF_UNIX, SOCK_STREAM, 0, two_numbers(3, 4)).socket(5)
    script.call("sendmsg", 3, {"control": rights(5)}, 0, result=-32)
    script.call("recvmsg", 4, {"control": rights(8)}, 0, result=1)
    assert script.read(8).last() is None


@pytest.mark.parametrize(
    ("control", "passed"),
    [
        (b"", ()),
        (rights(3), (3,)),
        (rights(3, 4, 5), (3, 4, 5)),
        (rights(3) + rights(4), (3, 4)),
        (rights(3, 4)[:20], (3,)),
        (rights(3)[:15], ()),
        (b"\0" * 32, ()),
        (rights(3)[:12] + b"\2\0\0\0" + rights(3)[16:], ()),
    ],
)
def test_descriptors_are_read_from_control_messages(
    control: bytes, passed: tuple[int, ...]
) -> None:
    assert passed_descriptors(control) == passed


def test_the_kernels_name_finds_a_socket_whose_descriptor_came_unseen() -> None:
    script = Script().socket(3).read(3, socket="inode 7").read(9, socket="inode 7").read(9)
    assert script.found.acts_on == (None, 0, 0, 0)
    assert script.read(9, socket="inode 8").last() is None


def test_the_kernels_name_can_come_again_for_another_socket() -> None:
    script = Script().socket(3).read(3, socket="inode 7").call("close", 3, socket="inode 7")
    assert script.socket(3).read(3, socket="inode 7").last() == 1


def test_a_name_that_contradicts_the_table_counts_for_more() -> None:
    script = Script().socket(3).read(3, socket="inode 7").socket(4).read(4, socket="inode 8")
    assert script.read(3, socket="inode 8").last() == 1


@pytest.mark.parametrize(("place", "socket"), [(0, 4), (2, 3)])
def test_splice_acts_upon_the_socket_of_its_two(place: int, socket: int) -> None:
    script = Script().call("pipe", two_numbers(3, 4)).socket(5)
    arguments = [3, 0, 4, 0, 9, 0]
    arguments[place] = 5
    assert script.call("splice", *arguments, result=9).last() == 2


OPERATION = RingUse(1, "of a ring")
REGISTERED = RingUse(1, "of a ring", is_fixed=True)


def test_operations_in_a_ring_make_and_use_descriptors_as_calls_do() -> None:
    script = Script().socket(3, ring=OPERATION).call("accept4", 3, 0, 0, 0, result=5)
    found = script.read(5, ring=OPERATION).read(3, ring=OPERATION).found
    assert found.acts_on == (None, 0, 1, 0)
    assert found.made == ((0,), (1,), (), ())


def test_a_ring_closes_when_it_is_done_and_only_what_it_was_to_close() -> None:
    """Until then it may wait in a chain; and afterwards the number may be another's."""
    given = [call("p", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(0, 1))]
    given.append(call("p", "close", 3, at=(2, 9), ring=OPERATION))
    waits = call("p", "read", 3, 0x1000, 9, at=(4, 5))
    assert follow(trace(*given, waits)).acts_on == (None, 0, 0)
    after = call("p", "read", 3, 0x1000, 9, at=(12, 13))
    assert follow(trace(*given, after)).acts_on == (None, 0, None)
    again = call("p", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(6, 7))
    assert follow(trace(*given, again, after)).acts_on == (None, 0, None, 1)


@pytest.mark.parametrize("result", [-125, None])
def test_a_close_that_was_cancelled_closes_nothing(result: int | None) -> None:
    script = Script().socket(3).call("close", 3, result=result, ring=OPERATION)
    assert script.read(3).last() == 0


def test_a_registered_file_is_what_was_registered_at_its_place() -> None:
    script = Script().socket(3).socket(4)
    script.call("io_uring_register", 9, 2, struct.pack("<3i", -1, 4, 3), 3, ring=RingUse(1))
    assert script.call("close", 4).read(1, ring=REGISTERED).last() == 1
    assert script.read(2, ring=REGISTERED).last() == 0
    assert script.read(0, ring=REGISTERED).last() is None


def test_the_kernels_name_overrides_the_place() -> None:
    """The place may have been given away when the operation was at work."""
    script = Script().socket(3).socket(4).read(3, socket="inode 7").read(4, socket="inode 8")
    script.call("io_uring_register", 9, 2, struct.pack("<i", 4), 1, ring=RingUse(1))
    assert script.read(0, socket="inode 8", ring=REGISTERED).last() == 1
    assert script.read(0, socket="inode 7", ring=REGISTERED).last() == 0
    assert script.read(0, socket="inode 9", ring=REGISTERED).last() is None
    assert script.read(5, socket="inode 7", ring=REGISTERED).last() == 0


def test_a_socket_is_named_where_it_is_used_as_a_registered_file_first() -> None:
    script = Script().socket(3)
    script.call("io_uring_register", 9, 2, struct.pack("<i", 3), 1, ring=RingUse(1))
    script.read(0, socket="inode 7", ring=REGISTERED)
    assert script.read(8, socket="inode 7", ring=REGISTERED).last() == 0


def test_what_is_made_at_a_place_is_no_descriptor_and_closed_there() -> None:
    script = Script().socket(0, ring=RingUse(1, "socket", place=5))
    assert script.read(0, ring=OPERATION).last() is None
    assert script.read(5, ring=REGISTERED).last() == 0
    script.call("close", 5, ring=RingUse(1, "close", is_fixed=True))
    assert script.last() == 0
    assert script.read(5, ring=REGISTERED).last() is None


def test_of_operations_those_are_kept_that_may_concern_sockets() -> None:
    hidden = RingUse(1, "splice", is_whole=False)
    script = Script().read(9, ring=OPERATION).read(9, ring=REGISTERED)
    script.records.append(replace(call("p", "read", at=(20, 21), ring=hidden), name="io_uring:x"))
    script.socket(-24, ring=OPERATION)
    assert kept(script) == [1, 2, 3]
