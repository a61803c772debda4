"""close(2) and no FIN, since the socket is open elsewhere as well; and what is near to that."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import AdHocRun, python

pytestmark = pytest.mark.kernel

WAIT = """
import socket
c = socket.create_connection(("{server}", {port}))
c.settimeout(3)
try:
    print(c.recv(1))
except TimeoutError:
    print("no end")
"""
FORK = """
import os, select, socket
s = socket.create_server(("", {port}))
c, _ = s.accept()
if os.fork() == 0:
    c.close()
    os._exit(0)
os.wait()
%s
s.accept()
"""
DUP = """
import socket
s = socket.create_server(("", {port}))
c, _ = s.accept()
other = c.dup()
c.close()
%s
s.accept()
"""
PASS = """
import os, socket
near, far = socket.socketpair()
s = socket.create_server(("", {port}))
if os.fork() == 0:
    s.close()
    _, (got,), _, _ = socket.recv_fds(far, 1, 1)
    %s
    far.send(b"x")
    far.recv(1)
    os._exit(0)
far.close()
c, _ = s.accept()
socket.send_fds(near, [b"x"], [c.fileno()])
c.close()
near.recv(1)
s.accept()
"""
HELD = "held-open"


@pytest.mark.parametrize(
    ("server", "mends", "said"),
    [
        (FORK, "c.close()", "closed the socket in one process of server alone"),
        (DUP, "other.close()", "closed one descriptor of the socket, and server#"),
        (PASS, "os.close(got)", "had it open still, as /proc/PID/fd showed"),
    ],
    ids=["fork", "dup", "passed"],
)
def test_what_holds_a_socket_open_is_named_and_what_closes_it_is_not(
    ad_hoc: Callable[..., AdHocRun], server: str, mends: str, said: str
) -> None:
    run = ad_hoc(python(server % "pass"), python(WAIT), trace="auto")
    assert run.wrote["client"] == "no end\n"
    causes = run.causes
    assert said in causes[HELD], causes
    assert "close-wait" not in causes, "it did call close()"
    mended = ad_hoc(python(server % mends), python(WAIT), trace="auto")
    assert mended.wrote["client"] == "b''\n"
    assert HELD not in {cause["name"] for cause in mended.report["causes"]}
