"""What programs say over lo is captured and judged, and what never left their host is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import ASK, CONVERSE, DONE, AdHocRun, python

pytestmark = pytest.mark.kernel

SERVE = """
import socket, threading
listener = socket.create_server(("{loopback}", 5000), family=socket.AF_INET{six})
def serve():
    peer, _ = listener.accept()
    with peer:
        while data := peer.recv(100):
            peer.sendall(data.upper())
thread = threading.Thread(target=serve)
thread.start()
"""
TALK = """
s = socket.create_connection(("{loopback}", 5000))
s.sendall(b"own")
s.shutdown(socket.SHUT_WR)
print(s.recv(100), s.recv(100))
s.close()
thread.join()
taker, giver = (socket.socket(socket.AF_INET{six}, socket.SOCK_DGRAM) for _ in range(2))
taker.bind(("{loopback}", 0))
giver.sendto(b"datagram", taker.getsockname())
print(taker.recv(100))
"""
JUDGED = (
    "ad-hoc-opens",
    "ad-hoc-no-early-payload",
    "ad-hoc-connect",
    "ad-hoc-accept",
    "ad-hoc-stream-bytes",
    "ad-hoc-closes",
    "ad-hoc-udp-begins",
    "ad-hoc-datagram-bytes",
)


@pytest.mark.parametrize("trace", ["auto", "ptrace"])
@pytest.mark.parametrize("family", ["4", "6"])
def test_connections_and_datagrams_within_a_host_are_judged(
    ad_hoc: Callable[..., AdHocRun], family: str, trace: str
) -> None:
    six = "6" if family == "6" else ""
    own = (SERVE + TALK).replace("{six}", six)
    server = CONVERSE.replace("{port}))", f"{{port}}), family=socket.AF_INET{six})")
    run = ad_hoc(python(server), python(own + ASK), "--family", family, trace=trace)
    assert run.done.returncode == DONE, run.done.stdout
    assert run.wrote["client"] == "b'OWN' b''\nb'datagram'\nb'HELLO' b''\n"
    assert {name: run.verdicts[name] for name in JUDGED} == dict.fromkeys(JUDGED, "HOLDS")
    assert run.verdicts["ad-hoc-checksums"] == "HOLDS"
    assert [flow["id"] for flow in run.report["flows"]] == ["tcp 0", "udp 0", "tcp 1"]
    assert "on lo, where no card computes them" in " ".join(run.done.stdout.split())


@pytest.mark.usefixtures("needs_ptrace")
def test_a_socket_connected_to_itself_is_one_end_and_its_bytes_are_counted(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    code = """
import socket
s = socket.socket()
s.bind(("{client}", 5001))
s.connect(("{client}", 5001))
s.sendall(b"me")
print(s.recv(100))
"""
    run = ad_hoc(python(CONVERSE), python(code + ASK), trace="auto")
    assert run.done.returncode == DONE, run.done.stdout
    said = " ".join(run.done.stdout.split())
    assert "tcp 0 is of one socket, which has connected to itself" in said
    assert "client → client (tcp 0): 1 send → 1 segment → 1 read" in said
    assert "2 bytes sent = 2 on the wire = 2 read" in said
    assert run.verdicts["ad-hoc-opens"] == "HOLDS"  # the other connection


@pytest.mark.usefixtures("needs_ptrace")
def test_what_was_sent_to_where_nobody_is_found_is_no_part_of_another_exchange(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    """ARP finds nobody: the datagram never leaves."""
    take = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", {port}))
print(s.recv(100))
"""
    give = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"first", ("{server}", {port}))
s.sendto(b"x", ("198.51.100.77", {port}))
"""
    run = ad_hoc(python(take), python(give), trace="auto")
    assert run.done.returncode == DONE, run.done.stdout
    said = " ".join(run.done.stdout.split())
    assert "client → server (udp 0): 1 send → 1 datagram → 1 read, 5 bytes sent = 5 on" in said
    assert "client → nowhere (no wire): 1 send → 0" in said
    assert run.verdicts["ad-hoc-datagram-bytes"] == "HOLDS"


@pytest.mark.usefixtures("needs_ptrace")
def test_bytes_that_a_reset_threw_away_are_no_loss(ad_hoc: Callable[..., AdHocRun]) -> None:
    close = """
import socket
listener = socket.create_server(("", {port}))
peer, _ = listener.accept()
peer.recv(1)
peer.close()
"""
    fill = """
import socket
s = socket.create_connection(("{server}", {port}))
s.setblocking(False)
try:
    while True:
        s.send(bytes(65536))
except OSError as error:
    print(error.errno)
"""
    run = ad_hoc(python(close), python(fill), trace="auto")
    assert run.verdicts["ad-hoc-stream-bytes"] == "HOLDS", run.done.stdout
