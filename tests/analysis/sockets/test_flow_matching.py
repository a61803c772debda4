"""Sockets and their flows."""

from __future__ import annotations

import pytest
from socket_story import NOWHERE, SERVER, Story, datagrams, opening, refusal
from traced import AF_INET, AF_INET6, SOCK_DGRAM, SOCK_STREAM, address4, address6


@pytest.mark.parametrize("knows_client", [True, False])
@pytest.mark.parametrize("knows_peer", [True, False])
def test_a_connection_is_joined_with_its_flow(knows_client: bool, knows_peer: bool) -> None:
    story = Story().listen().socket().connect(at=(50, 60))
    story.accept(place=address4("10.0.0.1", 40000) if knows_peer else None)
    if knows_client:
        story.call("client", "getsockname", 3, address4("10.0.0.1", 40000), NOWHERE)
    found = story.endpoints(opening(52))
    assert [e.flow for e in found.values()] == ["", "tcp 0", "tcp 0"]
    assert [e.peer for e in found.values()] == ["", "s3", "s2"]
    assert (found["s2"].local, found["s2"].remote) == ("10.0.0.1:40000", "10.0.0.2:80")
    assert (found["s3"].local, found["s3"].remote) == ("10.0.0.2:80", "10.0.0.1:40000")


@pytest.mark.parametrize("bound", [address4("0.0.0.0", 80), address6("::", 80)])
def test_a_server_of_any_address_accepts_at_the_one_that_was_asked(bound: bytes) -> None:
    story = Story().listen(bound, AF_INET if len(bound) == 16 else AF_INET6)
    found = story.socket().connect(at=(50, 60)).accept().endpoints(opening(52))
    assert (found["s3"].local, found["s3"].flow) == ("10.0.0.2:80", "tcp 0")
    assert found["s1"].flow == ""


def test_a_refused_connection_has_its_flow_and_no_peer() -> None:
    found = Story().socket().connect(at=(50, 60), result=-111).endpoints(refusal(52))
    assert (found["s1"].flow, found["s1"].remote, found["s1"].peer) == ("tcp 0", "", "")
    assert found["s1"].local == "10.0.0.1:40000"


def test_connections_are_accepted_in_the_order_of_their_handshakes() -> None:
    story = Story().listen().socket().socket(result=4)
    story.connect(at=(60, 70)).connect(descriptor=4, at=(80, 90)).accept(7).accept(8)
    found = story.endpoints(opening(62, "client:40002") + opening(82, "client:40001"))
    assert [(e.local, e.flow) for e in (found["s2"], found["s3"])] == [
        ("10.0.0.1:40002", "tcp 0"),
        ("10.0.0.1:40001", "tcp 1"),
    ]
    assert [(e.remote, e.peer) for e in (found["s4"], found["s5"])] == [
        ("10.0.0.1:40002", "s2"),
        ("10.0.0.1:40001", "s3"),
    ]


def test_a_handshake_that_ended_after_accept_returned_is_not_what_it_picked_up() -> None:
    story = Story().listen().accept(at=(40, 60))
    assert story.endpoints(opening(70))["s2"].flow == ""
    assert story.endpoints(opening(50))["s2"].flow == "tcp 0"


def test_a_handshake_without_its_end_is_not_accepted() -> None:
    story = Story().listen().accept(at=(40, 60))
    assert story.endpoints("\n".join(opening(50).splitlines()[:3]))["s2"].flow == ""


def test_a_flow_that_began_before_connect_was_called_is_another_ones() -> None:
    story = Story().socket().connect(at=(50, 60))
    assert story.endpoints(opening(40))["s1"].flow == ""
    found = story.endpoints(opening(40, "client:40001") + opening(52))
    assert found["s1"].flow == "tcp 1"


def test_a_flow_that_left_another_host_is_another_ones() -> None:
    story = Story().socket().connect(at=(50, 60))
    assert story.endpoints(opening(52, "other"))["s1"].flow == ""


