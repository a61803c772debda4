"""Which calls are kept of a trace, and that those say the same alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from call_script import Script, kept
from hypothesis import given
from hypothesis import strategies as st
from traced import (
    Given,
    pid_of,
    pollfd,
    rights,
    two_numbers,
)

from lab.records import Trace
from lab.syscalls.descriptors import (
    EPOLL,
    SOCKET,
    _Follower,
    follow,
    relevant,
)
from lab.syscalls.table import CALLS, HIDING


def test_calls_on_files_are_dropped_and_those_on_sockets_kept() -> None:
    script = Script().read(3).call("close", 3).socket(3).read(3).read(4).call("close", 3)
    script.call("close", 3)
    assert kept(script) == [2, 3, 5]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("socket", (99, 1, 0)),
        ("accept", (3, 0, 0)),
        ("socketpair", (2, 1, 0, 0x1000)),
        ("pipe", (0,)),
        ("pipe2", (0, 0)),
        ("epoll_create1", (0,)),
    ],
)
def test_calls_that_should_have_made_something_are_kept(
    name: str, arguments: tuple[int, ...]
) -> None:
    for result in (-24, None):
        assert kept(Script().call(name, *arguments, result=result)) == [0]


@pytest.mark.parametrize("name", sorted(HIDING))
def test_calls_that_may_use_a_socket_unseen_are_kept(name: str) -> None:
    assert kept(Script().call(name, 3, 0, 0).read(3)) == [0]


def test_a_poll_is_kept_where_it_waits_for_something_known() -> None:
    script = Script().socket(3).call("poll", pollfd(3, 1), 1, -1, result=1)
    script.call("poll", pollfd(4, 1), 1, -1, result=1)
    assert kept(script) == [0, 1]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("poll", (0x1000, 1, 5)), ("ppoll", (0x1000, 1, 0, 0, 8)), ("select", (4, 0x1000, 0, 0, 0))],
)
def test_a_wait_for_unknown_descriptors_is_kept_once_any_is_known(
    name: str, arguments: tuple[int, ...]
) -> None:
    assert kept(Script().call(name, *arguments)) == []
    assert kept(Script().socket(3).call(name, *arguments)) == [0, 1]
    assert kept(Script().socket(3).call("close", 3).call(name, *arguments)) == [0, 1]


def test_a_poll_of_more_than_was_read_may_be_for_something_known() -> None:
    many = b"".join(pollfd(number, 1) for number in range(10, 40))
    assert kept(Script().socket(3).call("poll", many, 30, -1, result=1)) == [0, 1]
    assert kept(Script().call("poll", many, 30, -1, result=1)) == []


def test_tasks_and_everything_else_of_a_trace_are_kept() -> None:
    script = Script().task("start").read(3).task("exec").task("exit")
    whole = replace(script.trace, lost=3)
    assert relevant(whole) == replace(whole, syscalls=())


NAMES = sorted(CALLS)
NUMBERS = st.integers(0, 6)
MANY = ["pipe", "close", "dup2", "sendmsg", "recvmsg", "epoll_create1", "epoll_ctl"]


@st.composite
def scripts(draw: st.DrawFn) -> Trace:
    """Any calls of two processes with threads on a few descriptors."""
    script = Script().task("start")
    tasks = [(pid_of("p"), pid_of("p"))]
    for _ in range(draw(st.integers(0, 25))):
        pid, tid = draw(st.sampled_from(tasks))
        kind = draw(st.sampled_from(["call"] * 8 + ["fork", "thread", "exec"]))
        if kind in ("fork", "thread"):
            new = 1000 + len(tasks)
            tasks.append((new, new) if kind == "fork" else (pid, new))
            script.task(
                "start", pid=tasks[-1][0], tid=new, parent_tid=tid, shares_files=kind == "thread"
            )
        elif kind == "exec":
            script.task("exec", pid=pid, tid=tid)
        else:
            _draw_call(draw, script, pid, tid)
    return script.trace


def _draw_call(draw: st.DrawFn, script: Script, pid: int, tid: int) -> None:
    name = draw(st.sampled_from([*NAMES, "socket", *MANY]))
    arguments: list[Given] = [draw(NUMBERS) for _ in CALLS[name].arguments]
    if name in ("pipe", "pipe2"):
        arguments[0] = two_numbers(draw(NUMBERS), draw(NUMBERS))
    elif name == "socketpair":
        arguments[3] = two_numbers(draw(NUMBERS), draw(NUMBERS))
    elif name in ("sendmsg", "recvmsg"):
        arguments[1] = {"control": rights(*draw(st.lists(NUMBERS, max_size=3)))}
    elif name in ("poll", "ppoll"):
        arguments[0] = b"".join(pollfd(n, 1) for n in draw(st.lists(NUMBERS, max_size=3)))
    result = draw(st.sampled_from([-9, None, *range(7)]))
    socket = draw(st.sampled_from(["", "", "inode 1", "inode 2"]))
    script.call(name, *arguments, result=result, pid=pid, tid=tid, socket=socket)


@given(scripts())
def test_what_is_kept_says_the_same_as_the_whole(whole: Trace) -> None:
    pruned = relevant(whole)
    before, after = follow(whole), follow(pruned)
    places = [i for i, each in enumerate(whole.syscalls) if each in set(pruned.syscalls)]
    assert [whole.syscalls[place] for place in places] == list(pruned.syscalls)
    assert tuple(before.acts_on[place] for place in places) == after.acts_on
    assert tuple(before.made[place] for place in places) == after.made
    assert [opened.kind for opened in before.objects] == [opened.kind for opened in after.objects]
    assert relevant(pruned) == pruned


@given(scripts())
def test_only_what_is_not_known_is_dropped(whole: Trace) -> None:
    dropped = set(whole.syscalls) - set(relevant(whole).syscalls)
    found = follow(whole)
    for place, each in enumerate(whole.syscalls):
        if each in dropped:
            assert found.acts_on[place] is None
            assert found.made[place] == ()


def test_a_trace_is_walked_once_whatever_its_epoll_instances_watch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    walks = []
    run = _Follower.run

    def counted(follower: _Follower) -> None:
        walks.append(follower)
        run(follower)

    monkeypatch.setattr(_Follower, "run", counted)
    # 4 watches a socket; 6 watches 5, which watches nothing; 7 is closed at once.
    script = Script().socket(3).call("epoll_create1", 0, result=4).call("epoll_ctl", 4, 1, 3, 0)
    script.call("epoll_create1", 0, result=5).call("epoll_create1", 0, result=6)
    script.call("epoll_ctl", 6, 1, 5, 0).call("epoll_wait", 6, 0x1000, 9, -1)
    script.call("epoll_create1", 0, result=7).call("close", 7)
    assert kept(script) == [0, 1, 2]
    assert len(walks) == 1
    assert [opened.kind for opened in script.found.objects] == [SOCKET, EPOLL]
    assert len(walks) == 2


def test_an_idle_epoll_instance_hides_nothing_and_is_nothing_to_wait_for() -> None:
    script = Script().call("epoll_create1", 0, result=4).call("select", 5, 0x1000, 0, 0, 0)
    assert kept(script) == []
    # Its number was a socket's, whose close(2) is missing.
    assert kept(Script().socket(4).call("epoll_create1", 0, result=4).read(4)) == [0, 1]


def test_a_socket_that_the_kernel_names_is_not_the_epoll_instance_of_its_number() -> None:
    script = Script().socket(3).read(3, socket="inode 1").call("epoll_create1", 0, result=4)
    script.call("epoll_ctl", 4, 1, 3, 0).read(4, socket="inode 1")
    assert script.last() == 0
