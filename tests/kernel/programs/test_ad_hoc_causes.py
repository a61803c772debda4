"""Why a conversation went as it did is said where it shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import DONE, AdHocRun, python

pytestmark = pytest.mark.kernel

SERVE = """
import socket
s = socket.create_server(("", {port}))
c, _ = s.accept()
"""
ANSWER_WHOLE = (
    SERVE
    + """
c.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
while True:
    got = c.recv(8)
    while 0 < len(got) < 8:
        got += c.recv(8 - len(got))
    if not got:
        break
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    c.sendall(b"ok")
"""
)
SEND_HALVES = """
import socket
c = socket.create_connection(("{server}", {port}))
for _ in range(5):
    c.send(b"head")
    c.send(b"body")
    c.recv(10)
"""
LEAVE_UNREAD = SERVE + 'c.recv(4); c.sendall(b"x"); c.close()'
SEND_TEN = """
import socket
c = socket.create_connection(("{server}", {port}))
c.sendall(b"0123456789")
c.recv(1)
try:
    c.recv(1)
except ConnectionResetError:
    print("reset")
"""
CLOSE_LATE = (
    SERVE
    + """
import select, struct
c.recv(1)
def quiet_ms():
    return struct.unpack_from("=I", c.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 56)[0]
while quiet_ms() < 200:
    select.select([], [], [], 0.01)
c.close()
"""
)
"""The kernel says how long the FIN has been there: tcp(7), TCP_INFO, tcpi_last_ack_recv."""
CLOSE = """
import socket
socket.create_connection(("{server}", {port})).close()
"""
BIND_AGAIN = """
import socket
s = socket.socket(); s.bind(("", {port})); s.listen()
c, _ = s.accept()
c.shutdown(socket.SHUT_WR); c.recv(1); c.close(); s.close()
print(socket.socket().connect_ex(("127.0.0.1", 1)) > 0)
try:
    socket.socket().bind(("", {port}))
except OSError as error:
    print(error.errno)
"""
CLOSE_SECOND = """
import socket
c = socket.create_connection(("{server}", {port}))
c.recv(1)
c.close()
"""


@pytest.mark.parametrize(
    ("server", "client", "text"),
    [
        (ANSWER_WHOLE, SEND_HALVES, "By Nagle's algorithm a short segment leaves only when"),
        (LEAVE_UNREAD, SEND_TEN, "threw away 6 bytes of 10 that had come and were never read"),
        (CLOSE_LATE, CLOSE, "server stays in CLOSE-WAIT from here on for"),
        (BIND_AGAIN, CLOSE_SECOND, "tcp 0 is in its way: this side of that connection is in TIME"),
    ],
    ids=["nagle", "unread", "close-wait", "time-wait"],
)
def test_why_is_said_beside_what_shows_it(
    ad_hoc: Callable[..., AdHocRun], server: str, client: str, text: str
) -> None:
    run = ad_hoc(python(server), python(client), "--verbose", trace="auto")
    assert run.done.returncode == DONE, run.done.stdout
    assert text in " ".join(run.done.stdout.replace("│", " ").split()), run.done.stdout
