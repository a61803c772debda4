"""Why datagrams came to nobody, or not whole, is said; of what is near to that it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import AdHocRun, python, typed

pytestmark = pytest.mark.kernel

BOUND = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", {port}))
s.settimeout(5)
"""
SENDER = """
import socket
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
c.settimeout(5)
"""
READ_ONE = BOUND + "print(s.recv(100))"
SEND_ONE = SENDER + 'c.sendto(b"hello world", ("{server}", {port}))'
ONE_MORE = '; c.sendto(b"", ("{server}", {port}))'
SEND_TO_THE_GROUP = """
c.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("{client}"))
c.sendto(b"hello", ("239.1.2.3", {port}))
c.sendto(b"that was all", ("{server}", {port}))
"""
UNTIL_THAT_WAS_ALL = """
while s.recv(5000) != b"that was all":
    pass
"""
JOIN = """
group = socket.inet_aton("239.1.2.3")
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + socket.inet_aton("{server}"))
"""
ANSWER_FROM_ELSEWHERE = (
    BOUND
    + """
_, peer = s.recvfrom(100)
t = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
t.sendto(b"answer", peer)
s.sendto(b"answer", peer)
"""
)
CONNECT_AND_ASK = (
    SENDER
    + """
c.connect(("{server}", {port}))
c.send(b"hello")
print(c.recv(100))
"""
)
READ_MANY = BOUND + "for _ in range(3): s.recv(2000)"
SEND_FEW = SENDER + 'for _ in range(3): c.sendto(b"x" * 1000, ("{server}", {port}))'
READ_IN_BITS = BOUND + "print(s.recv(4)); print(s.recv(4))"
SEND_TWO = SENDER + 'for _ in range(2): c.sendto(b"hello world", ("{server}", {port}))'
SEND_LONG = (
    SENDER
    + """
c.sendto(b"x" * 4000, ("{server}", {port}))
c.sendto(b"that was all", ("{server}", {port}))
"""
)


@pytest.mark.parametrize(
    ("server", "client", "name", "text"),
    [
        (
            READ_ONE,
            SEND_ONE.replace("{port}", "socket.htons({port})") + ONE_MORE,
            "datagram-nobody",
            "is bound to port 4242, which is htons(37392)",
        ),
        (
            READ_ONE.replace('""', '"127.0.0.1"').replace("settimeout(5)", "settimeout(0.5)"),
            SEND_ONE,
            "datagram-nobody",
            "server is bound to 127.0.0.1:4242",
        ),
        (
            ANSWER_FROM_ELSEWHERE,
            CONNECT_AND_ASK,
            "datagram-nobody",
            "that port is connected to 198.51.100.2:4242 (client#",
        ),
        (READ_IN_BITS, SEND_TWO, "message-cut", "has 11: the other 7 are thrown away"),
        (
            BOUND + UNTIL_THAT_WAS_ALL,
            SENDER + SEND_TO_THE_GROUP,
            "group-not-joined",
            "on port 4242 has not joined it",
        ),
        (
            BOUND + JOIN.replace("{server}", "127.0.0.1") + UNTIL_THAT_WAS_ALL,
            SENDER + SEND_TO_THE_GROUP,
            "group-not-joined",
            "on the interface that has 127.0.0.1, and not on the one by which it came",
        ),
    ],
    ids=["swapped", "loopback", "connected", "cut", "unjoined", "joined-lo"],
)
def test_a_cause_is_named(
    ad_hoc: Callable[..., AdHocRun],
    server: str,
    client: str,
    name: str,
    text: str,
) -> None:
    run = ad_hoc(python(server), python(client), trace="auto")
    found = run.causes
    assert list(found) == [name], "one doing has one cause"
    assert text in found[name]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("receive-buffer-full", "of 40 datagrams came"),
        ("group-by-loopback", "left by lo, as client#"),
        ("fragment-lost", "the one with bytes 0 to 1479 of 4008"),
    ],
)
def test_the_cause_of_an_experiment_is_named(
    ad_hoc: Callable[..., AdHocRun], name: str, text: str
) -> None:
    run = ad_hoc(*typed(name), trace="auto")
    found = run.causes
    assert list(found) == [name], "one doing has one cause"
    assert text in found[name]


@pytest.mark.parametrize(
    ("server", "client"),
    [
        (READ_ONE, SEND_ONE),
        (READ_MANY, SEND_FEW),
        (READ_ONE.replace("recv(100)", "recv(4, socket.MSG_TRUNC)"), SEND_ONE),
        (BOUND + JOIN + UNTIL_THAT_WAS_ALL, SENDER + SEND_TO_THE_GROUP),
        (BOUND + UNTIL_THAT_WAS_ALL, SEND_LONG),
        (BOUND + "d, peer = s.recvfrom(100); s.sendto(d, peer)", CONNECT_AND_ASK),
    ],
    ids=["plain", "few", "whole-length", "joined", "fragments", "connected"],
)
def test_what_goes_as_it_is_meant_has_no_cause(
    ad_hoc: Callable[..., AdHocRun], server: str, client: str
) -> None:
    run = ad_hoc(python(server), python(client), trace="auto")
    assert run.report["causes"] == []
