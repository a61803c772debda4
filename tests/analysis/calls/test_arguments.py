"""Calls in text, as strace shows them."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from any_call import any_call
from hypothesis import given
from traced import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_PACKET,
    AF_UNIX,
    POINTER,
    SOCK_CLOEXEC,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    SOCK_RAW,
    SOCK_STREAM,
    Given,
    address4,
    address6,
    address_un,
    call,
    messages,
    pollfd,
    rights,
    two_numbers,
)

from lab.analysis.calls.arguments import decode_arguments, result_flags
from lab.records import Memory, Syscall
from lab.syscalls.table import CALLS

SERVER = address4("198.51.100.2", 4242)
LONG = b"A line of text that is longer than what strace shows of it."


def text_of(each: Syscall) -> str:
    return f"{each.name}({', '.join(argument.text for argument in decode_arguments(each))})"


CASES: list[tuple[tuple[Given, ...], str]] = [
    ((AF_INET, SOCK_STREAM, 0), "socket(AF_INET, SOCK_STREAM, IPPROTO_IP)"),
    ((AF_INET, SOCK_STREAM, 6), "socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)"),
    ((AF_INET6, SOCK_DGRAM, 17), "socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP)"),
    ((AF_INET, SOCK_STREAM, 262), "socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP)"),
    ((AF_INET, SOCK_RAW, 253), "socket(AF_INET, SOCK_RAW, 253)"),
    ((AF_UNIX, SOCK_STREAM, 0), "socket(AF_UNIX, SOCK_STREAM, 0)"),
    (
        (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
        "socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0)",
    ),
    ((AF_UNIX, 7, 0), "socket(AF_UNIX, 7, 0)"),
    ((AF_UNIX, 0x101, 0), "socket(AF_UNIX, SOCK_STREAM|0x100, 0)"),
    ((AF_NETLINK, SOCK_RAW, 0), "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)"),
    ((AF_NETLINK, SOCK_RAW, 99), "socket(AF_NETLINK, SOCK_RAW, 99)"),
    ((AF_PACKET, SOCK_RAW, 0x0300), "socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))"),
    ((AF_PACKET, SOCK_RAW, 0x0008), "socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP))"),
    ((AF_PACKET, SOCK_RAW, 0x3412), "socket(AF_PACKET, SOCK_RAW, htons(0x1234))"),
    ((AF_PACKET, SOCK_RAW, 0), "socket(AF_PACKET, SOCK_RAW, 0)"),
    ((99, SOCK_STREAM, 5), "socket(99, SOCK_STREAM, 5)"),
]

OTHERS: list[tuple[str, tuple[Given, ...], str]] = [
    (
        "socketpair",
        (AF_UNIX, SOCK_DGRAM, 0, two_numbers(3, 4)),
        "AF_UNIX, SOCK_DGRAM, 0, [3, 4]",
    ),
    ("bind", (3, SERVER, 16), "3, 198.51.100.2:4242, 16"),
    ("bind", (3, address6("2001:db8::2", 4242), 28), "3, [2001:db8::2]:4242, 28"),
    ("bind", (3, address_un("/run/x"), 9), '3, "/run/x", 9'),
    ("bind", (3, address_un("@name"), 7), '3, "@name", 7'),
    ("bind", (3, POINTER, 16), f"3, {POINTER:#x}, 16"),
    ("bind", (-1, None, 0), "-1, NULL, 0"),
    ("listen", (3, 1), "3, 1"),
    ("listen", (3, -1), "3, -1"),
    ("accept", (3, None, None), "3, NULL, NULL"),
    ("accept", (3, SERVER, POINTER), "3, 198.51.100.2:4242, [16]"),
    ("accept", (3, address_un(""), POINTER), "3, unnamed, [2]"),
    (
        "accept4",
        (3, SERVER, POINTER, SOCK_CLOEXEC | SOCK_NONBLOCK),
        "3, 198.51.100.2:4242, [16], SOCK_CLOEXEC|SOCK_NONBLOCK",
    ),
    ("accept4", (3, POINTER, POINTER, 0), f"3, {POINTER:#x}, {POINTER:#x}, 0"),
    ("connect", (3, SERVER, 16), "3, 198.51.100.2:4242, 16"),
    ("connect", (3, b"\0\0" + bytes(14), 16), "3, AF_UNSPEC, 16"),
    ("getsockname", (3, SERVER, POINTER), "3, 198.51.100.2:4242, [16]"),
    ("getpeername", (3, SERVER, POINTER), "3, 198.51.100.2:4242, [16]"),
    ("sendto", (3, b"Hello. ", 7, 0, None, 0), "3, 'Hello. ', 7, 0, NULL, 0"),
    (
        "sendto",
        (3, b"Hello. ", 7, 0x4040, SERVER, 16),
        "3, 'Hello. ', 7, MSG_DONTWAIT|MSG_NOSIGNAL, 198.51.100.2:4242, 16",
    ),
    ("sendto", (3, b"", 0, 0, None, 0), "3, '', 0, 0, NULL, 0"),
    ("sendto", (3, b"it's\n\0", 6, 0, None, 0), '3, "it\'s\\n\\x00", 6, 0, NULL, 0'),
    ("recvfrom", (3, b"Hello. ", 64, 2, None, None), "3, 'Hello. ', 64, MSG_PEEK, NULL, NULL"),
    (
        "recvfrom",
        (3, b"Hello. ", 64, 0x20, SERVER, POINTER),
        "3, 'Hello. ', 64, MSG_TRUNC, 198.51.100.2:4242, [16]",
    ),
    (
        "recvfrom",
        (3, b"Hello. and behind", 7, 0x20, None, None),
        "3, 'Hello. ', 7, MSG_TRUNC, NULL, NULL",
    ),
    ("recvfrom", (3, POINTER, 64, 0, None, None), f"3, {POINTER:#x}, 64, 0, NULL, NULL"),
    ("sendmsg", (3, {"data": b"Hello. "}, 0), "3, {'Hello. '}, 0"),
    (
        "sendmsg",
        (3, {"name": SERVER, "data": b"x", "control": rights(5)}, 0),
        "3, {198.51.100.2:4242, 'x', SCM_RIGHTS [5]}, 0",
    ),
    ("sendmsg", (3, POINTER, 0), f"3, {POINTER:#x}, 0"),
    ("recvmsg", (3, {"data": b"x"}, 0x40000000), "3, {'x'}, MSG_CMSG_CLOEXEC"),
    ("sendmmsg", (3, POINTER, 2, 0), f"3, {POINTER:#x}, 2, 0"),
    ("sendmmsg", (3, messages(7), 2, 0), "3, [{msg_len=7}], 2, 0"),
    ("recvmmsg", (3, POINTER, 2, 0x10000, None), f"3, {POINTER:#x}, 2, MSG_WAITFORONE, NULL"),
    (
        "setsockopt",
        (3, 1, 2, struct.pack("<i", 1), 4),
        "3, SOL_SOCKET, SO_REUSEADDR, [1], 4",
    ),
    (
        "setsockopt",
        (3, 1, 13, struct.pack("<ii", 1, 0), 8),
        "3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8",
    ),
    ("setsockopt", (3, 6, 1, POINTER, 4), f"3, IPPROTO_TCP, TCP_NODELAY, {POINTER:#x}, 4"),
    (
        "getsockopt",
        (3, 1, 4, struct.pack("<i", 111), POINTER),
        "3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]",
    ),
    (
        "getsockopt",
        (3, 1, 4, POINTER, POINTER),
        f"3, SOL_SOCKET, SO_ERROR, {POINTER:#x}, {POINTER:#x}",
    ),
    ("shutdown", (3, 0), "3, SHUT_RD"),
    ("shutdown", (3, 1), "3, SHUT_WR"),
    ("shutdown", (3, 2), "3, SHUT_RDWR"),
    ("shutdown", (3, 9), "3, 9"),
    ("read", (3, b"Hello. ", 64), "3, 'Hello. ', 64"),
    ("write", (3, b"Hello. ", 7), "3, 'Hello. ', 7"),
    ("write", (3, LONG, len(LONG)), "3, 'A line of text that is longer th'..., 59"),
    ("write", (3, LONG[:32], 32), "3, 'A line of text that is longer th', 32"),
    ("write", (3, None, 2**63), "3, NULL, 9223372036854775808"),
    ("readv", (3, b"Hello. ", 2), "3, ['Hello. '], 2"),
    ("writev", (3, b"Hello. ", 2), "3, ['Hello. '], 2"),
    ("sendfile", (4, 3, None, 100), "4, 3, NULL, 100"),
    ("splice", (3, None, 4, None, 64, 5), "3, NULL, 4, NULL, 64, SPLICE_F_MOVE|SPLICE_F_MORE"),
    ("close", (3,), "3"),
    ("close", (-1,), "-1"),
    ("close_range", (3, 2**32 - 1, 4), "3, 4294967295, CLOSE_RANGE_CLOEXEC"),
    ("dup", (3,), "3"),
    ("dup2", (3, 1), "3, 1"),
    ("dup3", (3, 8, 0o2000000), "3, 8, O_CLOEXEC"),
    ("fcntl", (3, 1, 99), "3, F_GETFD"),
    ("fcntl", (3, 2, 1), "3, F_SETFD, FD_CLOEXEC"),
    ("fcntl", (3, 2, 0), "3, F_SETFD, 0"),
    ("fcntl", (3, 3, 99), "3, F_GETFL"),
    ("fcntl", (3, 4, 0o4002), "3, F_SETFL, O_RDWR|O_NONBLOCK"),
    ("fcntl", (3, 0, 10), "3, F_DUPFD, 10"),
    ("fcntl", (3, 1030, 10), "3, F_DUPFD_CLOEXEC, 10"),
    ("fcntl", (3, 777, 10), "3, 777, 10"),
    ("pipe", (two_numbers(3, 4),), "[3, 4]"),
    ("pipe", (POINTER,), f"{POINTER:#x}"),
    ("pipe2", (two_numbers(3, 4), 0o2004000), "[3, 4], O_NONBLOCK|O_CLOEXEC"),
    ("poll", (pollfd(3, 1), 1, -1), "[{fd=3, events=POLLIN}], 1, -1"),
    (
        "poll",
        (pollfd(3, 5, 4) + pollfd(4, 1), 2, 1000),
        "[{fd=3, events=POLLIN|POLLOUT, revents=POLLOUT}, {fd=4, events=POLLIN}], 2, 1000",
    ),
    ("poll", (POINTER, 1, 0), f"{POINTER:#x}, 1, 0"),
    (
        "ppoll",
        (pollfd(3, 1, 0x11), 1, None, None, 8),
        "[{fd=3, events=POLLIN, revents=POLLIN|POLLHUP}], 1, NULL, NULL, 8",
    ),
    ("select", (4, POINTER, None, None, None), f"4, {POINTER:#x}, NULL, NULL, NULL"),
    ("pselect6", (4, None, None, None, None, None), "4, NULL, NULL, NULL, NULL, NULL"),
    ("epoll_create", (1,), "1"),
    ("epoll_create1", (0o2000000,), "EPOLL_CLOEXEC"),
    ("epoll_create1", (0,), "0"),
    (
        "epoll_ctl",
        (4, 1, 3, struct.pack("<IQI", 1, 3, 9)),
        "4, EPOLL_CTL_ADD, 3, {EPOLLIN}",
    ),
    (
        "epoll_ctl",
        (4, 3, 3, struct.pack("<IIQ", 0x80000005, 77, 3)),
        "4, EPOLL_CTL_MOD, 3, {EPOLLIN|EPOLLOUT|EPOLLET}",
    ),
    ("epoll_ctl", (4, 2, 3, None), "4, EPOLL_CTL_DEL, 3, NULL"),
    ("epoll_wait", (4, struct.pack("<IQI", 1, 3, 0), 9, -1), "4, [{EPOLLIN}], 9, -1"),
    (
        "epoll_wait",
        (4, struct.pack("<IQ", 1, 3) * 2 + bytes(8), 9, -1),
        "4, [{EPOLLIN}, ...], 9, -1",
    ),
    ("epoll_wait", (4, b"", 9, 0), "4, [], 9, 0"),
    ("epoll_pwait", (4, POINTER, 9, -1, None, 8), f"4, {POINTER:#x}, 9, -1, NULL, 8"),
    ("epoll_pwait2", (4, POINTER, 9, None, None, 8), f"4, {POINTER:#x}, 9, NULL, NULL, 8"),
    ("preadv2", (3, b"Hello", 2, -1, 0, 8), "3, ['Hello'], 2, -1, 0, RWF_NOWAIT"),
    ("pwritev2", (3, b"Hello", 2, -1, 0, 0), "3, ['Hello'], 2, -1, 0, 0"),
    ("io_uring_setup", (8, POINTER), f"8, {POINTER:#x}"),
    (
        "io_uring_enter",
        (3, 1, 1, 1, None, 0),
        "3, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0",
    ),
    (
        "io_uring_register",
        (3, 2, struct.pack("<2i", 5, -1), 2),
        "3, IORING_REGISTER_FILES, [5, -1], 2",
    ),
    (
        "io_uring_register",
        (3, 1 << 31 | 6, struct.pack("<4I", 5, 0, 0, 0), 1),
        f"3, IORING_REGISTER_FILES_UPDATE, {POINTER + 0x200:#x}, 1",
    ),
    ("io_uring_register", (3, 99, None, 0), "3, 99, NULL, 0"),
    ("io_submit", (POINTER, 1, POINTER), f"{POINTER:#x}, 1, {POINTER:#x}"),
    ("pidfd_getfd", (5, 3, 0), "5, 3, 0"),
]


@pytest.mark.parametrize(("arguments", "text"), CASES, ids=[text for _, text in CASES])
def test_a_new_socket_is_shown_by_names(arguments: tuple[Given, ...], text: str) -> None:
    assert text_of(call("client", "socket", *arguments, result=3)) == text


@pytest.mark.parametrize(
    ("name", "arguments", "text"), OTHERS, ids=[f"{name}({text})" for name, _, text in OTHERS]
)
def test_a_call_is_shown_as_strace_shows_it(
    name: str, arguments: tuple[Given, ...], text: str
) -> None:
    assert text_of(call("client", name, *arguments, result=1)) == f"{name}({text})"


def test_every_call_of_the_table_has_its_case() -> None:
    assert {name for name, _, _ in OTHERS} | {"socket"} == set(CALLS)


def test_arguments_have_the_names_of_the_man_page() -> None:
    names = [each.name for each in decode_arguments(call("client", "accept4", 3, 0, 0, 0))]
    assert names == ["sockfd", "addr", "addrlen", "flags"]


def test_a_call_that_is_not_in_the_table_is_shown_by_its_numbers() -> None:
    assert text_of(call("client", "vmsplice", 3, -1)) == "vmsplice(3, -1)"


def test_bytes_of_which_only_the_first_were_read_end_in_dots() -> None:
    cut = Memory(1, "", False, b"Hello", 5000)
    each = call("client", "write", 3, POINTER, 5000, result=5000, memory=(cut,))
    assert text_of(each) == "write(3, 'Hello'..., 5000)"


def test_descriptors_of_which_only_the_first_were_read_end_in_dots() -> None:
    cut = Memory(0, "", True, pollfd(3, 1), 80)
    each = call("client", "poll", POINTER, 10, 0, memory=(cut,))
    assert text_of(each) == "poll([{fd=3, events=POLLIN}, ...], 10, 0)"


def test_an_address_that_was_cut_short_shows_its_whole_length() -> None:
    cut = Memory(1, "", True, address_un("/" + "x" * 107)[:100], 110)
    assert text_of(call("s", "accept", 3, POINTER, POINTER, memory=(cut,))).endswith("[110])")


@given(any_call())
def test_any_numbers_and_bytes_give_one_line_of_text(each: Syscall) -> None:
    decoded = decode_arguments(each)
    assert all(argument.text and argument.text.isprintable() for argument in decoded)
    assert len(decoded) == len(each.arguments) - (each.name == "fcntl" and len(decoded) == 2)


def on_machine(machine: str, each: Syscall) -> str:
    return ", ".join(argument.text for argument in decode_arguments(each, machine))


@pytest.mark.parametrize(("machine", "layout"), [("x86_64", "<IQI"), ("aarch64", "<I4xQ")])
def test_an_event_is_read_as_the_machine_has_it(machine: str, layout: str) -> None:
    fields = (1, 3, 9)[: 3 - ("x" in layout)]
    each = call("client", "epoll_ctl", 4, 1, 3, struct.pack(layout, *fields))
    assert on_machine(machine, each) == "4, EPOLL_CTL_ADD, 3, {EPOLLIN, data=3}"


@pytest.mark.parametrize("name", ["recvfrom", "recvmsg", "read", "readv", "epoll_wait"])
def test_what_came_is_empty_where_nothing_came_and_nothing_was_read(name: str) -> None:
    count = len(CALLS[name].arguments)
    texts = {}
    for result in (0, -11, None):
        each = call("client", name, 3, POINTER, 16, *[0] * (count - 3), result=result)
        texts[result] = decode_arguments(replace(each, arguments=each.arguments[:count]))[1].text
    empty = {"recvmsg": "{''}", "readv": "['']", "epoll_wait": "[]"}.get(name, "''")
    assert texts == {0: empty, -11: hex(POINTER), None: hex(POINTER)}


def test_a_null_buffer_is_shown_as_one() -> None:
    assert text_of(call("client", "read", 3, None, 0, result=0)) == "read(3, NULL, 0)"


@pytest.mark.parametrize(
    ("operation", "result", "text"),
    [
        (3, 0o4002, "O_RDWR|O_NONBLOCK"),
        (3, 1, "O_WRONLY"),
        (3, 0o4000, "O_RDONLY|O_NONBLOCK"),
        (3, 0, "O_RDONLY"),
        (3, None, ""),
        (1, 1, ""),
    ],
)
def test_flags_that_are_returned_are_shown_by_names(
    operation: int, result: int | None, text: str
) -> None:
    assert result_flags(call("client", "fcntl", 3, operation, 0, result=result)) == text
