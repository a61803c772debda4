"""Calls decoded: ids, results, what they moved and what they act upon."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import pytest
from any_call import any_call
from event_ids import event
from hypothesis import given
from hypothesis import strategies as st
from traced import (
    AF_INET,
    AF_UNIX,
    POINTER,
    SOCK_STREAM,
    Given,
    address4,
    call,
    kernel_event,
    messages,
    state,
    task,
    trace,
    two_numbers,
)

from lab.analysis.calls.decode import decode, of_step, socket_ids
from lab.analysis.calls.system_call import SystemCall
from lab.analysis.sockets.socket_calls import ends_stream, is_read, is_send, room_of
from lab.records import DropNotice, Memory, ProgramRun, RingUse, Syscall, Trace
from lab.syscalls.descriptors import follow


def run_of(program: str, host: str) -> ProgramRun:
    return ProgramRun(program, host, (), 0, None, 1, 0, "", "")


RUNS = (run_of("client", "near"), run_of("server", "far"))


def decoded(*records: Syscall) -> tuple[SystemCall, ...]:
    whole = trace(*records)
    return decode(whole, follow(whole), RUNS)


def only(name: str, *arguments: Given, result: int | None, **more: Any) -> SystemCall:
    (found,) = decoded(call("client", name, *arguments, result=result, **more))
    return found


def test_calls_are_numbered_for_each_program_in_order_of_entry() -> None:
    found = decoded(
        call("client", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(5, 6)),
        call("server", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(1, 2)),
        call("server", "listen", 3, 1, at=(3, 9)),
        call("client", "close", 3, at=(7, 8)),
    )
    assert [(each.id, each.name, each.host) for each in found] == [
        (event("server#1"), "socket", "far"),
        (event("server#2"), "listen", "far"),
        (event("client#1"), "socket", "near"),
        (event("client#2"), "close", "near"),
    ]


def test_sockets_have_ids_in_the_order_in_which_they_were_made() -> None:
    found = decoded(
        call("server", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(1, 2)),
        call("client", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(5, 6)),
        call("server", "accept4", 3, None, None, 0, result=4, at=(7, 8)),
        call("client", "socketpair", AF_UNIX, SOCK_STREAM, 0, two_numbers(5, 6), at=(9, 10)),
        call("server", "read", 4, POINTER, 1, result=0, at=(11, 12)),
        call("server", "read", 9, POINTER, 1, result=0, at=(13, 14)),
    )
    assert [each.made for each in found] == [("s1",), ("s2",), ("s3",), ("s4", "s5"), (), ()]
    assert [each.socket for each in found] == ["", "", "s1", "", "s3", ""]
    assert [each.descriptor for each in found] == [None, None, 3, None, 4, 9]


def test_an_epoll_instance_has_no_id_and_takes_none_away() -> None:
    records = (
        call("client", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(0, 1)),
        call("client", "epoll_create1", 0, result=4, at=(2, 3)),
        call("client", "epoll_ctl", 4, 1, 3, None, at=(4, 5)),
        call("client", "socket", AF_INET, SOCK_STREAM, 0, result=5, at=(6, 7)),
    )
    assert socket_ids(follow(trace(*records))) == ("s1", "", "s2")
    assert [each.made for each in decoded(*records)] == [("s1",), (), (), ("s2",)]
    assert [each.socket for each in decoded(*records)] == ["", "", "", ""]


@pytest.mark.parametrize(
    ("result", "returned"),
    [
        (0, "0"),
        (7, "7"),
        (-111, "-1 ECONNREFUSED"),
        (-11, "-1 EAGAIN"),
        (-115, "-1 EINPROGRESS"),
        (-512, "-1 ERESTARTSYS"),
        (-4095, "-1 4095"),
        (-4096, "-4096"),
        (None, "?"),
    ],
)
def test_a_result_is_a_number_or_an_error_by_name(result: int | None, returned: str) -> None:
    found = only("connect", 3, address4("198.51.100.2", 4242), 16, result=result)
    assert found.returned == returned
    assert found.text == "connect(3, 198.51.100.2:4242, 16)"
    assert (found.exit_ns is None) == (result is None)


@pytest.mark.parametrize(
    ("name", "arguments", "result", "moved", "data"),
    [
        ("sendto", (3, b"Hello. ", 7, 0, None, 0), 7, 7, b"Hello. "),
        ("sendto", (3, b"Hello. ", 7, 0, None, 0), 3, 3, b"Hel"),
        ("sendto", (3, b"Hello. ", 7, 0, None, 0), -11, 0, b""),
        ("sendto", (3, b"Hello. ", 7, 0, None, 0), None, 0, b""),
        ("recvfrom", (3, b"Hello. ", 64, 0, None, None), 7, 7, b"Hello. "),
        ("recvfrom", (3, b"Hello. ", 4, 0x20, None, None), 7, 4, b"Hell"),
        ("recvfrom", (3, POINTER, 64, 0, None, None), 0, 0, b""),
        ("recvfrom", (3, POINTER, 64, 0, None, None), 7, 7, b""),
        ("write", (3, b"Hello. ", 7), 7, 7, b"Hello. "),
        ("read", (3, b"Hello. ", 64), 7, 7, b"Hello. "),
        ("writev", (3, b"Hello. ", 2), 7, 7, b"Hello. "),
        ("readv", (3, b"Hello. ", 2), 7, 7, b"Hello. "),
        ("sendmsg", (3, {"data": b"Hello. "}, 0), 7, 7, b"Hello. "),
        ("recvmsg", (3, {"data": b"Hello. "}, 0), 7, 7, b"Hello. "),
        ("sendfile", (3, 4, None, 100), 100, 100, b""),
        ("splice", (3, None, 4, None, 64, 0), 64, 64, b""),
        ("sendmmsg", (3, POINTER, 2, 0), 2, 0, b""),
        ("recvmmsg", (3, POINTER, 2, 0, None), 2, 0, b""),
        ("sendmmsg", (3, messages(7, 9), 2, 0), 2, 16, b""),
        ("recvmmsg", (3, messages(7, 9), 8, 0, None), 2, 16, b""),
        ("recvmmsg", (3, messages(7, 9), 8, 0, None), 3, 0, b""),
        ("sendmmsg", (3, messages(7, 9), 2, 0), -11, 0, b""),
        ("connect", (3, address4("198.51.100.2", 4242), 16), 0, 0, b""),
        ("setsockopt", (3, 1, 2, b"\1\0\0\0", 4), 0, 0, b""),
        ("fcntl", (3, 3, 0), 2, 0, b""),
    ],
)
def test_what_a_call_moved_is_its_result(
    name: str, arguments: tuple[Given, ...], result: int | None, moved: int, data: bytes
) -> None:
    found = only(name, *arguments, result=result)
    assert (found.moved, found.data) == (moved, data)


def test_the_messages_that_moved_at_once_have_their_lengths() -> None:
    assert only("sendmmsg", 3, messages(7, 0), 2, 0, result=2).lengths == (7, 0)
    assert only("sendmmsg", 3, messages(7), 2, 0, result=1).lengths == (7,)
    assert only("sendmmsg", 3, messages(7, 9), 3, 0, result=3).lengths is None
    assert only("sendmmsg", 3, messages(7, 9), 2, 0, result=None).lengths is None
    assert only("sendto", 3, b"Hello. ", 7, 0, None, 0, result=7).lengths is None


def test_more_can_be_moved_than_was_read_from_memory() -> None:
    cut = Memory(1, "", False, b"x" * 128, 5000)
    found = only("write", 3, POINTER, 5000, result=5000, memory=(cut,))
    assert (found.moved, len(found.data)) == (5000, 128)


def test_a_step_has_its_own_records_alone() -> None:
    def both_steps(record: Syscall) -> list[Syscall]:
        return [replace(record, step=step) for step in ("one", "two")]

    whole = replace(
        trace(
            *both_steps(call("client", "close", 3)),
            replace(task("client", "start", 0), step="one"),
            replace(state("sk 1", "LISTEN", ("::", 1), ("::", 0), 0), step="two"),
            replace(kernel_event("tcp:tcp_destroy_sock", 0, 7), step="two"),
            lost=3,
        ),
        drops=(DropNotice(0, "NO_SOCKET", "", None, 0, "one"),),
    )
    one, two = of_step(whole, "one"), of_step(whole, "two")
    assert [len(kind) for kind in (one.syscalls, one.tasks, one.states, one.drops)] == [1, 1, 0, 1]
    assert [len(kind) for kind in (two.syscalls, two.states, two.events)] == [1, 1, 1]
    assert one.lost == two.lost == 3
    assert of_step(whole, "three") == Trace(lost=3)


@given(st.lists(any_call(), max_size=8))
def test_any_calls_can_be_decoded(records: list[Syscall]) -> None:
    found = decoded(*records)
    assert len(found) == len(records)
    for each in found:
        assert each.text.isprintable()
        assert len(each.data) <= each.moved
        assert (each.result == -1) >= bool(each.error)


@pytest.mark.parametrize(("ends", "sends"), [((3, 5), True), ((5, 4), False)])
def test_splice_sends_into_a_socket_and_reads_from_one(ends: tuple[int, int], sends: bool) -> None:
    *_, spliced = decoded(
        call("client", "pipe", two_numbers(3, 4), at=(0, 1)),
        call("client", "socket", AF_INET, SOCK_STREAM, 0, result=5, at=(2, 3)),
        call("client", "splice", ends[0], 0, ends[1], 0, 64, 0, result=9, at=(4, 5)),
    )
    assert (spliced.socket, spliced.descriptor, spliced.moved) == ("s3", 5, 9)
    assert (is_send(spliced), is_read(spliced)) == (sends, not sends)


def test_flags_that_fcntl_returned_are_shown_like_those_that_it_is_given() -> None:
    assert only("fcntl", 3, 3, 0, result=0o4002).returned == "0x802 (O_RDWR|O_NONBLOCK)"
    assert only("fcntl", 3, 3, 0, result=-9).returned == "-1 EBADF"
    assert only("fcntl", 3, 1, 0, result=1).returned == "1"


@pytest.mark.parametrize(("machine", "told"), [("x86_64", "{EPOLLIN, data=3}"), ("", "{EPOLLIN}")])
def test_structs_are_those_of_the_machine(machine: str, told: str) -> None:
    event = call("client", "epoll_ctl", 4, 1, 3, struct.pack("<IQI", 1, 3, 9))
    (found,) = decode(trace(event), follow(trace(event)), (), machine)
    assert found.arguments[3].text == told


def test_an_operation_in_a_ring_on_a_registered_file_into_a_provided_buffer() -> None:
    use = RingUse(1, "recv", is_fixed=True, is_provided=True)
    found = only("recvfrom", 3, 0, 0, 0, None, None, result=7, ring=use)
    assert found.text == "io_uring recv(registered file 3, a provided buffer, 0, 0, NULL, NULL)"
    assert (found.descriptor, found.moved, found.data, found.ring) == (None, 7, b"", use)
    assert room_of(found) is None
    assert ends_stream(replace(found, result=0))
    plain = only("recvfrom", 3, 0, 5, 0, None, None, result=7, ring=RingUse(1, "recv"))
    assert (plain.descriptor, plain.moved, room_of(plain)) == (3, 5, 5)


def test_one_that_says_what_it_cannot_be_has_the_arguments_that_it_has() -> None:
    found = only("shutdown", 3, 1, result=0, ring=RingUse(1, "shutdown", is_provided=True))
    assert found.text == "io_uring shutdown(3, a provided buffer)"
    (alone,) = decoded(
        call("client", "close", 3, result=0, ring=RingUse(1, "close", is_provided=True))
    )
    assert alone.text == "io_uring close(3)"


def test_one_that_says_too_little_has_no_arguments() -> None:
    given = call("client", "read", result=7, ring=RingUse(1, "splice", is_whole=False))
    (found,) = decoded(replace(given, name="io_uring:splice"))
    assert (found.text, found.returned, found.moved) == ("io_uring splice()", "7", 0)
    assert (found.descriptor, found.socket) == (None, "")
