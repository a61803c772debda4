"""What rings of io_uring(7) have at the places of their registered files, call by call.

Source: io_uring_register(2), IORING_REGISTER_FILES; io_uring_enter(2), file_index.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from lab.records import RingUse, Syscall
from lab.syscalls.memory import descriptor_of, numbers_in, pointer_argument
from lab.syscalls.rings import CHANGE_FILES, REGISTER_FILES, REGISTERED_RING, UNREGISTER_FILES

PASSES_TO_RINGS = "msg_ring"
"""The operation that may put a file among those of another ring."""


class RegisteredFiles:
    """Objects by ring and place. A place whose object is unknown is absent."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: defaultdict[int, dict[int, int]] = defaultdict(dict)

    def at(self, use: RingUse, place: int) -> int | None:
        """The object there, or None."""
        return self._places[use.ring].get(place)

    def put(self, use: RingUse, what: int) -> None:
        """Put what an operation has made where it says."""
        assert use.place is not None
        self._places[use.ring][use.place] = what

    def drop(self, use: RingUse, place: int, what: int | None) -> None:
        """Remove this object, if it is there."""
        if what is not None and self.at(use, place) == what:
            del self._places[use.ring][place]

    def register(self, call: Syscall, held: Mapping[int, int]) -> None:
        """Follow an io_uring_register(2) that succeeded, as far as its memory was read.

        `held` are the objects of its process by descriptor.
        """
        assert call.ring is not None
        opcode = call.arguments[1] & 0xFFFFFFFF & ~REGISTERED_RING
        if opcode in CHANGE_FILES or opcode == UNREGISTER_FILES:
            self._places[call.ring.ring].clear()
        elif opcode == REGISTER_FILES:
            memory = pointer_argument(call, 2)
            numbers = numbers_in(memory.data) if memory is not None else ()
            self._places[call.ring.ring] = {
                place: held[number] for place, number in enumerate(numbers) if number in held
            }

    def forget(self, use: RingUse) -> None:
        """Forget what an operation may have changed that says too little of itself."""
        if use.operation == PASSES_TO_RINGS:
            self._places.clear()
        else:
            self._places[use.ring].clear()


def place_of(call: Syscall) -> int:
    """The place that an operation on a registered file names."""
    return descriptor_of(call.arguments[0])
