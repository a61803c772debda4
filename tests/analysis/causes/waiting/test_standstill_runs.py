"""Programs that wait for each other, as the kernel has them: which reason is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import DONE, FAILED, AdHocRun, python

pytestmark = pytest.mark.kernel

BEGIN = "import socket\nc = socket.create_connection(('{server}', {port}))\n"
SERVE = "import socket\ns = socket.create_server(('', {port}))\nc, _ = s.accept()\n"
SAY = BEGIN + "c.sendall(b'hello')\nc.recv(100)"
GIVE_UP = BEGIN + "c.settimeout(1)\nc.sendall(b'hello')\ntry: c.recv(9)\nexcept OSError: pass"
READ_LINE = SERVE + "f = c.makefile()\nf.readline()\nc.sendall(b'yes')"
READ_TO_END = SERVE + "while c.recv(9): pass\nc.sendall(b'yes')"
READ_ALL = SERVE + "c.recv(1024, socket.MSG_WAITALL)\nc.sendall(b'yes')"
READ_SIXTEEN = SERVE + "n = 16\nwhile n and (got := c.recv(n)): n -= len(got)\nc.sendall(b'yes')"
LISTEN_ONLY = (
    "import socket, select\ns = socket.create_server(('', {port}))\nselect.select([], [], [])"
)
ONE_AT_A_TIME = SERVE + "c.recv(9)\nc.recv(9)"
TWO = BEGIN + "d = socket.create_connection(('{server}', {port}))\nd.send(b'me')\nd.recv(9)"
ITERATIVE = """
import socket
s = socket.create_server(('', {port}))
while True:
    c, _ = s.accept()
    while got := c.recv(9):
        c.sendall(got)
"""
SECOND = (
    BEGIN
    + """
c.sendall(b'one')
c.recv(9)
d = socket.create_connection(('{server}', {port}))
d.settimeout(1)
d.sendall(b'two')
try:
    d.recv(9)
except TimeoutError:
    pass
"""
)
STDIO = BEGIN + "f = c.makefile('w')\nf.write('hello')\nc.recv(9)"
READ_FIRST = SERVE + "c.recv(9)\nc.sendall(b'yes')"
ANSWER_EACH = SERVE + "while got := c.recv(9): c.sendall(got)"
READ_ON = BEGIN + "c.sendall(b'hello')\nwhile c.recv(9): pass"
KEEP_OPEN = SERVE + "c.sendall(c.recv(9))\ns.accept()"
BUSY = SERVE + "import time\nc.recv(2)\ntime.sleep(60)"
EPOLL = """
import asyncio
async def serve(reader, writer):
    await reader.readline()
    writer.write(b"yes")
    writer.close()
async def main():
    await (await asyncio.start_server(serve, "", {port})).serve_forever()
asyncio.run(main())
"""


def causes_of(run: AdHocRun) -> dict[str, str]:
    return run.causes


@pytest.mark.parametrize(
    ("server", "client", "name", "text"),
    [
        (READ_LINE, SAY, "both-wait", "They do not end with a newline"),
        (READ_TO_END, SAY, "both-wait", "client has not ended its sending"),
        (READ_ALL, SAY, "both-wait", "when all 1024 bytes are there"),
        (READ_SIXTEEN, SAY, "both-wait", "ask for 16 bytes in all, each for what the one before"),
        (EPOLL, SAY, "both-wait", "(epoll_wait) for more than the 5 bytes that client has sent"),
        (READ_FIRST, STDIO, "both-wait", "Neither has sent a byte"),
        (ANSWER_EACH, READ_ON, "both-wait", "for more than the 5 bytes that server has sent"),
        (LISTEN_ONLY, SAY, "not-accepted", "server has never called accept()"),
        (ONE_AT_A_TIME, TWO, "not-accepted", "With it wait the 2 bytes that client has sent"),
        (ITERATIVE, SECOND, "not-accepted", "and is in server#"),
        (KEEP_OPEN, READ_ON, "end-never-comes", "client has read all 5 bytes that server has sent"),
        (BUSY, SAY, "peer-does-not-answer", "it has not read 3 bytes"),
        (READ_TO_END, GIVE_UP, "both-wait", "until it gave up"),
    ],
    ids=["line", "end", "wait-all", "sixteen", "epoll", "stdio", "echo", "no-accept", "second",
         "iterative", "kept-open", "busy", "gave-up"],
)  # fmt: skip
def test_why_it_stands_still_is_said(
    ad_hoc: Callable[..., AdHocRun], server: str, client: str, name: str, text: str
) -> None:
    run = ad_hoc(python(server), python(client), "--deadline", "2", trace="auto")
    found = causes_of(run)
    assert name in found, run.done.stdout
    assert text in found[name]
    # Who gives up and closes before the answer has come has that answer refused as well.
    late = {"reset-after-close", "reset-unread"} if client in (GIVE_UP, SECOND) else set()
    assert set(found) <= {name, *late}, "what the lab does has no cause"


SHUT_DOWN = BEGIN + "c.sendall(b'hello')\nc.shutdown(socket.SHUT_WR)\nc.recv(9)"
SAY_LINE = SAY.replace("hello", "hello\\n")
LOOK_IN = (
    BEGIN
    + """
import select
select.select([c], [], [], 0.3)
c.sendall(b'hello')
c.recv(9)
"""
)


@pytest.mark.parametrize(
    ("server", "client"),
    [
        (READ_TO_END, SHUT_DOWN),
        (READ_LINE, SAY_LINE),
        (READ_FIRST, LOOK_IN),
        (ANSWER_EACH, SAY),
        (EPOLL, SAY_LINE),
    ],
    ids=["shut-down", "newline", "looks-in", "echo", "epoll"],
)
def test_near_to_that_there_is_no_cause(
    ad_hoc: Callable[..., AdHocRun], server: str, client: str
) -> None:
    run = ad_hoc(python(server), python(client), trace="auto")
    assert run.done.returncode == DONE, run.done.stdout
    assert causes_of(run) == {}


def test_who_only_takes_long_waits_for_nobody(ad_hoc: Callable[..., AdHocRun]) -> None:
    slow = BEGIN + "import time\nc.sendall(b'hello')\nc.recv(9)\ntime.sleep(60)"
    run = ad_hoc(python(ANSWER_EACH), python(slow), "--deadline", "2", trace="auto")
    assert run.done.returncode == FAILED
    assert causes_of(run) == {}
