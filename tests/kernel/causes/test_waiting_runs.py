"""Programs for which nothing comes, or late, as the kernel has them; and what is near to that."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import DONE, SHOWN, AdHocRun, python, typed

pytestmark = pytest.mark.kernel

BEGIN = "import socket\nc = socket.create_connection(('{server}', {port}))\n"
SERVE = "import socket\ns = socket.create_server(('', {port}))\nc, _ = s.accept()\n"
ECHO = SHOWN["corked"].server
ECHO_LATE = SHOWN["ack-lost"].server
"""It answers when the same segment has come again: tcp(7), TCP_INFO, tcpi_data_segs_in."""
SAY = BEGIN + "c.sendall(b'hello')\nc.recv(9)"
SAY_TWICE = SAY + "\nc.sendall(b'more')\nc.recv(9)"
PATIENT = (
    BEGIN
    + "c.setsockopt(6, 18, 900)\nc.sendall(b'hello')\nc.recv(9)\nc.sendall(b'more')\nc.recv(9)"
)
KEEP_ALIVE = (
    BEGIN
    + """
c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT):
    c.setsockopt(socket.IPPROTO_TCP, option, 1)
c.sendall(b'hello')
c.recv(5)
c.recv(5)
"""
)
SHORT = "import socket\nc = socket.socket()\nc.settimeout(1.5)\nc.connect(('{server}', {port}))"
READ_LATE, SEND_AND_CLOSE = SHOWN["fin-behind-bytes"].server, SHOWN["fin-behind-bytes"].client
"""The kernel says how long no data has come: tcp(7), TCP_INFO, tcpi_last_data_recv."""
SEND_MUCH = BEGIN + "c.sendall(bytes(3_000_000))\nc.close()"
SLEEP = SERVE + "import time\ntime.sleep(60)"
SEND_BOTH = SERVE + "c.sendall(bytes(3_000_000))"
CORK = SHOWN["corked"].client
MORE = BEGIN + "c.send(b'hello', socket.MSG_MORE)\nc.recv(9)"
FORK, READ_TO_END = SHOWN["held-open"].server, SHOWN["held-open"].client
DUP = SERVE + "d = c.dup()\nc.sendall(c.recv(9))\nc.close()\nimport time\ntime.sleep(60)"
READ_ONCE, SEND_TEN = SHOWN["left-unread"].server, SHOWN["left-unread"].client
NOBODY = SHORT.replace("{server}", "198.51.100.77")


def causes_of(run: AdHocRun) -> dict[str, str]:
    return run.causes


@pytest.mark.parametrize(
    ("server", "client", "wire", "name", "text"),
    [
        (ECHO, SAY, "client>server drop data 1", "segment-lost", "dropped it (strike 1). TCP of"),
        (ECHO, SAY_TWICE, "client-server down after data 2", "segment-lost", "until the lab ended"),
        (ECHO, PATIENT, "client-server down after data 2", "segment-lost", "as TCP_USER_TIMEOUT"),
        (ECHO, KEEP_ALIVE, "client-server down after data 2", "keep-alive-unanswered", "asked"),
        (ECHO_LATE, SAY, "server>client drop ack 1", "ack-lost", "although nothing of it was"),
        (ECHO, SHORT, "client>server drop SYN", "syn-lost", "nor did the one after it"),
        (ECHO, SAY, "server>client drop SYN-ACK 1", "syn-ack-lost", "The one that came"),
        (ECHO, NOBODY, "", "no-neighbour", "no host of this run has that address"),
        (ECHO, SHORT, "client>server drop arp", "no-neighbour", "drops them (strike 1)"),
        (SLEEP, SEND_MUCH, "", "zero-window", "has made no call on the connection since"),
        (READ_LATE, SEND_MUCH, "", "zero-window", "had read 0 until server#"),
        (READ_LATE, SEND_AND_CLOSE, "", "fin-behind-bytes", "were still in the send buffer"),
        (SEND_BOTH, SEND_MUCH, "", "both-send", "Both receive buffers are full"),
        (ECHO, CORK, "", "corked", "TCP_CORK is set (client#3)"),
        (ECHO, MORE, "", "corked", "(MSG_MORE)"),
        (FORK, READ_TO_END, "", "held-open", "closed the socket in one process of server alone"),
        (DUP, READ_TO_END, "", "held-open", "closed one descriptor of the socket, and server#"),
        (READ_ONCE, SEND_TEN, "", "left-unread", "6 wait in its receive queue"),
    ],
    ids=["lost", "cable", "user-timeout", "keep-alive", "ack", "syn", "syn-ack", "nobody", "arp",
         "sleeps", "reads-late", "fin", "both-send", "cork", "more", "fork", "dup", "reads-once"],
)  # fmt: skip
def test_why_nothing_comes_is_said(
    ad_hoc: Callable[..., AdHocRun], server: str, client: str, wire: str, name: str, text: str
) -> None:
    options = ["--wire", wire] if wire else []
    run = ad_hoc(python(server), python(client), "--deadline", "5", *options, trace="auto")
    found = causes_of(run)
    assert name in found, run.done.stdout
    assert text in found[name]


@pytest.mark.parametrize("name", ["syn-filtered", "syn-refused-by-filter"])
def test_a_packet_filter_is_named(ad_hoc: Callable[..., AdHocRun], name: str) -> None:
    run = ad_hoc(*typed(name), "--deadline", "4", trace="auto")
    found = causes_of(run)
    assert list(found) == [name], run.done.stdout


FORK_WELL = FORK.replace("    if os", "    if os").replace(
    "        os._exit(0)", "        os._exit(0)\n    c.close()"
)
UNCORK = CORK.replace("\nc.recv", "\nc.setsockopt(6, socket.TCP_CORK, 0)\nc.recv")
MORE_THEN_REST = MORE.replace("\nc.recv", "\nc.send(b' you')\nc.recv")
READ_ALL = SERVE + "while c.recv(65536): pass"
STAY_ALIVE = KEEP_ALIVE.replace(
    "\nc.recv(5)\nc.recv(5)", "\nc.recv(5)\nc.settimeout(1.3)\ntry: c.recv(5)\nexcept OSError: pass"
)


SAY_SLOWLY = """
import select, socket
c = socket.create_connection(('{server}', {port}))
for _ in range(3):
    c.sendall(b'hello')
    c.recv(9)
    select.select([c], [], [], 0.4)
