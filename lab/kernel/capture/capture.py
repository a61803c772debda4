"""Captures what passes an interface, by an AF_PACKET SOCK_RAW socket and its ring."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Sequence

from lab.errors import KernelRefused
from lab.frozen import frozen
from lab.kernel.capture.capturing import ALL_OF_IT, Capturing
from lab.kernel.capture.packet_socket import make_rings, packet_socket, refusal
from lab.kernel.capture.ring import BlockRing
from lab.kernel.network.namespace import Namespace
from lab.records import CapturePoint

ETH_P_LOCAL_EXPERIMENTAL = 0x88B5  # IEEE 802: for experiments within one network
ALL_RINGS_BYTES = 1 << 26
# Two busy programs on two CPUs fill 4 MiB in 30 ms, less than a reader may have to wait.
RING_MIN_BYTES = 1 << 22
RING_MAX_BYTES = 1 << 24
RETIRE_MS = 10  # after which a block is handed over though it is not full
RETIRED_IN_S = 1000  # of all rings' blocks, for that reason


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
    """A capture on one interface."""

    def __init__(
        self, point: PointName, ring: BlockRing, sender: socket.socket, snap_bytes: int | None
    ) -> None:
        self.point = point
        self.ring = ring
        self._sender = sender
        self._snap_bytes = snap_bytes

    def begin(self) -> None:
        """Capture from now on: its ring is made. Raises KernelRefused."""
        if self._snap_bytes is not None:
            self.ring.cut(self._snap_bytes)
        self.ring.bind(self.point.interface)

    def statistics(self) -> CapturePoint:
        """The capture point with the kernel's counts since the capture was opened."""
        self.ring.count()
        point, ring = self.point, self.ring
        return CapturePoint(
            point.name, point.host, point.interface, point.link, ring.frames, ring.dropped
        )

    def stop(self) -> None:
        """Capture no further frames, and count none; see PacketSocket.cut."""
        self.ring.cut(0)

    def send_frame(self, frame: bytes) -> None:
        """Send one frame, from its Ethernet header on; this capture sees it leave.

        Raises KernelRefused.
        """
        try:
            self._sender.sendto(frame, (self.point.interface, ETH_P_LOCAL_EXPERIMENTAL))
        except OSError as error:
            attempt = f"cannot send a frame on {self.point.name}"
            raise KernelRefused(refusal(attempt, error)) from error

    def close_sender(self) -> None:
        """Close the canaries' socket."""
        self._sender.close()

    def close_ring(self) -> None:
        """End the capture and free its memory."""
        self.ring.close()


def open_captures(
    wanted: Sequence[tuple[Namespace, PointName]], capturing: Capturing = ALL_OF_IT
) -> list[LiveCapture]:
    """A capture of both directions for each of these, which does not see anything yet.

    Each has a ring of its own, by default of a share of ALL_RINGS_BYTES within bounds. What is
    opened here becomes a capture by begin_captures.

    A socket is opened with protocol 0, which receives nothing, and bound to its interface when
    its ring is ready: opened with ETH_P_ALL it would capture on every interface until then.

    Raises KernelRefused.
    """
    count = max(1, len(wanted))
    ring_bytes = capturing.ring_bytes
    if ring_bytes is None:
        ring_bytes = min(RING_MAX_BYTES, max(RING_MIN_BYTES, ALL_RINGS_BYTES // count))
    # Each ring has a timer of its own.
    retire_ms = max(RETIRE_MS, count * 1000 // RETIRED_IN_S)
    return [
        # A socket's own frames are not shown to it: canaries need another.
        LiveCapture(
            point,
            BlockRing(packet_socket(namespace), point.name, ring_bytes, retire_ms),
            packet_socket(namespace),
            capturing.snap_bytes,
        )
        for namespace, point in wanted
    ]


def begin_captures(captures: Sequence[LiveCapture]) -> None:
    """Make the rings, and capture from then on. Raises KernelRefused."""
    make_rings(capture.ring for capture in captures)
    for capture in captures:
        capture.begin()


def close_captures(captures: Iterable[LiveCapture]) -> None:
    """End captures, without waiting.

    Closing a packet socket waits for an RCU grace period of some 10 ms, or for two if it has a
    ring. So each is closed by a thread of its own.
    """
    for capture in captures:
        threading.Thread(target=capture.close_sender).start()
        threading.Thread(target=capture.close_ring).start()
