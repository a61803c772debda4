"""Sockets and pipes: what they are, their addresses and their peers."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest
from any_call import any_call
from hypothesis import given
from hypothesis import strategies as st
from shown import flow_id
from socket_story import (
    NOWHERE,
    SERVER,
    Story,
    connection,
    datagrams,
    flows_of,
    found_in,
    opening,
    refusal,
)
from traced import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_UNIX,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    address4,
    at_ns,
    pid_of,
    state,
    trace,
    two_numbers,
)

from lab.analysis.sockets.facts import gather_facts
from lab.analysis.sockets.flow_matching import match_flows
from lab.analysis.sockets.kernel_sockets import attribute_states
from lab.analysis.sockets.peers import match_peers
from lab.records import Syscall
from lab.syscalls.descriptors import follow


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ((AF_INET, SOCK_STREAM, 0), ("AF_INET", "SOCK_STREAM", "tcp")),
        ((AF_INET6, SOCK_STREAM | 0o2000000, 6), ("AF_INET6", "SOCK_STREAM", "tcp")),
        ((AF_INET, SOCK_DGRAM, 17), ("AF_INET", "SOCK_DGRAM", "udp")),
        ((AF_INET, SOCK_STREAM, 262), ("AF_INET", "SOCK_STREAM", "262")),
        ((AF_INET, SOCK_STREAM, 132), ("AF_INET", "SOCK_STREAM", "132")),
        ((AF_INET, SOCK_RAW, 253), ("AF_INET", "SOCK_RAW", "253")),
        ((AF_UNIX, SOCK_STREAM, 0), ("AF_UNIX", "SOCK_STREAM", "unix")),
        ((AF_NETLINK, SOCK_RAW, 0), ("AF_NETLINK", "SOCK_RAW", "0")),
        ((99, 14, 97), ("99", "14", "97")),
    ],
)
def test_a_socket_has_its_domain_type_and_protocol(
    arguments: tuple[int, int, int], kind: tuple[str, str, str]
) -> None:
    (found,) = Story().call("client", "socket", *arguments, result=3).endpoints().values()
    assert (found.domain, found.type, found.protocol) == kind
    assert (found.id, found.program, found.host) == ("s1", "client", "client")
    assert found.made_by == "client#1"


def test_a_pipes_ends_are_each_others_peers() -> None:
    found = Story().call("client", "pipe2", two_numbers(3, 4), 0).endpoints()
    assert [(e.domain, e.type, e.protocol, e.peer) for e in found.values()] == [
        ("pipe", "read", "pipe", "s2"),
        ("pipe", "write", "pipe", "s1"),
    ]


def test_a_socketpairs_ends_are_each_others_peers() -> None:
    story = Story().call("client", "socketpair", AF_UNIX, SOCK_DGRAM, 0, two_numbers(3, 4))
    assert [(e.type, e.peer) for e in story.endpoints().values()] == [
        ("SOCK_DGRAM", "s2"),
        ("SOCK_DGRAM", "s1"),
    ]


def test_addresses_follow_from_calls() -> None:
    found = (
        Story().listen().socket().connect().accept(place=address4("10.0.0.1", 40000)).endpoints()
    )
    listener, client, accepted = found.values()
    assert (listener.local, listener.remote, listener.listening) == ("10.0.0.2:80", "", True)
    assert (client.local, client.remote, client.listening) == ("", "10.0.0.2:80", False)
    assert (accepted.local, accepted.remote) == ("10.0.0.2:80", "10.0.0.1:40000")
    assert (accepted.listener, accepted.made_by) == ("s1", "server#4")
    assert (accepted.domain, accepted.type, accepted.protocol) == ("AF_INET", "SOCK_STREAM", "tcp")


def test_names_that_a_program_asks_for_are_shown() -> None:
    story = connection().call("client", "getsockname", 3, address4("10.0.0.1", 40000), NOWHERE)
    story.call("server", "getpeername", 4, address4("10.0.0.1", 40000), NOWHERE)
    found = story.endpoints()
    assert (found["s2"].local, found["s3"].remote) == ("10.0.0.1:40000", "10.0.0.1:40000")
    assert (found["s2"].peer, found["s3"].peer) == ("s3", "s2")


@pytest.mark.parametrize(
    ("result", "remote"),
    [(0, "10.0.0.2:80"), (-115, "10.0.0.2:80"), (-4, "10.0.0.2:80"), (-111, ""), (-101, "")],
)
def test_a_peers_address_is_reported_where_there_is_a_connection(result: int, remote: str) -> None:
    assert Story().socket().connect(result=result).endpoints()["s1"].remote == remote


def test_a_connection_that_the_kernel_tried_in_vain_is_none() -> None:
    begun = Story().socket().connect(result=-115)
    asked = begun.call("client", "getsockopt", 3, 1, 4, b"\x6f\0\0\0", NOWHERE)
    assert asked.endpoints()["s1"].remote == ""
    again = Story().socket().connect(result=-115).connect(result=-111)
    assert again.endpoints()["s1"].remote == ""


def test_a_connection_that_is_asked_for_again_stays() -> None:
    for result in (-114, -106):
        story = Story().socket().connect(result=-115).connect(result=result)
        story.call("client", "getsockopt", 3, 1, 4, b"\0\0\0\0", NOWHERE)
        assert story.endpoints()["s1"].remote == "10.0.0.2:80"


def test_a_datagram_socket_can_be_disconnected() -> None:
    story = Story().socket(type=SOCK_DGRAM).connect()
    assert story.endpoints()["s1"].remote == "10.0.0.2:80"
    story.call("client", "connect", 3, bytes(16), 16)
    assert story.endpoints()["s1"].remote == ""


def test_a_port_that_the_kernel_is_to_choose_is_no_address_yet() -> None:
    story = Story().socket().call("client", "bind", 3, address4("10.0.0.1", 0), 16)
    assert story.endpoints()["s1"].local == ""
    story.call("client", "getsockname", 3, address4("10.0.0.1", 5555), NOWHERE)
    assert story.endpoints()["s1"].local == "10.0.0.1:5555"


def test_a_bind_that_failed_gives_no_address() -> None:
    story = Story().socket().call("client", "bind", 3, SERVER, 16, result=-98)
    assert story.endpoints()["s1"].local == ""


FLOWS = flows_of(opening(52) + datagrams(60, "client:40007") + refusal(90, "client:40001"))


@given(st.lists(any_call(), max_size=12))
def test_any_calls_have_endpoints(calls: list[Syscall]) -> None:
    spread = [
        replace(
            each,
            entry_ns=at_ns(10 * n),
            exit_ns=None if each.exit_ns is None else at_ns(10 * n + 5),
        )
        for n, each in enumerate(calls)
    ]
    endpoints, _ = found_in(trace(*spread), FLOWS)
    ids = [endpoint.id for endpoint in endpoints]
    assert ids == [f"s{number}" for number in range(1, len(ids) + 1)]
    peers = {endpoint.id: endpoint.peer for endpoint in endpoints}
    assert all(peers[peer] == id for id, peer in peers.items() if peer)


def test_matchers_leave_what_they_are_given_as_it_was() -> None:
    places, client = (("10.0.0.1", 40000), ("10.0.0.2", 80)), pid_of("client")
    story = connection().add(state("sk 1", "SYN_SENT", *places, 51, old="CLOSE", tid=client))
    story.socket(result=5, type=SOCK_DGRAM).call("client", "sendto", 5, NOWHERE, 3, 0, SERVER, 16)
    whole, hosts = story.trace, {"client": "client", "server": "server"}
    followed, flows = follow(whole), flows_of(opening(52) + datagrams(200))
    facts = gather_facts(whole, followed)
    given = whole, followed, facts, flows, hosts
    before = deepcopy(given)
    for _ in range(2):
        attributed = attribute_states(whole, followed, facts)
        matched = match_flows(whole, followed, facts, flows, hosts)
        flow_of = {n: match.flow for n, match in matched.items() if match.flow is not None}
        peers = match_peers(whole, facts, flow_of)
        assert given == before
        assert attributed.owners == (1,)
        assert [str(each) for each in attributed.addresses[1]] == ["10.0.0.1:40000", "10.0.0.2:80"]
        assert flow_of == {1: flow_id("tcp 0"), 2: flow_id("tcp 0"), 3: flow_id("udp 0")}
        assert str(matched[3].local) == "10.0.0.1:40000"
        assert peers == {1: 2, 2: 1}
    with pytest.raises(AttributeError):
        setattr(facts[0], "local", "")  # noqa: B010