c.shutdown(socket.SHUT_WR)
c.recv(9)
"""
FORK_SERVE = """
import os, socket
s = socket.create_server(('', {port}))
while True:
    c, _ = s.accept()
    if os.fork() == 0:
        s.close()
        while got := c.recv(9):
            c.sendall(got)
        c.close()
        os._exit(0)
    c.close()
"""
DUP_SERVE = SERVE + "d = c.dup()\nc.close()\nwhile got := d.recv(9): d.sendall(got)"


@pytest.mark.parametrize(
    ("server", "client", "wire"),
    [
        (ECHO, SAY, "client-server delay 60"),
        (ECHO, STAY_ALIVE, ""),
        (READ_ALL, SEND_MUCH, ""),
        (READ_ALL, SEND_AND_CLOSE, ""),
        (ECHO, UNCORK, ""),
        (ECHO, MORE_THEN_REST, ""),
        (FORK_WELL, READ_TO_END, ""),
        (FORK_SERVE, SAY_SLOWLY, ""),
        (DUP_SERVE, SAY_SLOWLY, ""),
        (READ_ALL, SEND_TEN, ""),
    ],
    ids=["slow-link", "alive", "reads", "reads-fin", "uncorked", "more-and-rest",
         "fork-and-close", "fork-serves", "dup-serves", "reads-all"],
)  # fmt: skip
def test_near_to_that_there_is_no_cause(
    ad_hoc: Callable[..., AdHocRun], server: str, client: str, wire: str
) -> None:
    options = ["--wire", wire] if wire else []
    run = ad_hoc(python(server), python(client), *options, trace="auto")
    assert run.done.returncode == DONE, run.done.stdout
    assert causes_of(run) == {}