def test_a_port_that_is_used_again_gives_each_socket_its_own_flow() -> None:
    story = Story()
    for _ in range(2):
        story.socket().call("client", "bind", 3, address4("10.0.0.1", 40000), 16)
        story.connect().call("client", "close", 3)
    wire = opening(31) + "32 client > server RST,ACK seq=101 ack=901\n" + opening(71, seq=7000)
    assert [e.flow for e in story.endpoints(wire).values()] == ["tcp 0", "tcp 1"]


def test_mptcp_goes_over_the_wire_as_tcp() -> None:
    story = Story().call("client", "socket", AF_INET, SOCK_STREAM, 262, result=3)
    found = story.connect(at=(50, 60)).endpoints(opening(52))
    assert (found["s1"].protocol, found["s1"].flow) == ("262", "tcp 0")


def test_a_thousand_connections_keep_apart() -> None:
    story = Story().listen()
    wire: list[str] = []
    for number in range(1000):
        at = 100 + 100 * number
        port = 10000 + number
        story.call("client", "socket", AF_INET, SOCK_STREAM, 0, result=3, at=(at, at + 1))
        story.connect(at=(at + 10, at + 20)).accept(4, at=(at + 5, at + 30))
        story.call("server", "close", 4, at=(at + 40, at + 41))
        story.call("client", "close", 3, at=(at + 42, at + 43))
        wire.append(opening(at + 12, f"client:{port}"))
    endpoints = list(story.endpoints("\n".join(wire)).values())[1:]
    assert [e.flow for e in endpoints if e.program == "client"] == [f"tcp {n}" for n in range(1000)]
    assert [e.flow for e in endpoints if e.program == "server"] == [f"tcp {n}" for n in range(1000)]
    assert all(e.peer for e in endpoints)


def udp_server(bound: bytes = SERVER) -> Story:
    story = Story().call("server", "socket", AF_INET, SOCK_DGRAM, 0, result=3)
    return story.call("server", "bind", 3, bound, 16)


def send_to(story: Story, descriptor: int, at: int, place: bytes | None = SERVER) -> Story:
    size = 16 if place else 0
    return story.call(
        "client", "sendto", descriptor, b"ask", 3, 0, place, size, result=3, at=(at, at + 5)
    )


@pytest.mark.parametrize("bound", [SERVER, address4("0.0.0.0", 80)])
def test_datagrams_show_where_they_were_sent_from(bound: bytes) -> None:
    story = send_to(udp_server(bound).socket(type=SOCK_DGRAM), 3, 40)
    server, client = story.endpoints(datagrams(42)).values()
    assert (client.local, client.remote, client.flow) == ("10.0.0.1:40000", "", "udp 0")
    assert (server.flow, server.peer, client.peer) == ("udp 0", "s2", "s1")


def test_a_connected_datagram_socket_needs_no_destination() -> None:
    story = udp_server().socket(type=SOCK_DGRAM).connect()
    found = send_to(story, 3, 50, None).endpoints(datagrams(52))
    assert (found["s2"].local, found["s2"].remote) == ("10.0.0.1:40000", "10.0.0.2:80")
    assert (found["s2"].flow, found["s2"].peer) == ("udp 0", "s1")


def test_sockets_that_send_to_the_same_place_have_a_flow_each() -> None:
    story = udp_server().socket(type=SOCK_DGRAM).socket(result=4, type=SOCK_DGRAM)
    send_to(send_to(story, 4, 50), 3, 60)
    found = story.endpoints(datagrams(52, "client:40001") + datagrams(62, "client:40002"))
    assert (found["s3"].local, found["s3"].flow) == ("10.0.0.1:40001", "udp 0")
    assert (found["s2"].local, found["s2"].flow) == ("10.0.0.1:40002", "udp 1")
    assert (found["s1"].flow, found["s1"].peer) == ("", "")


def test_a_send_that_failed_has_no_flow() -> None:
    story = Story().socket(type=SOCK_DGRAM)
    story.call("client", "sendto", 3, b"ask", 3, 0, SERVER, 16, result=-101, at=(40, 45))
    assert story.endpoints(datagrams(42))["s1"].flow == ""
