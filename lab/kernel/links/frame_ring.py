"""A ring with a slot for each frame, which whoever reads it has at once.

Reading it (PACKET_RX_RING, TPACKET_V2) takes no system call, and no frame is lost before it is
full, however busy the reader is.
Source: packet(7), Documentation/networking/packet_mmap.rst.
"""

from __future__ import annotations

import mmap
import socket
import struct
from typing import NamedTuple

from lab.errors import KernelRefused
from lab.kernel.capture.packet_mmap import (
    ETHERNET_HEADER_BYTES,
    PACKET_OUTGOING,
    TP_STATUS_USER,
    TP_STATUS_VLAN_VALID,
    VLAN_TAG_BYTES,
    with_tag,
)
from lab.kernel.capture.packet_socket import (
    PACKET_IGNORE_OUTGOING,
    SOL_PACKET,
    PacketSocket,
    refusal,
)
from lab.kernel.system import libc

TPACKET_V2 = 1
BLOCK_BYTES = 1 << 18
RING_MIN_BYTES = 1 << 22
RING_MAX_BYTES = 1 << 24
RING_MIN_SLOTS = 128
SLOT_MIN_BYTES = 2048

# struct tpacket2_hdr, then struct sockaddr_ll at the next multiple of 16.
_SLOT = struct.Struct("=IIIHHIIHH")
_WORD_BYTES = 4  # of the status, at the beginning of a slot
_LINK_ADDRESS_OFFSET = 32
_PACKET_TYPE_OFFSET = _LINK_ADDRESS_OFFSET + 10


class Slot(NamedTuple):
    """A frame as the ring had it."""

    time_ns: int
    is_outgoing: bool
    data: bytes
    """VLAN tag included."""
    wire_bytes: int
    """More than len(data) of a frame above the MTU that the ring was made for."""


class FrameRing(PacketSocket):
    """A packet socket that receives every frame of an interface into its ring."""

    def __init__(
        self, endpoint: socket.socket, name: str, slot_bytes: int, ring_bytes: int
    ) -> None:
        """As PacketSocket has it."""
        super().__init__(endpoint, name)
        self._slot_bytes = slot_bytes
        self._ring_bytes = ring_bytes
        self._slots = self._ring_bytes // self._slot_bytes
        self._next = 0
        self._ring: mmap.mmap
        self._words: memoryview

    def make(self) -> None:
        """Let the kernel allocate the ring, and map it.

        Raises KernelRefused.
        """
        blocks = self._ring_bytes // BLOCK_BYTES
        wanted = struct.pack("=IIII", BLOCK_BYTES, blocks, self._slot_bytes, self._slots)
        try:
            self._ask_for_ring(TPACKET_V2, wanted)
            self._ring = mmap.mmap(self._socket.fileno(), self._ring_bytes)
            self._words = memoryview(self._ring).cast("I")
        except KernelRefused as error:
            raise KernelRefused(f"cannot capture on {self._name}: {error}") from error
        except OSError as error:
            raise KernelRefused(refusal(f"cannot capture on {self._name}", error)) from error

    def leave_out_outgoing(self) -> None:
        """Receive what comes in alone, from now on. Raises KernelRefused; Linux 4.20."""
        libc.setsockopt(self.fileno(), SOL_PACKET, PACKET_IGNORE_OUTGOING, struct.pack("=i", 1))

    def read(self) -> list[Slot]:
        """The frames received since the last call, in the kernel's order."""
        # One slot after another, and little for each: it is as long as the ring has to hold.
        ring, words, slot_bytes = self._ring, self._words, self._slot_bytes
        frames: list[Slot] = []
        while True:
            start = self._next * slot_bytes
            if not words[start // _WORD_BYTES] & TP_STATUS_USER:
                return frames
            status, length, snapped, mac_offset, _, seconds, nanoseconds, tci, tpid = (
                _SLOT.unpack_from(ring, start)
            )
            at = start + mac_offset
            data = ring[at : at + snapped]
            if status & TP_STATUS_VLAN_VALID:
                data = with_tag(data, status, tci, tpid)
                length += VLAN_TAG_BYTES
            is_outgoing = ring[start + _PACKET_TYPE_OFFSET] == PACKET_OUTGOING
            frames.append(Slot(seconds * 1_000_000_000 + nanoseconds, is_outgoing, data, length))
            # Gives the slot back to the kernel, in one store: struct's pack_into makes two, and
            # what a full ring's kernel has put into the slot between them would be gone.
            words[start // _WORD_BYTES] = 0
            self._next = (self._next + 1) % self._slots


def ring_for(endpoint: socket.socket, name: str, mtu_bytes: int, share_bytes: int) -> FrameRing:
    """A ring for frames up to that MTU, with that share of memory within bounds."""
    slot_bytes = _slot_bytes(mtu_bytes)
    return FrameRing(endpoint, name, slot_bytes, _ring_bytes(slot_bytes, share_bytes))


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
