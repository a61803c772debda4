"""Sockets with their timers, as they are now."""

from __future__ import annotations

import socket

import pytest

from lab.kernel.stepping.sockets_now import SAME_NS, differ, sockets_now
from lab.records import SocketNow

ONE = SocketNow(
    "client", "tcp", "SYN_SENT", "192.0.2.1", 5, "192.0.2.2", 80, 0, 1,
    "retransmission", 10**18, 0, 1_000_000, 7,
)  # fmt: skip


def test_a_timer_that_runs_is_no_change_and_one_that_was_set_again_is() -> None:
    assert not differ((ONE,), (ONE._replace(due_ns=ONE.due_ns + SAME_NS),))
    assert differ((ONE,), (ONE._replace(due_ns=ONE.due_ns + SAME_NS + 1),))
    assert differ((ONE,), (ONE._replace(state="ESTABLISHED"),))
    assert differ((ONE,), ()) and not differ((), ())


@pytest.mark.kernel
def test_a_listening_socket_and_a_connection_are_seen_without_a_timer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            found = [each for each in sockets_now([_Here()]) if each.local_port == port]  # type: ignore[list-item]
    assert {each.state for each in found} >= {"LISTEN", "ESTABLISHED"}
    assert {(each.host, each.timer, each.due_ns) for each in found} == {("here", "", 0)}


class _Here:
    """The namespace that the test is in."""

    name = "here"

    def entered(self) -> _Here:
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass
