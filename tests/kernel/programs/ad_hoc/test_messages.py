"""Many messages in one call, as name servers' clients send them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import DONE, AdHocRun, python

from lab.syscalls.table import MOST_MESSAGES

pytestmark = pytest.mark.kernel

UNDECIDED_STATUS = 4

MESSAGES = """
import ctypes, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
count = int(sys.argv[1])
sizes = [at + 1 for at in range(count)]
buffers = [ctypes.create_string_buffer(2000) for _ in sizes]
vectors = [
    ctypes.create_string_buffer(struct.pack("PN", ctypes.addressof(each), {size}))
    for each, size in zip(buffers, sizes)
]
headers = ctypes.create_string_buffer(
    b"".join(
        struct.pack("PIxxxxPNPNixxxxIxxxx", 0, 0, ctypes.addressof(each), 1, 0, 0, 0, 0)
        for each in vectors
    )
)
s = socket.socket(type=socket.SOCK_DGRAM)
"""
SEND = """
s.connect(("{server}", {port}))
print(libc.sendmmsg(s.fileno(), headers, count, 0))
s.recv(10)
"""
RECEIVE = """
s.bind(("", {port}))
_, client = s.recvfrom(1, socket.MSG_PEEK)
left = count
while left:
    left -= libc.recvmmsg(s.fileno(), headers, left, 0, None)
s.sendto(b"all", client)
"""


@pytest.mark.parametrize("count", [MOST_MESSAGES, MOST_MESSAGES + 1])
def test_messages_of_one_call_are_followed_as_far_as_their_lengths_are_read(
    ad_hoc: Callable[..., AdHocRun], count: int
) -> None:
    server = python(MESSAGES.replace("{size}", "2000") + RECEIVE, str(count))
    client = python(MESSAGES.replace("{size}", "size") + SEND, str(count))
    run = ad_hoc(server, client, "--verbose", trace="auto")
    assert run.wrote["client"] == f"{count}\n"
    text = " ".join(run.done.stdout.split())
    if count <= MOST_MESSAGES:
        assert run.done.returncode == DONE, run.done.stdout
        assert run.verdicts["ad-hoc-datagram-bytes"] == "HOLDS"
        assert f"{sum(range(count + 1))} bytes sent" in text
    else:
        assert run.done.returncode == UNDECIDED_STATUS, run.done.stdout
        assert run.verdicts["ad-hoc-datagram-bytes"] == "UNDECIDED"
        assert f"sendmmsg(2) sends {count} messages at once" in text
