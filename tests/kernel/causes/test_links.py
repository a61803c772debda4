"""Why nothing leaves is said where a program has set its interface down."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import AdHocRun, python

pytestmark = pytest.mark.kernel

IDLE = python("import os; os.write(1, b'idle')")
SETS = """
import socket, struct
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
def set_up(is_up):
    index = socket.if_nametoindex("eth0")
    body = struct.pack("=BxHiII", 0, 0, index, is_up, 1)
    netlink.send(struct.pack("=IHHII", 16 + len(body), 16, 5, 1, 0) + body)
    assert not struct.unpack_from("=i", netlink.recv(500), 16)[0]
def trying(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        print(error.errno)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
"""
SEND = 'trying(udp.sendto, b"x", ("{server}", 4242))\n'
PACKET = """
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(("eth0", 0))
"""


@pytest.mark.parametrize(
    ("client", "errno", "is_met"),
    [
        (SETS + "set_up(False)\n" + SEND + "set_up(True)\n", "101", True),
        (SETS + PACKET + "set_up(False)\ntrying(raw.send, bytes(60))\nset_up(True)\n", "100", True),
        (SETS + "set_up(False)\nset_up(True)\n" + SEND, "", False),
        (SETS + SEND.replace("{server}", "203.0.113.9"), "101", False),
    ],
    ids=["udp", "packet", "up-again", "no-route"],
)
def test_the_interface_that_is_down_is_named(
    ad_hoc: Callable[..., AdHocRun], client: str, errno: str, is_met: bool
) -> None:
    run = ad_hoc(IDLE, python(client), "--no-wait", "--cap", "net_admin", trace="auto")
    found = run.causes
    assert run.wrote["client"].strip() == errno
    assert ("interface-down" in found) is is_met
    if is_met:
        assert "eth0 of client is down, as client#" in found["interface-down"]
        assert "sets it up again" in found["interface-down"]


SERVE = """
import socket
listener = socket.create_server(("", {port}))
peer, _ = listener.accept()
while got := peer.recv(9):
    peer.sendall(got)
"""
CONNECTED = """
tcp = socket.create_connection(("{server}", {port}))
tcp.sendall(b"hello")
tcp.recv(9)
"""
ASK = "tcp.sendall(b'more')\n"


@pytest.mark.parametrize(
    ("between", "is_met"),
    [
        ("set_up(False)\n" + ASK + "set_up(True)\n", True),
        ("set_up(False)\nset_up(True)\n" + ASK, False),
    ],
    ids=["down", "up-again"],
)
def test_bytes_that_do_not_leave_while_it_is_down(
    ad_hoc: Callable[..., AdHocRun], between: str, is_met: bool
) -> None:
    client = python(SETS + CONNECTED + between + "tcp.recv(9)\n")
    run = ad_hoc(python(SERVE), client, "--cap", "net_admin", trace="auto")
    found = run.causes
    assert ("interface-down" in found) is is_met
    if is_met:
        assert "succeeds, and its 4 bytes left" in found["interface-down"]
