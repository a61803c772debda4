"""Why nobody was reached; and what is near to that."""

from __future__ import annotations

import pytest
import trace_edits as t
from failed_call import TCP, attempted, found, sockaddr

from lab.records import Recording

ENETUNREACH, EHOSTUNREACH = 101, 113


def connecting(address: str, port: int = 80, errno: int = ENETUNREACH) -> Recording:
    memory = sockaddr(address, port)
    domain = 2 if memory.length == 16 else 10
    return attempted("connect", errno, (90, 1, memory.length), memory, kind=(domain, 1, 0))


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("203.0.113.9", "It is in 198.51.100.0/24, and has no route beyond that."),
        ("239.1.2.3", "A socket may name the interface by IP_MULTICAST_IF"),
        ("2001:db9::9", "It is in 2001:db8::/64, and has no route beyond that."),
    ],
)
def test_a_host_without_a_route_is_named_with_its_networks(address: str, text: str) -> None:
    assert text in found(connecting(address))["no-route"].text


@pytest.mark.parametrize(
    "run",
    [connecting("198.51.100.77"), connecting("203.0.113.9", 0)],
    ids=["its own network", "a question of the C library's"],
)
def test_what_is_near_to_that_is_not_said_to_be_it(run: Recording) -> None:
    assert "no-route" not in found(run)


def test_who_tries_several_addresses_is_not_surprised() -> None:
    connect = t.call_of(TCP, "client", "connect")
    (port,) = (int.from_bytes(each.data[2:4], "big") for each in connect.memory)
    early = attempted(
        "connect", ENETUNREACH, memory=sockaddr("203.0.113.9", port), at_ns=connect.entry_ns - 20
    )
    assert "no-route" not in found(early)


def test_nobody_is_unreachable_who_was_never_asked_for() -> None:
    """The server answered who has its address; nobody asked for the other one."""
    assert "no-neighbour" not in found(connecting("198.51.100.77", errno=EHOSTUNREACH))
    assert "no-neighbour" not in found(connecting("198.51.100.2", errno=EHOSTUNREACH))
