"""A packet socket's ring of blocks: the frames of an interface, in memory shared with the kernel.

The kernel fills one block after another (PACKET_RX_RING, TPACKET_V3), and hands each over when it
is full or has been open for a while. Frames lie close together, and whoever empties the ring is
woken once for a block. Until it is handed over a block can be looked at, but not taken.
Source: packet(7), Documentation/networking/packet_mmap.rst.
"""

from __future__ import annotations

import mmap
import socket
import struct
from typing import NamedTuple

from lab.errors import KernelRefused
from lab.kernel.capture.blocks import (
    COUNT_WORD,
    LENGTH_WORD,
    STATUS_WORD,
    block_header,
    sequence_of,
)
from lab.kernel.capture.packet_mmap import TP_STATUS_USER
from lab.kernel.capture.packet_socket import PacketSocket, refusal

TPACKET_V3 = 2
# Room for the largest frame, of 64 KiB, and its headers; the kernel wants a power of two pages.
BLOCK_BYTES = 1 << 18
MIN_BLOCKS = 2
FRAME_BYTES = 1 << 11  # as tp_frame_size, which says nothing where frames lie close together
_WORD_BYTES = 4


class RingPlace(NamedTuple):
    """How far the kernel has come in a ring: a block's number, and its used bytes."""

    sequence: int
    length: int


class BlockRing(PacketSocket):
    """A packet socket that receives every frame of an interface into its ring."""

    def __init__(self, endpoint: socket.socket, name: str, ring_bytes: int, retire_ms: int) -> None:
        """As PacketSocket has it; a block is handed over `retire_ms` after its first frame."""
        super().__init__(endpoint, name)
        self._blocks = max(MIN_BLOCKS, ring_bytes // BLOCK_BYTES)
        self._retire_ms = retire_ms
        self.given_back = 0
        """How many blocks, and so the number of the last one of them."""
        self._next = 0
        self._open = 0
        self._is_mapped = False
        self._ring: mmap.mmap
        self._bytes: memoryview
        self._words: memoryview

    @property
    def ring_bytes(self) -> int:
        """How much memory it has."""
        return self._blocks * BLOCK_BYTES

    def make(self) -> None:
        """Let the kernel allocate the ring, and map it.

        Raises KernelRefused.
        """
        frames = self.ring_bytes // FRAME_BYTES
        wanted = struct.pack(
            "=7I", BLOCK_BYTES, self._blocks, FRAME_BYTES, frames, self._retire_ms, 0, 0
        )
        try:
            self._ask_for_ring(TPACKET_V3, wanted)
        except KernelRefused as error:
            raise KernelRefused(f"cannot capture on {self._name}: {error}") from error
        except OSError as error:
            raise KernelRefused(refusal(f"cannot capture on {self._name}", error)) from error
        self.map()

    def map(self) -> None:
        """Map the ring that the kernel has. Raises KernelRefused."""
        try:
            self._ring = mmap.mmap(self._socket.fileno(), self.ring_bytes)
            # Each program is forked from here, and has no use for it.
            self._ring.madvise(mmap.MADV_DONTFORK)
        except OSError as error:
            raise KernelRefused(refusal(f"cannot capture on {self._name}", error)) from error
        self._bytes = memoryview(self._ring)
        self._words = self._bytes.cast("I")
        self._is_mapped = True

    def block(self) -> memoryview | None:
        """The used bytes of the next block that was handed over; None if none was."""
        word = self._next * BLOCK_BYTES // _WORD_BYTES
        if not self._words[word + STATUS_WORD] & TP_STATUS_USER:
            return None
        return self._used(word)

    def open_block(self) -> memoryview | None:
        """The used bytes of the block that is being filled, if there are frames in it.

        To be asked for when all others were given back.
        """
        # One that was not opened yet still says what it held before.
        is_new = sequence_of(self._bytes, self._next * BLOCK_BYTES) > self.given_back
        word = self._next * BLOCK_BYTES // _WORD_BYTES
        return self._used(word) if is_new and self._words[word + COUNT_WORD] else None

    def _used(self, word: int) -> memoryview:
        start = word * _WORD_BYTES
        return self._bytes[start : start + self._words[word + LENGTH_WORD]]

    def give_back(self) -> None:
        """Let the kernel fill the block that block() has returned."""
        self.given_back += 1
        # In one store, which is the last: the kernel may write into it from then on.
        self._words[self._next * BLOCK_BYTES // _WORD_BYTES + STATUS_WORD] = 0
        self._next = (self._next + 1) % self._blocks

    def go_on_after(self, sequence: int) -> None:
        """Have the block behind that one be the next: another process has taken all before it."""
        self.given_back = sequence
        self._next = sequence % self._blocks

    def place(self) -> RingPlace:
        """How far the kernel has come."""
        number = self._open
        sequence = sequence_of(self._bytes, number * BLOCK_BYTES)
        while True:
            following = (number + 1) % self._blocks
            next_sequence = sequence_of(self._bytes, following * BLOCK_BYTES)
            if next_sequence <= sequence:
                break
            number, sequence = following, next_sequence
        self._open = number
        return RingPlace(sequence, self._words[number * BLOCK_BYTES // _WORD_BYTES + LENGTH_WORD])

    def find(self, text: bytes, size: int, since: RingPlace) -> list[tuple[RingPlace, bytes]]:
        """Where that text is in the ring behind a place, with `size` bytes from there on.

        Of blocks that were given back meanwhile, whoever has taken them has what was there.
        """
        found: list[tuple[RingPlace, bytes]] = []
        for sequence in range(since.sequence, self.place().sequence + 1):
            start = (sequence - 1) % self._blocks * BLOCK_BYTES
            if sequence_of(self._bytes, start) != sequence:
                continue
            end = start + block_header(self._bytes, start).length
            at = start + (since.length if sequence == since.sequence else 0)
            here = []
            while (at := self._ring.find(text, at, end)) >= 0:
                here.append((RingPlace(sequence, at - start), self._ring[at : at + size]))
                at += len(text)
            if sequence_of(self._bytes, start) == sequence:
                found += here
        return found

    def close(self) -> None:
        """Receive no more and free the memory. Waits for two RCU grace periods, of some 10 ms."""
        if self._is_mapped:
            self._words.release()
            self._bytes.release()
            self._ring.close()
        self._socket.close()
