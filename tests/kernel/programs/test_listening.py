"""Sockets that can be reached, by sock_diag and by /proc/net; processes that are left over."""

from __future__ import annotations

import inside_listening as inside
import pytest

from lab.kernel.programs.listening import BY_PROC
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.program import Listening

pytestmark = pytest.mark.kernel


def test_sockets_that_can_be_reached_are_found_and_no_others(sandbox: Sandbox) -> None:
    found = sandbox.call(inside.reachable_sockets)
    ports = sorted(each.port for each in found["sock_diag"] if each.port is not None)
    assert ports == [inside.LISTENING, inside.BOUND, inside.OVER_IPV6]
    names = sorted(each.name for each in found["sock_diag"] if each.name)
    assert names == [inside.PATH, inside.DATAGRAMS, inside.ABSTRACT]


def test_proc_says_the_same_as_sock_diag(sandbox: Sandbox) -> None:
    found = sandbox.call(inside.reachable_sockets)
    assert found["proc"] == found["sock_diag"]


@pytest.mark.parametrize(
    ("wanted", "appears"),
    [
        (Listening(), True),
        (Listening(inside.LISTENING), True),
        (Listening(inside.DEAF), False),
        (Listening(inside.LISTENING, inside.PATH), False),
    ],
)
def test_a_socket_has_appeared_if_it_was_not_there_before(
    sandbox: Sandbox, wanted: Listening, appears: bool
) -> None:
    assert sandbox.call(inside.appearances, wanted) == (False, appears, False)


def test_without_sock_diag_proc_is_asked_and_named(sandbox: Sandbox) -> None:
    assert sandbox.call(inside.without_sock_diag) == (True, BY_PROC)
