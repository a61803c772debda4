"""Connections that nobody accepts, and one that a socket makes with itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import DONE, AdHocRun, python

from lab.records import InstrumentKind

pytestmark = pytest.mark.kernel

LISTEN = """
import signal, socket
s = socket.socket()
s.bind(("", {port}))
s.listen(0)
signal.pause()
"""
FILL = """
import socket
s = socket.create_connection(("{server}", {port}))
s.sendall(b"hello, anyone?")
t = socket.socket()
t.settimeout(0.1)
print(t.connect_ex(("{server}", {port})) != 0)
"""
SELF = """
import socket
s = socket.socket()
s.bind(("127.0.0.1", 5000))
s.connect(("127.0.0.1", 5000))
s.send(b"me")
print(s.recv(10))
"""


def test_what_waits_in_a_queue_and_what_found_it_full_is_said(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    run = ad_hoc(python(LISTEN), python(FILL), "--verbose", trace="auto")
    assert run.wrote["client"] == "True\n"
    assert run.done.returncode == DONE, run.done.stdout
    text = " ".join(run.done.stdout.replace("│", " ").split())
    # The kernel says so too, when the client has ended and the server has not.
    assert "The accept queue is full (1 of 0, as sock_diag(7) showed " in text
    assert "later): the kernel of server ignores the SYN" in text
    assert "client → server's accept queue (tcp 0)" in text
    assert "14 bytes waiting with the connection" in text
    assert run.verdicts["ad-hoc-stream-bytes"] == "HOLDS"
    assert run.verdicts["ad-hoc-accept"] == "SKIPPED"


def test_a_socket_that_connects_to_itself_opens_simultaneously(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    run = ad_hoc(python(LISTEN), python(SELF), "--verbose", trace="auto")
    assert (run.wrote["client"], run.done.returncode) == ("b'me'\n", DONE)
    # Its frames on lo have checksums, and are no connection between two.
    assert {run.verdicts.pop("ad-hoc-checksums"), *run.verdicts.values()} == {"HOLDS", "SKIPPED"}
    assert set(run.verdicts.values()) == {"SKIPPED"}
    text = " ".join(run.done.stdout.replace("│", " ").split())
    measured = {each["kind"]: each["obtained"] for each in run.report["instruments"]}
    if measured[InstrumentKind.STATES.value] == "measured":
        assert "its own SYN: it has connected to itself. That is a simultaneous open" in text
        assert "Linux reports SYN_RECV" not in text
