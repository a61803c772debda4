"""Why calls failed is said, of programs that a kernel refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import AdHocRun, python

pytestmark = pytest.mark.kernel

START = """
import socket
def trying(call, *arguments):
    try:
        return call(*arguments)
    except OSError as error:
        print(error)
tcp, udp = socket.SOCK_STREAM, socket.SOCK_DGRAM
"""
IDLE = python("import os; os.write(1, b'idle')")
SIX = START + "s = socket.socket(socket.AF_INET6, tcp)\n"
FOUR = START + "s = socket.socket(socket.AF_INET, tcp)\n"
DATAGRAM = START + "s = socket.socket(socket.AF_INET, udp)\n"
RANGE = "client:net.ipv4.ip_local_port_range=40000 40001"
PING = "socket.socket(socket.AF_INET, udp, socket.IPPROTO_ICMP)"


@pytest.mark.parametrize(
    ("client", "options", "name", "text"),
    [
        (FOUR + 'trying(s.connect, ("203.0.113.9", 80))', [], "no-route", "It is in 198.51.100."),
        (
            FOUR + 'trying(s.connect, ("198.51.100.77", 80))',
            [],
            "no-neighbour",
            "fails with EHOSTUNREACH: nobody on the link answers who has 198.51.100.77",
        ),
        (
            DATAGRAM + 's.sendto(b"x", ("198.51.100.77", 80)); s.settimeout(4); trying(s.recv, 9)',
            [],
            "no-neighbour",
            "succeeds, and its datagram never leaves client",
        ),
        (
            SIX + 'trying(s.connect, ("fe80::1", 80))',
            ["--family", "6"],
            "scope-missing",
            "sin6_scope_id names no interface",
        ),
        (
            FOUR + 's.bind(("127.0.0.1", 0)); trying(s.connect, ("{server}", 80))',
            [],
            "bound-to-loopback",
            "from which nothing reaches another host",
        ),
        (
            DATAGRAM + 'trying(s.sendto, bytes(65508), ("{server}", 80))',
            [],
            "datagram-too-long",
            "it is to send 65508 bytes, and a datagram of IPv4 has 65507 at most",
        ),
        (
            DATAGRAM
            + "s.setsockopt(socket.IPPROTO_IP, 10, 2); "
            + 'trying(s.sendto, bytes(1473), ("{server}", 80))',
            [],
            "packet-too-big",
            "has 1501 bytes, the interface eth0 of client takes 1500",
        ),
        (
            START
            + "many = [socket.socket() for _ in range(3)]\n"
            + 'for s in many: trying(s.bind, ("", 0))',
            ["--sysctl", RANGE],
            "no-port-left",
            "is 40000 to 40001, and client uses 2 ports of that",
        ),
        (
            START + f"trying(lambda: {PING})",
            [],
            "ping-needs-group",
            "a datagram socket of IPPROTO_ICMP is for groups in net.ipv4.ping_group_range",
        ),
        (DATAGRAM + "trying(s.listen)", [], "no-connections", "the socket is a SOCK_DGRAM"),
        (
            DATAGRAM
            + 'group = socket.inet_aton("239.1.2.3") + bytes(4)\n'
            + "trying(s.setsockopt, socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)",
            [],
            "group-without-interface",
            "names no interface for that",
        ),
    ],
    ids=[
        *("route", "neighbour", "silent", "scope", "loopback", "long", "big"),
        *("ports", "ping", "listen", "group"),
    ],
)
def test_a_cause_is_named(
    ad_hoc: Callable[..., AdHocRun], client: str, options: list[str], name: str, text: str
) -> None:
    run = ad_hoc(IDLE, python(client), "--no-wait", *options, trace="auto")
    found = {cause["name"]: cause["text"] for cause in run.report["causes"]}
    assert list(found) == [name]
    assert text in found[name]


def test_ports_of_connections_are_used_up(ad_hoc: Callable[..., AdHocRun]) -> None:
    server = START + 'l = socket.create_server(("", {port})); many = [l.accept() for _ in "ab"]\n'
    client = START + (
        "many = [socket.socket() for _ in range(3)]\n"
        'for s in many: trying(s.connect, ("{server}", {port}))\n'
        "for s in many: s.close()"
    )
    run = ad_hoc(python(server), python(client), "--sysctl", RANGE, trace="auto")
    found = {cause["name"]: cause["text"] for cause in run.report["causes"]}
    assert "no port left for one more connection to 198.51.100.2:4242" in found["no-port-left"]


LISTEN = START + 'l = socket.create_server(("", {port}))\n'
UNTIL = (
    "import os, select\nwhile not os.path.exists('/tmp/word'): select.select([], [], [], 0.01)\n"
)
"""Waits for the other program's word, in the /tmp that the two have for themselves."""
TELL = "\nopen('/tmp/word', 'w').close()\n"
SERVE_LATE = LISTEN + "c, _ = l.accept()\n" + UNTIL + "trying(c.sendall, b'late')"
CONNECTED = FOUR + 's.connect(("{server}", {port})); s.setblocking(False)\n'


@pytest.mark.parametrize(
    ("server", "client", "name"),
    [
        (
            LISTEN + "l.accept()",
            FOUR + 's.setblocking(False); trying(s.connect, ("{server}", {port})); s.close()',
            "connect-in-progress",
        ),
        (SERVE_LATE, CONNECTED + "trying(s.recv, 10); s.close()" + TELL, "nothing-yet"),
        (
            LISTEN
            + "l.setblocking(False); trying(l.accept)"
            + TELL
            + "import time; time.sleep(60)",
            FOUR + UNTIL + 's.connect_ex(("{server}", {port}))',
            "nobody-yet",
        ),
    ],
    ids=["connect", "read", "accept"],
)
def test_a_call_that_is_not_to_wait_is_no_failure(
    ad_hoc: Callable[..., AdHocRun], server: str, client: str, name: str
) -> None:
    run = ad_hoc(python(server), python(client), trace="auto")
    assert name in {cause["name"] for cause in run.report["causes"]}


def test_ping_that_goes_on_with_a_raw_socket_has_no_cause(ad_hoc: Callable[..., AdHocRun]) -> None:
    raw = PING.replace("udp", "socket.SOCK_RAW")
    run = ad_hoc(IDLE, python(START + f"trying(lambda: {PING}); {raw}.close()"), trace="auto")
    assert run.report["causes"] == []


WAITS = "import select; select.select([], [s], []); assert not s.getsockopt(1, 4); s.close()"


@pytest.mark.parametrize(
    ("server", "client"),
    [
        (
            START + 'l = socket.create_server(("", {port})); c, _ = l.accept(); c.recv(10)',
            FOUR
            + 's.setblocking(False); s.connect_ex(("{server}", {port}))\n'
            + WAITS
            + "s.close()",
        ),
        (
            SERVE_LATE,
            CONNECTED
            + "trying(s.recv, 10)"
            + TELL
            + "import select; select.select([s], [], []); s.recv(10)",
        ),
    ],
    ids=["connect", "read"],
)
def test_who_waits_for_it_has_no_cause(
    ad_hoc: Callable[..., AdHocRun], server: str, client: str
) -> None:
    run = ad_hoc(python(server), python(client), trace="auto")
    assert run.report["causes"] == []
