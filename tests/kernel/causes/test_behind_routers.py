"""Why a host or a group behind a router is not reached is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ad_hoc_run import python
from forked_wirelab import forked_wirelab

pytestmark = pytest.mark.kernel

JOINED = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
group = socket.inet_aton("239.1.2.3")
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + socket.inet_aton("{h3}"))
s.bind(("", {port}))
s.settimeout(5)
while s.recv(100) != b"that was all":
    pass
"""
SEND = """
import socket
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
c.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("{h1}"))
c.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, TTL)
c.sendto(b"hello", ("239.1.2.3", {port}))
c.sendto(b"that was all", ("{h3}", {port}))
"""
SERVE = """
import socket
listener = socket.create_server(("", {port}))
peer, _ = listener.accept()
peer.recv(1)
"""
CONNECT = """
import socket
for last in LAST:
    s = socket.socket()
    try:
        s.connect(("{h3}".rpartition(".")[0] + "." + last, {port}))
    except OSError as error:
        print(error.errno)
"""


def causes_over_a_router(folder: Path, serves: str, asks: str) -> dict[str, str]:
    """The causes of two programs, on h3 and h1, between which h2 is a router."""
    words = ("--on", "h3", python(serves), "--on", "h1", python(asks))
    run = forked_wirelab("run", "--topology", "chain:3", *words, "--out", folder, "--json")
    return {cause["name"]: cause["text"] for cause in json.loads(run.stdout)["causes"]}


@pytest.mark.parametrize(("ttl", "is_met"), [(1, True), (8, False)])
def test_a_group_whose_members_are_behind_a_router(tmp_path: Path, ttl: int, is_met: bool) -> None:
    """With a longer life it is lost as well, for no router here forwards groups."""
    found = causes_over_a_router(tmp_path, JOINED, SEND.replace("TTL)", f"{ttl})"))
    assert ("group-stays-near" in found) is is_met
    if is_met:
        assert "has a TTL of 1" in found["group-stays-near"]
        assert "h3, where h3 has joined the group, is behind a router" in found["group-stays-near"]


@pytest.mark.parametrize("is_met", [True, False])
def test_the_router_that_says_that_nobody_is_there(tmp_path: Path, is_met: bool) -> None:
    last = '("77", "{h3}".rpartition(".")[2])' if is_met else '("{h3}".rpartition(".")[2],)'
    found = causes_over_a_router(tmp_path, SERVE, CONNECT.replace("LAST", last))
    assert ("unreachable-by-icmp" in found) is is_met
    if is_met:
        assert "fails with EHOSTUNREACH by the ICMP error" in found["unreachable-by-icmp"]
        assert "Nobody had answered h2" in found["unreachable-by-icmp"]
