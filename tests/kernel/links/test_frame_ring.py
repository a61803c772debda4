"""A ring with a slot for each frame: what it holds, leaves out and has no room for."""

from __future__ import annotations

import inside
import pytest

from lab.kernel.capture.packet_socket import make_rings, packet_socket
from lab.kernel.links.frame_ring import FrameRing, Slot, ring_for
from lab.kernel.network.links_ready import wait_until_links_ready
from lab.kernel.network.namespace import build_topology
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.topology import two_hosts

pytestmark = pytest.mark.kernel
PAGE_BYTES = 4096


def received(sent: list[bytes], left_out: str = "") -> tuple[list[Slot], int, int]:
    """Run inside: what a ring at the sending end has of these frames, and counts and drops."""
    with build_topology(two_hosts()) as built:
        wait_until_links_ready(built)
        ring = ring_for(packet_socket(built["client"]), "client/eth0", 1500, 0)
        make_rings([ring])
        if left_out == "outgoing":
            ring.leave_out_outgoing()
        ring.bind("eth0")
        sender = packet_socket(built["client"])
        for frame in sent:
            sender.sendto(frame, ("eth0", 0x88B5))
        slots = ring.read()
        ring.count()
        return slots, ring.frames, ring.dropped


def test_frames_are_read_in_the_order_in_which_they_were_sent(sandbox: Sandbox) -> None:
    tagged = inside.BROADCAST + inside.SOURCE + b"\x81\0\0\5\x88\xb5" + bytes(46)
    sent = [inside.frame(bytes(46)), inside.frame(bytes(1500)), tagged]
    slots, counted, dropped = sandbox.call(received, sent)
    assert [(slot.data, slot.is_outgoing) for slot in slots] == [(data, True) for data in sent]
    assert [slot.wire_bytes for slot in slots] == [len(data) for data in sent]
    assert (counted, dropped) == (len(sent), 0)


def test_a_ring_may_leave_out_what_its_interface_sends(sandbox: Sandbox) -> None:
    assert sandbox.call(received, [inside.frame(bytes(46))], "outgoing")[0] == []


def overflowed(count: int) -> tuple[int, int, int]:
    """Run inside: how many of these frames a ring of two slots has, counts and drops."""
    with build_topology(two_hosts()) as built:
        wait_until_links_ready(built)
        ring = FrameRing(packet_socket(built["client"]), "client/eth0", 2048, 1 << 18)
        ring.make()
        ring.bind("eth0")
        sender = packet_socket(built["client"])
        for _ in range(count):
            sender.sendto(inside.frame(bytes(46)), ("eth0", 0x88B5))
        read = len(ring.read())
        ring.count()
        return read, ring.frames, ring.dropped


def test_what_it_has_no_room_for_is_counted(sandbox: Sandbox) -> None:
    assert sandbox.call(overflowed, 200) == (128, 200, 72)
