"""A packet socket's ring: the frames of an interface, in memory shared with the kernel.

Reading it (PACKET_RX_RING, TPACKET_V2) takes no system call, and no frame is lost before it is
full, however busy the reader is.
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
from collections.abc import Iterable
from typing import NamedTuple

from lab.errors import KernelRefused
from lab.kernel.network.namespace import Namespace
from lab.kernel.system import libc

ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_RX_RING = 5
PACKET_STATISTICS = 6
PACKET_VERSION = 10
PACKET_IGNORE_OUTGOING = 23
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


class Slot(NamedTuple):
    """A frame as the ring had it."""

    time_ns: int
    is_outgoing: bool
    data: bytes
    """VLAN tag included."""
    wire_bytes: int
    """More than len(data) of a frame above the MTU that the ring was made for."""


class PacketRing:
    """A packet socket that receives every frame of an interface into its ring."""

    def __init__(
        self, endpoint: socket.socket, name: str, slot_bytes: int, ring_bytes: int
    ) -> None:
        """`endpoint` has protocol 0: it receives nothing before bind(). `name` is its point's."""
        self._socket = endpoint
        self._name = name
        self._slot_bytes = slot_bytes
        self._ring_bytes = ring_bytes
        self._slots = self._ring_bytes // self._slot_bytes
        self._next = 0
        self._ring: mmap.mmap
        self._words: memoryview
        self.frames = 0
        """Those that the kernel has counted, those it dropped among them; see count()."""
        self.dropped = 0
        self._read = 0

    def make(self) -> None:
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
            raise KernelRefused(f"cannot capture on {self._name}: {error}") from error
        except OSError as error:
            raise KernelRefused(refusal(f"cannot capture on {self._name}", error)) from error

    def bind(self, interface: str) -> None:
        """Begin to receive.

        Raises KernelRefused.
        """
        try:
            self._socket.bind((interface, ETH_P_ALL))
        except OSError as error:
            raise KernelRefused(refusal(f"cannot capture on {self._name}", error)) from error

    def leave_out_outgoing(self) -> None:
        """Receive what comes in alone, from now on. Raises KernelRefused; Linux 4.20."""
        libc.setsockopt(self.fileno(), SOL_PACKET, PACKET_IGNORE_OUTGOING, struct.pack("=i", 1))

    def fileno(self) -> int:
        """The descriptor, readable when frames are in the ring."""
        return self._socket.fileno()

    def read(self) -> list[Slot]:
        """The frames received since the last call, in the kernel's order."""
        # One slot after another, and little for each: it is as long as the ring has to hold.
        ring, words, slot_bytes = self._ring, self._words, self._slot_bytes
        frames: list[Slot] = []
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
            frames.append(Slot(seconds * 1_000_000_000 + nanoseconds, is_outgoing, data, length))
            # Gives the slot back to the kernel, in one store: struct's pack_into makes two, and
            # what a full ring's kernel has put into the slot between them would be gone.
            words[start // _WORD_BYTES] = 0
            self._next = (self._next + 1) % self._slots

    def stop(self) -> None:
        """Receive no further frames, and count none.

        Those that have been counted are still to be read, and one that is on its way to the ring
        may still be counted: see is_read. Raises KernelRefused.
        """
        try:
            program = ctypes.create_string_buffer(_NO_FRAME, len(_NO_FRAME))
            filter_ = struct.pack("@HP", 1, ctypes.addressof(program))
            self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, filter_)
        except OSError as error:
            raise KernelRefused(
                refusal(f"cannot end the capture on {self._name}", error)
            ) from error

    def is_read(self) -> bool:
        """Whether every frame that the kernel has counted was read, or dropped by the kernel.

        Raises KernelRefused.
        """
        self.count()
        return self._read == self.frames - self.dropped

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

    def close(self) -> None:
        """Receive no more and free the memory. Waits for two RCU grace periods, of some 10 ms."""
        self._words.release()
        self._ring.close()
        self._socket.close()


def ring_for(endpoint: socket.socket, name: str, mtu_bytes: int, share_bytes: int) -> PacketRing:
    """A ring for frames up to that MTU, with that share of memory within bounds; see PacketRing."""
    slot_bytes = _slot_bytes(mtu_bytes)
    return PacketRing(endpoint, name, slot_bytes, _ring_bytes(slot_bytes, share_bytes))


def make_rings(rings: Iterable[PacketRing]) -> None:
    """Make all of them in parallel: making one waits for an RCU grace period.

    Raises KernelRefused.
    """
    failures: list[KernelRefused] = []

    def make(ring: PacketRing) -> None:
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


def refusal(attempt: str, error: OSError) -> str:
    """What could not be done, and the errno."""
    number = error.errno or 0
    return f"{attempt}: {errno.errorcode.get(number, number)} ({os.strerror(number)})"
