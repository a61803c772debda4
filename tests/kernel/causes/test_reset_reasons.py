"""A RST that only its kernel can explain."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import DONE, AdHocRun, python

pytestmark = pytest.mark.kernel

TAKE = """
import select, socket
s = socket.create_server(("", {port}))
c, _ = s.accept()
c.recv(1)
c.recv(1)
p = select.poll()
p.register(c, 0)
p.poll(10000)
"""
"""poll(2) asked for nothing returns when the connection is reset."""
LINGER = """
import socket, time
c = socket.create_connection(("{server}", {port}))
c.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, %d)
c.send(b"x")
c.shutdown(socket.SHUT_WR)
def state():
    return c.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
while state() == 4:
    time.sleep(0.01)
print(state())
c.close()
"""
"""4 is FIN-WAIT-1, 5 is FIN-WAIT-2: the peer has acknowledged the FIN, and not sent its own."""


def test_linger2_below_zero_is_the_kernels_reason(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc(python(TAKE), python(LINGER % -1), "--verbose", trace="auto")
    assert (run.done.returncode, run.wrote["client"]) == (DONE, "5\n"), run.done.stdout
    found = {cause["name"]: cause["text"] for cause in run.report["causes"]}
    by_kernel = any(
        each["kind"] == "states" and each["obtained"] == "measured"
        for each in run.report["instruments"]
    )
    assert ("reset-reason" in found) is by_kernel
    if by_kernel:
        assert "gives TCP_ABORT_ON_LINGER as its reason" in found["reset-reason"]
