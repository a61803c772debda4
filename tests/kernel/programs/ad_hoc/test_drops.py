"""Segments that the kernel throws away, and connections that open in other ways than most."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ad_hoc_run import DONE, AdHocRun, python

pytestmark = pytest.mark.kernel

DROPPING = """
import select, socket
IP_MINTTL = 21  # ip(7) lacks it; a segment from further away is dropped
listener = socket.create_server(("", {port}))
peer, _ = listener.accept()
peer.setsockopt(socket.IPPROTO_IP, IP_MINTTL, 255)
peer.sendall(b"go")
while select.select([peer], [], [], 0.1)[0]:
    pass
peer.setsockopt(socket.IPPROTO_IP, IP_MINTTL, 0)
print(peer.recv(100))
"""
SENDING = """
import socket
s = socket.create_connection(("{server}", {port}))
s.recv(100)
s.sendall(b"hello")
s.shutdown(socket.SHUT_WR)
s.recv(100)
"""

FAST_SERVER = """
import socket
listener = socket.socket()
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
listener.bind(("", {port}))
listener.listen()
peer, _ = listener.accept()
print(peer.recv(100))
peer.sendall(b"ok")
"""
FAST_CLIENT = """
import socket
s = socket.socket()
s.sendto(b"early", socket.MSG_FASTOPEN, ("{server}", {port}))
print(s.recv(100))
"""


def segments(run: AdHocRun) -> list[dict[str, Any]]:
    return [event for event in run.report["events"] if event.get("tcp")]


@pytest.mark.usefixtures("needs_bpf")
def test_a_dropped_segment_changes_no_state_and_wakes_nobody(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    run = ad_hoc(python(DROPPING), python(SENDING), trace="bpf")
    assert run.done.returncode == DONE, run.done.stdout
    assert run.wrote["server"] == "b'hello'\n"
    dropped = [each for each in segments(run) if "dropped on arrival" in each["tcp"]["notes"]]
    assert dropped
    assert {each["tcp"]["server_state"] for each in dropped} == {"ESTABLISHED"}
    assert {each["tcp"]["implied_server_state"] for each in dropped} == {None}
    numbers = {each["id"]["number"] for each in dropped}
    drops = [event for event in run.report["events"] if event["id"]["kind"] == "drop"]
    assert {drop["frame"]["number"] for drop in drops} >= numbers
    assert "dropped by the kernel: TCP_MINTTL" in run.done.stdout


def test_a_send_with_fast_open_is_the_connect(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc(python(FAST_SERVER), python(FAST_CLIENT), trace="auto")
    assert run.done.returncode == DONE, run.done.stdout
    assert run.wrote["server"] == "b'early'\n"
    assert run.verdicts["ad-hoc-connect"] == "HOLDS"
