from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from lab.testing.rest import Rest

Ends = tuple[Rest, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    near, far = socket.socketpair()
    with near, far:
        far.settimeout(20)
        yield Rest(near.fileno()), far


def meanwhile(do: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=do)
    thread.start()
    return thread


def test_a_wait_ends_when_all_have_come_to_rest(ends: Ends) -> None:
    rest, lab = ends
    began = time.monotonic()
    thread = meanwhile(lambda: lab.sendall(lab.recv(100)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        assert rest.wait([silent], [], 60.0) == (False, False)
    thread.join()
    assert rest.was_reached
    assert time.monotonic() - began < 30


def test_what_comes_is_taken_and_the_question_taken_back(ends: Ends) -> None:
    rest, lab = ends
    one, other = socket.socketpair()

    def asked_then_sent() -> None:
        assert lab.recv(100) == b"1\n"
        other.sendall(b"x")

    with one, other:
        thread = meanwhile(asked_then_sent)
        assert rest.wait([one], [], 60.0) == (True, False)
        thread.join()
    assert not rest.was_reached
    assert lab.recv(100) == b"\n"


def test_an_answer_that_comes_too_late_is_to_no_other_question(ends: Ends) -> None:
    rest, lab = ends
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        assert rest.wait([silent], [], 0.1) == (False, False)
        assert not rest.was_reached
        assert lab.recv(100) == b"1\n\n"
        lab.sendall(b"1\n")
        assert rest.wait([silent], [], 0.1) == (False, False)
    assert not rest.was_reached
    assert lab.recv(100) == b"2\n\n"


def test_where_nobody_answers_time_ends_it() -> None:
    rest = Rest(None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        assert rest.wait([silent], [], 0.1) == (False, False)
        assert rest.wait([], [silent], 0.1) == (False, True)
    assert not rest.was_reached
