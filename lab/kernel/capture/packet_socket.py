"""Packet sockets: opened in a namespace without receiving, bound later, counted and stopped.

Source: packet(7).
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import threading
from collections.abc import Iterable
from typing import Protocol

from lab.errors import KernelRefused
from lab.kernel.network.namespace import Namespace
from lab.kernel.system import libc

ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_RX_RING = 5
PACKET_STATISTICS = 6
PACKET_VERSION = 10
PACKET_IGNORE_OUTGOING = 23

# With SO_TIMESTAMPNS the kernel stamps frames when they arrive, not when they reach the ring.
SO_TIMESTAMPNS = 35
SO_ATTACH_FILTER = 26
# tp_packets and tp_drops; TPACKET_V3 has a third, tp_freeze_q_cnt.
_STATISTICS = struct.Struct("=II")
_BPF_RETURN = struct.Struct("=HBBI")  # struct sock_filter: BPF_RET, of how many bytes
_BPF_RET = 0x06


class PacketSocket:
    """A packet socket of one interface, and what the kernel has counted for it."""

    def __init__(self, endpoint: socket.socket, name: str) -> None:
        """`endpoint` has protocol 0: it receives nothing before bind(). `name` is its point's."""
        self._socket = endpoint
        self._name = name
        self.frames = 0
        """Those that the kernel has counted, those it dropped among them; see count()."""
        self.dropped = 0

    def fileno(self) -> int:
        """The descriptor, readable when there is something in its ring."""
        return self._socket.fileno()

    def make(self) -> None:
        """Let the kernel allocate the ring, and map it. Raises KernelRefused."""
        raise NotImplementedError

    def bind(self, interface: str) -> None:
        """Begin to receive.

        Raises KernelRefused.
        """
        try:
            self._socket.bind((interface, ETH_P_ALL))
        except OSError as error:
            raise KernelRefused(refusal(f"cannot capture on {self._name}", error)) from error

    def cut(self, frame_bytes: int) -> None:
        """Receive so many bytes of each frame from now on; of 0, receive and count none.

        Frames that have been counted are still in the ring, and one that is on its way there may
        still be counted. Raises KernelRefused.
        """
        program = ctypes.create_string_buffer(_BPF_RETURN.pack(_BPF_RET, 0, 0, frame_bytes))
        filter_ = struct.pack("@HP", 1, ctypes.addressof(program))
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, filter_)
        except OSError as error:
            attempt = f"cannot limit the capture on {self._name}"
            raise KernelRefused(refusal(attempt, error)) from error

    def count(self) -> None:
        """Bring `frames` and `dropped` up to date. Raises KernelRefused."""
        # Reading the counters sets them to zero. Dropped frames are among the frames.
        try:
            raw = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, _STATISTICS.size)
        except OSError as error:
            attempt = f"cannot read the counters of the capture on {self._name}"
            raise KernelRefused(refusal(attempt, error)) from error
        frames, dropped = _STATISTICS.unpack(raw)
        self.frames += frames
        self.dropped += dropped

    def clear_error(self) -> None:
        """Have its descriptor readable by frames alone.

        It is so as well from the moment when its interface went down or away. Source: poll(2).
        Raises KernelRefused.
        """
        try:
            self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        except OSError as error:
            attempt = f"cannot go on with the capture on {self._name}"
            raise KernelRefused(refusal(attempt, error)) from error

    def _ask_for_ring(self, version: int, wanted: bytes) -> None:
        """Have the kernel allocate a ring (struct tpacket_req or tpacket_req3).

        Raises KernelRefused and OSError.
        """
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(SOL_PACKET, PACKET_VERSION, version)
        # libc's, not socket's own, which would keep the other threads waiting.
        libc.setsockopt(self._socket.fileno(), SOL_PACKET, PACKET_RX_RING, wanted)


class Made(Protocol):
    """Something that takes its time to be made, a ring."""

    def make(self) -> None:
        """Make it. Raises KernelRefused."""


def make_rings(rings: Iterable[Made]) -> None:
    """Make all of them in parallel: making one waits for an RCU grace period.

    Raises KernelRefused.
    """
    failures: list[KernelRefused] = []

    def make(ring: Made) -> None:
        try:
            ring.make()
        except KernelRefused as error:
            failures.append(error)

    threads = [threading.Thread(target=make, args=(ring,)) for ring in rings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def packet_socket(namespace: Namespace) -> socket.socket:
    """A packet socket in the namespace, with protocol 0, which receives nothing.

    Raises KernelRefused.
    """
    with namespace.entered():
        try:
            return socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        except PermissionError:
            raise KernelRefused(
                f"cannot open a raw capture socket in namespace {namespace.name}: EPERM; run "
                "with sudo, or enable unprivileged user namespaces (see `wirelab doctor`)"
            ) from None


def refusal(attempt: str, error: OSError) -> str:
    """What could not be done, and the errno."""
    number = error.errno or 0
    return f"{attempt}: {errno.errorcode.get(number, number)} ({os.strerror(number)})"
