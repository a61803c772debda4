"""Captures every frame that passes an interface, by an AF_PACKET SOCK_RAW socket and its ring.

The ring (PACKET_RX_RING, TPACKET_V2) is memory shared with the kernel: reading it takes no system
call, and no frame is lost before the ring is full, however busy the reader is.
Source: packet(7), Documentation/networking/packet_mmap.rst.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
import threading
from collections.abc import Iterable, Sequence

from lab.errors import KernelRefused
from lab.frozen import frozen
from lab.kernel.network.namespace import Namespace
from lab.kernel.system import libc
from lab.records import CapturePoint, Direction, Frame

ETH_P_ALL = 0x0003
ETH_P_LOCAL_EXPERIMENTAL = 0x88B5  # IEEE 802: for experiments within one network
SOL_PACKET = 263
PACKET_RX_RING = 5
PACKET_STATISTICS = 6
PACKET_VERSION = 10
TPACKET_V2 = 1
TP_STATUS_USER = 0x1
TP_STATUS_VLAN_VALID = 0x10
TP_STATUS_VLAN_TPID_VALID = 0x40
PACKET_OUTGOING = 4
# With SO_TIMESTAMPNS the kernel stamps frames when they arrive, not when they reach the ring.
SO_TIMESTAMPNS = 35
SO_ATTACH_FILTER = 26
_NO_FRAME = struct.pack("=HBBI", 0x06, 0, 0, 0)  # struct sock_filter: BPF_RET, of length 0

BLOCK_BYTES = 1 << 18
# Two busy programs on two CPUs fill 4 MiB in 30 ms, less than a reader may have to wait.
RING_MIN_BYTES = 1 << 22
RING_MAX_BYTES = 1 << 24
ALL_RINGS_BYTES = 1 << 26
RING_MIN_SLOTS = 128
SLOT_MIN_BYTES = 2048
ETHERNET_HEADER_BYTES = 14
VLAN_TAG_BYTES = 4

# struct tpacket2_hdr, then struct sockaddr_ll at the next multiple of 16.
_SLOT = struct.Struct("=IIIHHIIHH")
_WORD_BYTES = 4  # of the status, at the beginning of a slot
_LINK_ADDRESS_OFFSET = 32
_PACKET_TYPE_OFFSET = _LINK_ADDRESS_OFFSET + 10
_STATISTICS = struct.Struct("=II")

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


class Capture:
    """A running capture on one interface."""

    def __init__(
        self,
        point: PointName,
        endpoint: socket.socket,
        sender: socket.socket,
        slot_bytes: int,
        ring_bytes: int,
    ) -> None:
        self.point = point
        self._socket = endpoint
        self._sender = sender
        self._slot_bytes = slot_bytes
        self._ring_bytes = ring_bytes
        self._slots = ring_bytes // slot_bytes
        self._next = 0
        self._ring: mmap.mmap
        self._words: memoryview
        self._frames = 0
        self._dropped = 0
        self._read = 0

    def make_ring(self) -> None:
        """Let the kernel allocate the ring, and map it.

        Raises KernelRefused.
        """
        blocks = self._ring_bytes // BLOCK_BYTES
        ring = struct.pack("=IIII", BLOCK_BYTES, blocks, self._slot_bytes, self._slots)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self._socket.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
            # libc's, not socket's own, which would keep the other threads waiting.
            libc.setsockopt(self._socket.fileno(), SOL_PACKET, PACKET_RX_RING, ring)
            self._ring = mmap.mmap(self._socket.fileno(), self._ring_bytes)
            self._words = memoryview(self._ring).cast("I")
        except KernelRefused as error:
            raise KernelRefused(f"cannot capture on {self.point.name}: {error}") from error
        except OSError as error:
            raise KernelRefused(_refusal(f"cannot capture on {self.point.name}", error)) from error

    def bind(self) -> None:
        """Begin to capture.

        Raises KernelRefused.
        """
        try:
            self._socket.bind((self.point.interface, ETH_P_ALL))
        except OSError as error:
            raise KernelRefused(_refusal(f"cannot capture on {self.point.name}", error)) from error

    def fileno(self) -> int:
        """The descriptor, readable when frames are in the ring."""
        return self._socket.fileno()

    def read_frames(self) -> list[Frame]:
        """The frames captured since the last call, in the kernel's order."""
        # One slot after another, and little for each: it is as long as the ring has to hold.
        ring, words, slot_bytes, name = self._ring, self._words, self._slot_bytes, self.point.name
        frames: list[Frame] = []
        while True:
            start = self._next * slot_bytes
            if not words[start // _WORD_BYTES] & TP_STATUS_USER:
                self._read += len(frames)
                return frames
            status, length, snapped, mac_offset, _, seconds, nanoseconds, tci, tpid = (
                _SLOT.unpack_from(ring, start)
            )
            at = start + mac_offset
            data = ring[at : at + snapped]
            if status & TP_STATUS_VLAN_VALID:
                # The kernel takes the tag out of the frame; put it back where it was.
                kind = tpid if status & TP_STATUS_VLAN_TPID_VALID else 0x8100
                data = data[:12] + struct.pack("!HH", kind, tci) + data[12:]
                length += VLAN_TAG_BYTES
            is_outgoing = ring[start + _PACKET_TYPE_OFFSET] == PACKET_OUTGOING
            time_ns = seconds * 1_000_000_000 + nanoseconds
            # Fewer bytes were captured of a frame above the MTU that the link was made with.
            frames.append(Frame(time_ns, name, OUT if is_outgoing else IN, data, length))
            # Gives the slot back to the kernel, in one store: struct's pack_into makes two, and
            # what a full ring's kernel has put into the slot between them would be gone.
            words[start // _WORD_BYTES] = 0
            self._next = (self._next + 1) % self._slots

    def statistics(self) -> CapturePoint:
        """The capture point with the kernel's counts since the capture was opened."""
        self._count()
        point = self.point
        return CapturePoint(
            point.name, point.host, point.interface, point.link, self._frames, self._dropped
        )

    def stop(self) -> None:
        """Capture no further frames, and count none.

        Those that have been counted are still to be read, and one that is on its way to the ring
        may still be counted: see is_read. Raises KernelRefused.
        """
        try:
            program = ctypes.create_string_buffer(_NO_FRAME, len(_NO_FRAME))
            filter_ = struct.pack("@HP", 1, ctypes.addressof(program))
            self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, filter_)
        except OSError as error:
            what = f"cannot end the capture on {self.point.name}"
            raise KernelRefused(_refusal(what, error)) from error

    def is_read(self) -> bool:
        """Whether every frame that the kernel has counted was read, or dropped by the kernel."""
        self._count()
        return self._read == self._frames - self._dropped

    def _count(self) -> None:
        # Reading the counters sets them to zero. Dropped frames are among the frames.
        raw = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, _STATISTICS.size)
        frames, dropped = _STATISTICS.unpack(raw)
        self._frames += frames
        self._dropped += dropped

    def send_frame(self, frame: bytes) -> None:
        """Send one frame, from its Ethernet header on; this capture sees it leave.

        Raises KernelRefused.
        """
        try:
            self._sender.sendto(frame, (self.point.interface, ETH_P_LOCAL_EXPERIMENTAL))
        except OSError as error:
            attempt = f"cannot send a frame on {self.point.name}"
            raise KernelRefused(_refusal(attempt, error)) from error

    def clear_error(self) -> None:
        """Have its descriptor readable by frames alone.

        It is so as well from the moment when its interface went down or away. Source: poll(2).
        """
        self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def close_sender(self) -> None:
        """Close the canaries' socket."""
        self._sender.close()

    def close_ring(self) -> None:
        """End the capture and free its memory."""
        self._words.release()
        self._ring.close()
        self._socket.close()


