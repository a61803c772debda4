"""Why a call fails with ENOBUFS is said: a full queue, too many groups, too much control."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import SHOWN, AdHocRun, python

pytestmark = pytest.mark.kernel

IDLE = python("import os; os.write(1, b'idle')")
QUEUE = """
import socket, struct
def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
def queue(message, flags):
    body = struct.pack("=BxxxiIII", 0, socket.if_nametoindex("eth0"), 0, 0xFFFFFFFF, 0)
    body += attribute(1, b"pfifo" + bytes(1)) + attribute(2, struct.pack("=I", 0))
    netlink.send(struct.pack("=IHHII", 16 + len(body), message, flags, 1, 0) + body)
    assert not struct.unpack_from("=i", netlink.recv(500), 16)[0]
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 11, {recverr})
first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
first.connect(("{server}", 4242))
first.send(b"who has it?")
try:
    first.recv(1)
except ConnectionRefusedError:
    pass
queue(36, 0x605)
try:
    s.sendto(b"not to leave", ("{server}", 4242))
except OSError as error:
    print(error.errno)
queue(37, 5)
"""
"""It gives eth0 a queue that has room for nothing, by rtnetlink(7): RTM_NEWQDISC of a pfifo.

The neighbour is known by then: what waits for an answer to ARP has been sent, for the caller."""


@pytest.mark.parametrize("recverr", [1, 0], ids=["asked-for", "not-asked-for"])
def test_a_full_queue_of_the_device(ad_hoc: Callable[..., AdHocRun], recverr: int) -> None:
    client = python(QUEUE.replace("{recverr}", str(recverr)))
    run = ad_hoc(IDLE, client, "--no-wait", "--cap", "net_admin", trace="auto")
    found = {cause["name"]: cause for cause in run.report["causes"]}
    assert run.wrote["client"].strip() == ("105" if recverr else "")
    assert ("device-queue-full" in found) is bool(recverr)
    if recverr:
        assert "asked for errors (IP_RECVERR)" in found["device-queue-full"]["text"]


@pytest.mark.parametrize(
    ("name", "too_many", "near", "text"),
    [
        ("too-many-groups", "range(21)", "range(20)", "the socket has joined 20 groups"),
        (
            "control-too-long",
            "bytes(1_000_000)",
            "bytes(64)",
            "1000016 bytes of control messages",
        ),
        ("netlink-overrun", "range(40)", "range(1)", "its receive buffer had no room"),
    ],
)
def test_no_room_is_named(
    ad_hoc: Callable[..., AdHocRun], name: str, too_many: str, near: str, text: str
) -> None:
    client = SHOWN[name].client
    assert too_many in client
    for amount in (too_many, near):
        run = ad_hoc("", python(client.replace(too_many, amount)), trace="auto")
        found = run.causes
        failed = run.programs["client"]["exit_status"] != 0
        assert failed is (amount == too_many)
        assert list(found) == ([name] if failed else [])
        assert text in found.get(name, text)
        if failed:
            assert "ENOBUFS" in found[name]
