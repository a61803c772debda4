"""Why Fast Open sent nothing with its SYN, and why MSG_ZEROCOPY copied, is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import AdHocRun, python

pytestmark = pytest.mark.kernel

FAST = ["--sysctl", "net.ipv4.tcp_fastopen=3"]
SERVE = """
import socket
l = socket.create_server(("", {port}))
l.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
for _ in range(COUNT):
    c, _ = l.accept()
    c.sendall(c.recv(10))
    c.recv(1)
    c.close()
"""
ASK = """
import socket
for _ in range(COUNT):
    c = socket.socket()
    c.sendto(b"hello", socket.MSG_FASTOPEN, ("{server}", {port}))
    c.recv(10)
    c.close()
"""


THEN_NO_MORE = SERVE.replace(
    "    c.sendall", "    l.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 0)\n    c.sendall"
)
"""It takes no more data in a SYN when the first connection has brought the client a cookie."""


def count(program: str, number: int) -> str:
    return python(program.replace("COUNT", str(number)))


@pytest.mark.parametrize(
    ("server", "number", "options", "name"),
    [
        (SERVE, 1, FAST, "fast-open-no-cookie"),
        (SERVE, 1, ["--sysctl", "net.ipv4.tcp_fastopen=1"], "fast-open-not-granted"),
        (SERVE.replace("l.setsockopt", "()  # "), 1, FAST, "fast-open-not-granted"),
        (SERVE, 2, FAST, ""),
    ],
    ids=["no-cookie", "not-allowed", "not-asked-for", "used"],
)
def test_why_the_syn_carries_no_data_is_said(
    ad_hoc: Callable[..., AdHocRun], server: str, number: int, options: list[str], name: str
) -> None:
    run = ad_hoc(count(server, number), count(ASK, number), *options, trace="auto")
    assert [cause["name"] for cause in run.report["causes"]] == ([name] if name else [])


def test_data_in_a_syn_that_the_server_leaves_is_said(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc(count(THEN_NO_MORE, 2), count(ASK, 2), *FAST, trace="auto")
    found = {cause["name"]: cause["text"] for cause in run.report["causes"]}
    assert set(found) == {"fast-open-no-cookie", "fast-open-fell-back"}
    assert "carries 5 bytes, and the SYN-ACK" in found["fast-open-fell-back"]


ZEROCOPY = """
import select, socket
l = socket.create_server(("127.0.0.1", 4243))
c = socket.socket()
c.setsockopt(socket.SOL_SOCKET, 60, 1)
c.connect(("127.0.0.1", 4243))
a, _ = l.accept()
c.send(b"x" * 20000, 0x4000000)
left = 20000
while left:
    left -= len(a.recv(left))
poll = select.poll()
poll.register(c, 0)
poll.poll(5000)
(level, kind, data), = c.recvmsg(1, 200, socket.MSG_ERRQUEUE)[1]
print(data[6])
"""


def test_a_send_that_was_to_copy_nothing_and_was_copied(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc(python("import os; os.write(1, b'idle')"), python(ZEROCOPY), "--no-wait",
                 trace="auto")  # fmt: skip
    names = [cause["name"] for cause in run.report["causes"]]
    was_copied = run.wrote["client"].strip() == "1"
    assert names == (["zerocopy-copied"] if was_copied else [])
