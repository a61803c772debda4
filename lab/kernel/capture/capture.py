"""Captures every frame that passes an interface, by an AF_PACKET SOCK_RAW socket and its ring."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Sequence

from lab.errors import KernelRefused
from lab.frozen import frozen
from lab.kernel.capture.ring import (
    PacketRing,
    make_rings,
    packet_socket,
    refusal,
    ring_for,
)
from lab.kernel.network.namespace import Namespace
from lab.records import CapturePoint, Direction, Frame

ETH_P_LOCAL_EXPERIMENTAL = 0x88B5  # IEEE 802: for experiments within one network
ALL_RINGS_BYTES = 1 << 26

IN, OUT = Direction.IN, Direction.OUT


@frozen
class PointName:
    """Where a capture sits: its own name and its link's (see records.CapturePoint)."""

    host: str
    interface: str
    link: str

    @property
    def name(self) -> str:
        """ "host/interface" """
        return f"{self.host}/{self.interface}"


class LiveCapture:
    """A running capture on one interface."""

    def __init__(self, point: PointName, ring: PacketRing, sender: socket.socket) -> None:
        self.point = point
        self._ring = ring
        self._sender = sender

    def fileno(self) -> int:
        """The descriptor, readable when frames are in the ring."""
        return self._ring.fileno()

    def read_frames(self) -> list[Frame]:
        """The frames captured since the last call, in the kernel's order."""
        name = self.point.name
        return [
            Frame(time_ns, name, OUT if is_outgoing else IN, data, length)
            for time_ns, is_outgoing, data, length in self._ring.read()
        ]

    def statistics(self) -> CapturePoint:
        """The capture point with the kernel's counts since the capture was opened."""
        self._ring.count()
        point, ring = self.point, self._ring
        return CapturePoint(
            point.name, point.host, point.interface, point.link, ring.frames, ring.dropped
        )

    def stop(self) -> None:
        """Capture no further frames, and count none; see PacketRing.stop."""
        self._ring.stop()

    def is_read(self) -> bool:
        """Whether every frame that the kernel has counted was read, or dropped by the kernel."""
        return self._ring.is_read()

    def send_frame(self, frame: bytes) -> None:
        """Send one frame, from its Ethernet header on; this capture sees it leave.

        Raises KernelRefused.
        """
        try:
            self._sender.sendto(frame, (self.point.interface, ETH_P_LOCAL_EXPERIMENTAL))
        except OSError as error:
            attempt = f"cannot send a frame on {self.point.name}"
            raise KernelRefused(refusal(attempt, error)) from error

    def clear_error(self) -> None:
        """Have its descriptor readable by frames alone."""
        self._ring.clear_error()

    def close_sender(self) -> None:
        """Close the canaries' socket."""
        self._sender.close()

    def close_ring(self) -> None:
        """End the capture and free its memory."""
        self._ring.close()


def open_captures(
    wanted: Sequence[tuple[Namespace, PointName, int]],
) -> list[LiveCapture]:
    """A capture of every whole frame, both directions, for each (namespace, point, MTU).

    A socket is opened with protocol 0, which receives nothing, and bound to its interface when
    its ring is ready: opened with ETH_P_ALL it would capture on every interface until then.

    Raises KernelRefused.
    """
    share = ALL_RINGS_BYTES // max(1, len(wanted))
    opened: list[tuple[LiveCapture, PacketRing]] = []
    for namespace, point, mtu_bytes in wanted:
        ring = ring_for(packet_socket(namespace), point.name, mtu_bytes, share)
        # A socket's own frames are not shown to it: canaries need another.
        opened.append((LiveCapture(point, ring, packet_socket(namespace)), ring))
    make_rings(ring for _, ring in opened)
    for capture, ring in opened:
        ring.bind(capture.point.interface)
    return [capture for capture, _ in opened]


def close_captures(captures: Iterable[LiveCapture]) -> None:
    """End captures, without waiting.

    Closing a packet socket waits for an RCU grace period of some 10 ms, or for two if it has a
    ring. So each is closed by a thread of its own.
    """
    for capture in captures:
        threading.Thread(target=capture.close_sender).start()
        threading.Thread(target=capture.close_ring).start()
