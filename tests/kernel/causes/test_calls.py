"""Why calls failed is said, of programs that a kernel refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import AdHocRun, python, typed

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
FOUR = START + "s = socket.socket(socket.AF_INET, tcp)\n"
DATAGRAM = START + "s = socket.socket(socket.AF_INET, udp)\n"
RANGE = "client:net.ipv4.ip_local_port_range=40000 40001"
PING = "socket.socket(socket.AF_INET, udp, socket.IPPROTO_ICMP)"


@pytest.mark.parametrize(
    ("client", "options", "name", "text"),
    [
        (
            DATAGRAM + 's.sendto(b"x", ("198.51.100.77", 80)); s.settimeout(4); trying(s.recv, 9)',
            [],
            "no-neighbour",
            "succeeds, and its datagram never leaves client",
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
            START + f"trying(lambda: {PING})",
            [],
            "ping-needs-group",
            "a datagram socket of IPPROTO_ICMP is for groups in net.ipv4.ping_group_range",
        ),
        (DATAGRAM + "trying(s.listen)", [], "no-connections", "the socket is a SOCK_DGRAM"),
    ],
    ids=["silent", "big", "ping", "listen"],
)
def test_a_cause_is_named(
    ad_hoc: Callable[..., AdHocRun], client: str, options: list[str], name: str, text: str
) -> None:
    run = ad_hoc(IDLE, python(client), "--no-wait", *options, trace="auto")
    found = run.causes
    assert list(found) == [name]
    assert text in found[name]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no-route", "It is in 198.51.100."),
        (
            "no-neighbour",
            "fails with EHOSTUNREACH: nobody on the link answers who has 198.51.100.77",
        ),
        ("scope-missing", "sin6_scope_id names no interface"),
        ("bound-to-loopback", "from which nothing reaches another host"),
        (
            "datagram-too-long",
            "it is to send 65508 bytes, and a datagram of IPv4 has 65507 at most",
        ),
        ("no-port-left", "is 40000 to 40001, and client uses 2 ports of that"),
        ("group-without-interface", "names no interface for that"),
    ],
)
def test_the_cause_of_an_experiment_is_named(
    ad_hoc: Callable[..., AdHocRun], name: str, text: str
) -> None:
    run = ad_hoc(*typed(name), trace="auto")
    found = run.causes
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
    found = run.causes
    assert "no port left for one more connection to 198.51.100.2:4242" in found["no-port-left"]


LISTEN = START + 'l = socket.create_server(("", {port}))\n'
UNTIL = (
    "import os, select\nwhile not os.path.exists('/tmp/word'): select.select([], [], [], 0.01)\n"
)
"""Waits for the other program's word, in the /tmp that the two have for themselves."""
TELL = "\nopen('/tmp/word', 'w').close()\n"
SERVE_LATE = LISTEN + "c, _ = l.accept()\n" + UNTIL + "trying(c.sendall, b'late')"
CONNECTED = FOUR + 's.connect(("{server}", {port})); s.setblocking(False)\n'


@pytest.mark.parametrize("name", ["connect-in-progress", "nothing-yet", "nobody-yet"])
def test_a_call_that_is_not_to_wait_is_no_failure(
    ad_hoc: Callable[..., AdHocRun], name: str
) -> None:
    run = ad_hoc(*typed(name), trace="auto")
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
