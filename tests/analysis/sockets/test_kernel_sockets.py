"""What the kernel tells of its sockets, joined with the programs'."""

from __future__ import annotations

from dataclasses import replace

import pytest
from socket_story import NOWHERE, Story, flows_of, found_in, opening, refusal
from traced import AF_INET, SOCK_STREAM, Given, kernel_event, pid_of, state

from lab.records import Obtained, RingUse, Trace

CLIENT_PLACE, SERVER_PLACE = ("10.0.0.1", 40000), ("10.0.0.2", 80)
NONE = ("0.0.0.0", 0)


def measured(at: int = 52, sk: str = "sk 1", accepted: str = "sk 2") -> list[object]:
    """The states of a connection as the kernel tells them, its client's connect() being at 50."""
    client = pid_of("client")
    unbound = ("10.0.0.1", 0)
    return [
        state(sk, "SYN_SENT", unbound, SERVER_PLACE, at, old="CLOSE", tid=client),
        state(accepted, "SYN_RECV", SERVER_PLACE, CLIENT_PLACE, at + 2, old="LISTEN", tid=client),
        state(
            accepted, "ESTABLISHED", SERVER_PLACE, CLIENT_PLACE, at + 3, old="SYN_RECV", tid=client
        ),
        state(sk, "ESTABLISHED", CLIENT_PLACE, SERVER_PLACE, at + 1, old="SYN_SENT", tid=0),
    ]


def without_memory(whole: Trace) -> Trace:
    return replace(whole, syscalls=tuple(replace(each, memory=()) for each in whole.syscalls))


@pytest.mark.parametrize("has_memory", [True, False])
@pytest.mark.parametrize("has_wire", [True, False])
def test_addresses_and_peers_follow_from_measured_states(has_memory: bool, has_wire: bool) -> None:
    story = Story().listen().socket().connect(at=(50, 60)).accept()
    story.add(
        state("sk 0", "LISTEN", SERVER_PLACE, NONE, 31, old="CLOSE", tid=pid_of("server")),
        *measured(),
    )
    whole = story.trace if has_memory else without_memory(story.trace)
    endpoints, owners = found_in(whole, flows_of(opening(52) if has_wire else ""))
    listener, client, accepted = endpoints
    assert listener.local == "10.0.0.2:80"
    assert (client.local, client.remote, client.peer) == ("10.0.0.1:40000", "10.0.0.2:80", "s3")
    assert (accepted.local, accepted.remote) == ("10.0.0.2:80", "10.0.0.1:40000")
    assert client.flow == accepted.flow == ("tcp 0" if has_wire else "")
    told = {each.socket: owner for each, owner in zip(whole.states, owners, strict=True)}
    assert told == {"sk 0": "s1", "sk 1": "s2", "sk 2": "s3"}


def test_a_kernels_address_that_comes_again_is_another_socket() -> None:
    story = Story().listen()
    for at in (100, 200):
        story.call("client", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(at, at + 1))
        story.connect(at=(at + 10, at + 20))
        story.add(*measured(at + 11))
        story.add(
            state("sk 1", "FIN_WAIT1", CLIENT_PLACE, SERVER_PLACE, at + 30, old="ESTABLISHED")
        )
        story.accept(at=(at + 22, at + 24), result=at)
    endpoints, owners = found_in(story.trace)
    told = [(each.socket, o) for each, o in zip(story.trace.states, owners, strict=True)]
    assert set(told[:5]) == {("sk 1", "s2"), ("sk 2", "s3")}
    assert set(told[5:]) == {("sk 1", "s4"), ("sk 2", "s5")}
    assert [endpoint.peer for endpoint in endpoints] == ["", "s3", "s2", "s5", "s4"]


@pytest.mark.parametrize(
    ("event", "name", "arguments"),
    [
        ("sock:sock_send_length", "sendto", (4, NOWHERE, 7, 0, None, 0)),
        ("sock:sock_recv_length", "read", (4, NOWHERE, 7)),
    ],
)
def test_lengths_that_the_kernel_gives_name_the_accepted_socket(
    event: str, name: str, arguments: tuple[Given, ...]
) -> None:
    story = Story().listen().accept(4).accept(5)
    server = pid_of("server")
    others = ("10.0.0.1", 40001)
    # The second connection was accepted first: only the event can tell.
    for sk, remote, at in (("sk 1", CLIENT_PLACE, 32), ("sk 2", others, 33)):
        story.add(state(sk, "SYN_RECV", SERVER_PLACE, remote, at, old="LISTEN"))
        story.add(state(sk, "ESTABLISHED", SERVER_PLACE, remote, at, old="SYN_RECV"))
    story.call("server", name, *arguments, result=7, at=(100, 110))
    story.add(kernel_event(event, 105, server, sk="sk 2", length=7))
    found, _ = found_in(without_memory(story.trace))
    assert [endpoint.remote for endpoint in found] == ["", "10.0.0.1:40001", "10.0.0.1:40000"]