def open_captures(
    wanted: Sequence[tuple[Namespace, PointName, int]],
) -> list[Capture]:
    """A capture of every whole frame, both directions, for each (namespace, point, MTU).

    A socket is opened with protocol 0, which receives nothing, and bound to its interface when
    its ring is ready: opened with ETH_P_ALL it would capture on every interface until then.
    Making a ring waits for an RCU grace period, so all are made in parallel.

    Raises KernelRefused.
    """
    share = ALL_RINGS_BYTES // max(1, len(wanted))
    captures = [_unbound_capture(*one, share) for one in wanted]
    failures: list[KernelRefused] = []

    def make_ring(capture: Capture) -> None:
        try:
            capture.make_ring()
        except KernelRefused as error:
            failures.append(error)

    threads = [threading.Thread(target=make_ring, args=(capture,)) for capture in captures]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    for capture in captures:
        capture.bind()
    return captures


def close_captures(captures: Iterable[Capture]) -> None:
    """End captures, without waiting.

    Closing a packet socket waits for an RCU grace period of some 10 ms, or for two if it has a
    ring. So each is closed by a thread of its own.
    """
    for capture in captures:
        threading.Thread(target=capture.close_sender).start()
        threading.Thread(target=capture.close_ring).start()


def _unbound_capture(
    namespace: Namespace, point: PointName, mtu_bytes: int, share_bytes: int
) -> Capture:
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    with namespace.entered():
        try:
            endpoint = socket.socket(socket.AF_PACKET, kind, 0)
            # A socket's own frames are not shown to it: canaries need another.
            sender = socket.socket(socket.AF_PACKET, kind, 0)
        except PermissionError:
            raise KernelRefused(
                f"cannot open a raw capture socket in namespace {namespace.name}: EPERM; run "
                "with sudo, or enable unprivileged user namespaces (see `wirelab doctor`)"
            ) from None
    slot_bytes = _slot_bytes(mtu_bytes)
    return Capture(point, endpoint, sender, slot_bytes, _ring_bytes(slot_bytes, share_bytes))


def _slot_bytes(mtu_bytes: int) -> int:
    """The size of a ring's slot: a power of two with room for the largest frame and its header."""
    # 128 covers tpacket2_hdr, sockaddr_ll, the alignments and the tag room (TPACKET2_HDRLEN).
    needed = mtu_bytes + ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES + 128
    slot_bytes = SLOT_MIN_BYTES
    while slot_bytes < needed:
        slot_bytes *= 2
    return slot_bytes


def _ring_bytes(slot_bytes: int, share_bytes: int) -> int:
    """The ring's size in whole blocks: its share of all rings' memory, within bounds."""
    bounded = min(RING_MAX_BYTES, max(RING_MIN_BYTES, share_bytes))
    return max(bounded // BLOCK_BYTES * BLOCK_BYTES, RING_MIN_SLOTS * slot_bytes)


def _refusal(attempt: str, error: OSError) -> str:
    number = error.errno or 0
    return f"{attempt}: {errno.errorcode.get(number, number)} ({os.strerror(number)})"
