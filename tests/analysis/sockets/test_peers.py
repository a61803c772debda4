"""The two ends of a connection."""

from __future__ import annotations

from socket_story import NOWHERE, Story
from traced import AF_UNIX, SOCK_STREAM, address4, address_un


def unix(story: Story, program: str, descriptor: int, path: str) -> Story:
    story.call(program, "socket", AF_UNIX, SOCK_STREAM, 0, result=descriptor)
    place = address_un(path)
    return story.call(program, "connect", descriptor, place, len(place))


def test_unix_connections_are_accepted_in_order() -> None:
    story = Story().listen(address_un("/run/x"), AF_UNIX)
    unix(unix(story, "client", 3, "/run/x"), "second", 3, "/run/x").accept(4).accept(5)
    found = story.endpoints()
    assert (found["s1"].local, found["s2"].remote) == ("/run/x", "/run/x")
    assert (found["s4"].local, found["s4"].remote, found["s4"].domain) == ("/run/x", "", "AF_UNIX")
    assert [found[id].peer for id in ("s1", "s2", "s3", "s4", "s5")] == ["", "s4", "s5", "s2", "s3"]


def test_a_name_that_is_bound_again_is_the_later_sockets() -> None:
    story = Story().listen(address_un("@x"), AF_UNIX)
    story.call("server", "close", 3).listen(address_un("@x"), AF_UNIX)
    found = unix(story, "client", 3, "@x").accept(4).endpoints()
    assert (found["s4"].listener, found["s4"].peer) == ("s2", "s3")


def test_a_unix_connection_that_was_refused_or_not_accepted_has_no_peer() -> None:
    story = Story().listen(address_un("/run/x"), AF_UNIX)
    story.call("client", "socket", AF_UNIX, SOCK_STREAM, 0, result=3)
    story.call("client", "connect", 3, address_un("/run/x"), 9, result=-111)
    found = unix(story, "second", 3, "/run/y").accept(4).endpoints()
    assert [e.peer for e in found.values()] == [""] * 4


def test_without_paths_the_only_listening_socket_is_the_one() -> None:
    story = Story().call("server", "socket", AF_UNIX, SOCK_STREAM, 0, result=3)
    story.call("server", "listen", 3, 5)
    story.call("client", "socket", AF_UNIX, SOCK_STREAM, 0, result=3)
    found = story.call("client", "connect", 3, NOWHERE, 9).accept(4).endpoints()
    assert (found["s2"].peer, found["s3"].peer) == ("s3", "s2")


def test_two_ends_in_one_host_are_peers_without_a_wire() -> None:
    story = Story()
    here = address4("127.0.0.1", 80)
    story.listen(here).socket().call("client", "connect", 3, here, 16)
    story.accept(4, address4("127.0.0.1", 5555))
    story.call("client", "getsockname", 3, address4("127.0.0.1", 5555), NOWHERE)
    found = story.endpoints()
    assert (found["s2"].peer, found["s3"].peer, found["s2"].flow) == ("s3", "s2", "")
