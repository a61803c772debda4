"""Why programs' conversations went as they did is said; of what is near to that it is not."""

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
READ_UNTIL_RESET = """
import socket
c = socket.create_connection(("{server}", {port}))
c.sendall(b"0123456789")
try:
    while c.recv(1):
        pass  # it ends when the RST has come, and not before
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
while quiet_ms() < 1100:
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
        (ANSWER_WHOLE, SEND_HALVES, "by Nagle's algorithm a short segment leaves only when"),
        (LEAVE_UNREAD, SEND_TEN, "threw away 6 bytes of 10 that had come and were never read"),
        (CLOSE_LATE, CLOSE, "server stays in CLOSE-WAIT for 1"),
        (BIND_AGAIN, CLOSE_SECOND, "Its side here is in TIME-WAIT, "),
    ],
    ids=["nagle", "unread", "close-wait", "time-wait"],
)
def test_why_it_went_so_is_said(
    ad_hoc: Callable[..., AdHocRun], server: str, client: str, text: str
) -> None:
    run = ad_hoc(python(server), python(client), "--verbose", trace="auto")
    assert run.done.returncode == DONE, run.done.stdout
    assert text in " ".join(run.done.stdout.replace("│", " ").split()), run.done.stdout


CONNECT = """
import socket
c = socket.socket()
try:
    c.connect(("{server}", {port}))
    print(c.recv(10))
except OSError as error:
    print(error)
"""
WAIT = """
l.settimeout(1)
try:
    l.accept()
except TimeoutError:
    pass
"""
ON_LOOPBACK = 'import socket; l = socket.create_server(("127.0.0.1", {port}))' + WAIT
SWAPPED = 'import socket; l = socket.create_server(("", socket.htons({port})))' + WAIT
CLOSE_QUEUE = """
import select, socket
l = socket.create_server(("", {port}))
select.select([l], [], [])
l.close()
"""
CLOSE_AT_ONCE = """
import select, socket
l = socket.create_server(("", {port}))
c, _ = l.accept()
c.close()
"""
SEND_LATE = """
import socket, select
c = socket.create_connection(("{server}", {port}))
c.recv(10)
try:
    while True:
        c.send(b"x")
        select.select([c], [], [], 1)
except OSError as error:
    print(error)
"""
BIND_TWICE = """
import socket
s = socket.create_server(("", {port}))
try:
    socket.socket().bind(("", {port}))
except OSError as error:
    print(error)
c, _ = s.accept()
c.sendall(c.recv(10))
c.recv(1)
"""
INHERIT_LINGER = """
import socket, struct
s = socket.create_server(("", {port}))
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
c, _ = s.accept()
c.sendall(c.recv(10))
c.close()
"""
ASK = """
import socket
c = socket.create_connection(("{server}", {port}))
c.sendall(b"hello")
print(c.recv(10))
"""


def causes_of(run: AdHocRun) -> dict[str, str]:
    return run.causes


@pytest.mark.parametrize(
    ("server", "client", "options", "name", "text"),
    [
        (ON_LOOPBACK, CONNECT, ["--no-wait"], "reset-nobody-listens", "listens on 127.0.0.1:"),
        (SWAPPED, CONNECT, ["--no-wait"], "reset-nobody-listens", "which is htons("),
        (CLOSE_QUEUE, CONNECT, [], "reset-queue-closed", "closed it, and the kernel resets what"),
        (CLOSE_AT_ONCE, SEND_LATE, [], "reset-after-close", "fails with EPIPE"),
        (INHERIT_LINGER, READ_UNTIL_RESET, [], "reset-linger", "on the socket that listens, from"),
        (BIND_TWICE, ASK, [], "address-in-use", "another socket of server listens on 0.0.0.0:"),
    ],
    ids=["loopback", "swapped", "queue-closed", "after-close", "linger", "in-use"],
)
def test_a_cause_is_named(
    ad_hoc: Callable[..., AdHocRun],
    server: str,
    client: str,
    options: list[str],
    name: str,
    text: str,
) -> None:
    run = ad_hoc(python(server), python(client), *options, trace="auto")
    found = causes_of(run)
    assert text in found[name]
    assert list(found) == [name], "one doing has one cause"


ANSWER_ONCE = SERVE + "c.sendall(c.recv(10)); c.recv(1)"
SEND_AT_ONCE = SEND_HALVES.replace(
    "for _", "c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\nfor _"
)
LINGER_IN_ITS_OWN_WAY = INHERIT_LINGER.replace(
    "c.sendall",
    'c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0)); c.sendall',
)
GO_ON_AFTER_THE_END = """
import select, socket
s = socket.create_server(("", {port}))
c, _ = s.accept()
while c.recv(10):
    pass
for _ in range(4):
    select.select([], [], [], 0.05)
    c.sendall(b"more")
c.close()
"""
SHUT_DOWN = """
import socket
c = socket.create_connection(("{server}", {port}))
c.sendall(b"hello")
c.shutdown(socket.SHUT_WR)
while c.recv(10):
    pass
"""


@pytest.mark.parametrize(
    ("server", "client"),
    [
        (ANSWER_ONCE, ASK),
        (ANSWER_WHOLE, SEND_AT_ONCE),
        (GO_ON_AFTER_THE_END, SHUT_DOWN),
        (LINGER_IN_ITS_OWN_WAY, ASK),
    ],
    ids=["plain", "no-delay", "half-closed", "lingers"],
)
def test_what_goes_as_it_is_meant_has_no_cause(
    ad_hoc: Callable[..., AdHocRun], server: str, client: str
) -> None:
    run = ad_hoc(python(server), python(client), trace="auto")
    assert run.done.returncode == DONE, run.done.stdout
    assert causes_of(run) == {}