def test_an_event_in_another_call_or_of_another_thread_names_nothing() -> None:
    for tid, at in ((pid_of("client"), 105), (pid_of("server"), 115), (pid_of("server"), 95)):
        story = Story().listen().accept(4, at=(40, 45))
        story.add(state("sk 1", "SYN_RECV", SERVER_PLACE, CLIENT_PLACE, 60, old="LISTEN"))
        story.call("server", "read", 4, NOWHERE, 7, result=7, at=(100, 110))
        story.call("server", "close", 3, at=(114, 118))
        story.add(kernel_event("sock:sock_recv_length", at, tid, sk="sk 1", length=7))
        _, owners = found_in(without_memory(story.trace))
        assert owners == ("",)


@pytest.mark.parametrize(("name", "arguments"), [("close", (4,)), ("shutdown", (4, 1))])
@pytest.mark.parametrize("new", ["FIN_WAIT1", "LAST_ACK"])
def test_a_close_names_the_socket_that_it_closes(
    name: str, arguments: tuple[int, ...], new: str
) -> None:
    story = Story().listen().accept(4, at=(40, 45)).call("server", name, *arguments, at=(90, 99))
    server = pid_of("server")
    story.add(state("sk 1", new, SERVER_PLACE, CLIENT_PLACE, 95, old="ESTABLISHED", tid=server))
    endpoints, owners = found_in(without_memory(story.trace))
    assert owners == ("s2",)
    assert endpoints[1].local == "10.0.0.2:80"


def test_a_state_that_changes_while_any_thread_runs_names_nothing() -> None:
    story = Story().listen().accept(4, at=(40, 45)).call("server", "close", 4, at=(90, 99))
    server = pid_of("server")
    for new in ("CLOSE_WAIT", "CLOSE", "FIN_WAIT2"):
        story.add(state("sk 1", new, SERVER_PLACE, CLIENT_PLACE, 95, old="X", tid=server))
    _, owners = found_in(without_memory(story.trace))
    assert owners == ("", "", "")


def test_sampled_states_belong_to_the_socket_of_that_inode() -> None:
    story = Story().listen().socket().connect(at=(50, 60), socket="inode 7")
    story.accept(4, socket="inode 6").call("server", "close", 4, socket="inode 8")
    sampled = Obtained.SAMPLED
    story.add(
        state("inode 7", "ESTABLISHED", CLIENT_PLACE, SERVER_PLACE, 60, obtained=sampled),
        state("inode 8", "ESTABLISHED", SERVER_PLACE, CLIENT_PLACE, 72, obtained=sampled),
        state("inode 9", "CLOSE", NONE, NONE, 73, obtained=sampled),
    )
    endpoints, owners = found_in(without_memory(story.trace))
    assert owners == ("s2", "s3", "")
    assert [e.local for e in endpoints] == ["", "10.0.0.1:40000", "10.0.0.2:80"]
    assert [e.peer for e in endpoints] == ["", "s3", "s2"]


def test_a_refused_connection_is_not_connected_by_its_states() -> None:
    story = Story().socket().connect(at=(50, 60), result=-111)
    client = pid_of("client")
    story.add(
        state("sk 1", "SYN_SENT", ("10.0.0.1", 0), SERVER_PLACE, 52, old="CLOSE", tid=client),
        state("sk 1", "CLOSE", CLIENT_PLACE, SERVER_PLACE, 55, old="SYN_SENT", tid=client),
    )
    endpoints, owners = found_in(story.trace, flows_of(refusal(52)))
    assert owners == ("s1", "s1")
    assert (endpoints[0].local, endpoints[0].remote) == ("10.0.0.1:40000", "")
    assert endpoints[0].flow == "tcp 0"


def test_an_operation_in_a_ring_names_its_socket_and_its_thread_none() -> None:
    """Others of its thread may be at work at the same time."""
    client = pid_of("client")
    for use, owner in (
        (RingUse(1, "connect", socket="sk 1"), "s2"),
        (RingUse(1, "connect", socket="sk 5"), ""),
        (RingUse(1, "connect"), ""),
    ):
        story = Story().listen().socket()
        story.call("client", "connect", 3, NOWHERE, 16, at=(50, 60), ring=use)
        story.add(
            state("sk 1", "SYN_SENT", NONE, SERVER_PLACE, 55, old="CLOSE", tid=client),
        )
        _, owners = found_in(without_memory(story.trace))
        assert owners == (owner,)
