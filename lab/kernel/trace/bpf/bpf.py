"""BPF maps, programs and ring buffers. Each exists as long as its descriptor is open.

Source: bpf(2), include/uapi/linux/bpf.h, Documentation/bpf/ringbuf.rst.
"""

from __future__ import annotations

import contextlib
import ctypes
import enum
import mmap
import os
import select
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack

from lab.errors import KernelRefused
from lab.kernel.system import libc

_MAP_CREATE, _MAP_LOOKUP, _MAP_UPDATE, _MAP_DELETE, _MAP_NEXT_KEY = range(5)
_PROGRAM_LOAD, _RAW_TRACEPOINT_OPEN = 5, 17
_RAW_TRACEPOINT = 17  # BPF_PROG_TYPE_RAW_TRACEPOINT
_TRACING, _AT_RAW_TRACEPOINT = 26, 23  # BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP

# The parts of union bpf_attr: map_type, key_size, value_size, max_entries, map_flags,
# inner_map_fd, numa_node, map_name; map_fd, key, value, flags; prog_type, insn_cnt, insns,
# license, log_level, log_size, log_buf, kern_version, prog_flags, prog_name, prog_ifindex,
# expected_attach_type, .., attach_btf_id; name, prog_fd.
_MAP = struct.Struct("=7I16s")
_ELEMENT = struct.Struct("=I4xQQQ")
_PROGRAM = struct.Struct("=IIQQIIQII16s4xI36xI")
_ATTACHMENT = struct.Struct("=QI4x")

# The helpers that read memory may be called only by programs that declare this license.
_LICENSE = b"GPL"
_LOG_BYTES = 1 << 16
_NAME_BYTES = 15  # BPF_OBJ_NAME_LEN, without the NUL

# A record in the ring: its length with two flags, a page offset, then its bytes, to a
# multiple of 8.
_RECORD_HEADER = struct.Struct("=I4x")
_BUSY, _DISCARDED = 1 << 31, 1 << 30
_POSITION = _COUNT = struct.Struct("=Q")


class MapType(enum.IntEnum):
    """The members of enum bpf_map_type that are used."""

    HASH = 1
    ARRAY = 2
    PERCPU_ARRAY = 6
    RINGBUF = 27


def create_map(kind: MapType, key_bytes: int, value_bytes: int, entries: int, name: str) -> int:
    """A new map's descriptor. Raises KernelRefused."""
    attribute = _MAP.pack(kind, key_bytes, value_bytes, entries, 0, 0, 0, name.encode())
    return libc.bpf(_MAP_CREATE, attribute, f"create the BPF map {name}")


_FIRST = struct.Struct("=I").pack(0)


def read_value(descriptor: int, value_bytes: int) -> bytes:
    """The first value of an array. Raises KernelRefused."""
    value = ctypes.create_string_buffer(value_bytes)
    _at(_MAP_LOOKUP, descriptor, _FIRST, value, "read from a BPF map")
    return value.raw


def write_value(descriptor: int, value: bytes) -> None:
    """Write the first value of an array; `value` must have its length. Raises KernelRefused."""
    write_entry(descriptor, _FIRST, value)


def write_entry(descriptor: int, key: bytes, value: bytes) -> None:
    """Write a value; it and the key must have the map's lengths. Raises KernelRefused."""
    given = ctypes.create_string_buffer(value, len(value))
    _at(_MAP_UPDATE, descriptor, key, given, "write to a BPF map")


def clear(descriptor: int, key_bytes: int) -> None:
    """Remove every entry of a hash whose keys have that length. Raises KernelRefused."""
    key = ctypes.create_string_buffer(key_bytes)
    at = ctypes.addressof(key)
    first = _ELEMENT.pack(descriptor, 0, at, 0)
    while True:
        try:
            libc.bpf(_MAP_NEXT_KEY, first, "list a BPF map")
        except KernelRefused as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return
            raise
        libc.bpf(_MAP_DELETE, _ELEMENT.pack(descriptor, at, 0, 0), "empty a BPF map")


def _at(
    command: int, descriptor: int, key: bytes, value: ctypes.Array[ctypes.c_char], attempt: str
) -> None:
    at = ctypes.create_string_buffer(key, len(key))
    attribute = _ELEMENT.pack(descriptor, ctypes.addressof(at), ctypes.addressof(value), 0)
    libc.bpf(command, attribute, attempt)


def load_program(code: bytes, name: str, tracepoint: int | None = None) -> int:
    """The descriptor of a loaded program for a raw tracepoint.

    With the number of the type of its tracepoint, its arguments have types: what they point to may
    be read by plain loads. Raises KernelRefused, with the last lines of the verifier's log.
    """
    try:
        return _load(code, name, tracepoint, None)
    except KernelRefused as error:
        refusal = error
    # The log is requested only now: it makes the verifier several times slower.
    log = ctypes.create_string_buffer(_LOG_BYTES)
    with contextlib.suppress(KernelRefused):
        return _load(code, name, tracepoint, log)
    said = log.value.decode(errors="replace").splitlines()
    reasons = [line for line in said if line.strip() and not line.startswith("processed ")]
    raise KernelRefused("; ".join([str(refusal), *reasons[-2:]])) from refusal


def _load(
    code: bytes, name: str, tracepoint: int | None, log: ctypes.Array[ctypes.c_char] | None
) -> int:
    instructions, license_text = (ctypes.create_string_buffer(text) for text in (code, _LICENSE))
    attribute = _PROGRAM.pack(
        _RAW_TRACEPOINT if tracepoint is None else _TRACING,
        len(code) // 8,
        ctypes.addressof(instructions),
        ctypes.addressof(license_text),
        0 if log is None else 1,
        0 if log is None else len(log),
        0 if log is None else ctypes.addressof(log),
        0,
        0,
        name.encode()[:_NAME_BYTES],
        0 if tracepoint is None else _AT_RAW_TRACEPOINT,
        tracepoint or 0,
    )
    return libc.bpf(_PROGRAM_LOAD, attribute, f"load the BPF program {name}")


def attach(program: int, tracepoint: str, *, typed: bool = False) -> int:
    """A descriptor; the program runs at the tracepoint until it is closed. Raises KernelRefused.

    `typed`: it was loaded with the number of the tracepoint's type.
    """
    name = ctypes.create_string_buffer(tracepoint.encode())
    attribute = _ATTACHMENT.pack(0 if typed else ctypes.addressof(name), program)
    return libc.bpf(_RAW_TRACEPOINT_OPEN, attribute, f"attach to the tracepoint {tracepoint}")


def length_committed(data: bytes | mmap.mmap, start: int, available: int) -> int:
    """How many of the available bytes from `start` on are complete records.

    They end at a record that another processor is still writing.
    """
    done = 0
    while done < available:
        (header,) = _RECORD_HEADER.unpack_from(data, start + done)
        if header & _BUSY:
            break
        done += _space_taken(header)
    return done


def records_of(data: bytes) -> Iterator[bytes]:
    """The records in bytes read from a ring, without those that their writer discarded."""
    at = 0
    while at < len(data):
        (header,) = _RECORD_HEADER.unpack_from(data, at)
        first = at + _RECORD_HEADER.size
        at += _space_taken(header)
        if not header & _DISCARDED:
            yield data[first : first + (header & ~(_BUSY | _DISCARDED))]


def _space_taken(header: int) -> int:
    return ((header & ~(_BUSY | _DISCARDED)) + _RECORD_HEADER.size + 7) & ~7


class Ring:
    """The reader's side of a ring buffer, a map of `size` bytes (a power of two pages)."""

    def __init__(self, size: int, name: str) -> None:
        """Raises KernelRefused."""
        self.map = create_map(MapType.RINGBUF, 0, 0, size, name)
        self._size = size
        self._consumed = 0
        page = mmap.PAGESIZE
        try:
            self._consumer = mmap.mmap(self.map, page)
            # The writers' position; then the ring mapped twice, so that no record is split.
            self._data = mmap.mmap(self.map, page + 2 * size, prot=mmap.PROT_READ, offset=page)
        except OSError as error:
            os.close(self.map)
            raise KernelRefused(f"map the BPF ring buffer {name}: {error}") from error
        self._consumer_position = memoryview(self._consumer).cast("Q")
        # poll(2) of the ring itself returns while there is any byte in it: a poll loop would run
        # for every record. Edge-triggered epoll returns only when a writer asked for a wake-up.
        self._wake_up = select.epoll()
        self._wake_up.register(self.map, select.EPOLLIN | select.EPOLLET)

    def fileno(self) -> int:
        """Readable when a writer has asked for a wake-up since the last `read`."""
        return self._wake_up.fileno()

    def read(self) -> bytes:
        """What has been written since the last call, to be split by `records_of`; no waiting."""
        self._wake_up.poll(0)
        # On machines that reorder loads, the system call just made and the interpreter's work
        # between the loads make sure that this position is older than the headers read below.
        (produced,) = _POSITION.unpack_from(self._data)
        start = mmap.PAGESIZE + self._consumed % self._size
        length = length_committed(self._data, start, produced - self._consumed)
        taken = self._data[start : start + length]
        self._consumed += length
        # In one store: struct's pack_into makes two, and a writer that saw the position 0 between
        # them would find the ring full.
        self._consumer_position[0] = self._consumed
        return taken

    def close(self) -> None:
        """Free the memory and close the descriptors."""
        self._wake_up.close()
        self._consumer_position.release()
        self._consumer.close()
        self._data.close()
        os.close(self.map)


class ProgramReader(ABC):
    """Programs that write to one ring, with their maps, read until `close`.

    All is held by descriptors: the kernel frees it when the last process that has them ends,
    children forked meanwhile included.
    """

    def __init__(self, ring_bytes: int, name: str) -> None:
        """Start to read. Raises KernelRefused."""
        self._held = ExitStack()
        try:
            self._ring = Ring(ring_bytes, name)
            self._held.callback(self._ring.close)
            self._lost = self._map(MapType.ARRAY, 4, _COUNT.size, 1, "wirelab_lost")
            self._install()
        except BaseException:
            self._held.close()
            raise

    @abstractmethod
    def _install(self) -> None:
        """Make the other maps, and attach the programs. Raises KernelRefused."""

    @abstractmethod
    def forget(self) -> None:
        """Keep nothing of what was recorded, when nobody is followed any more.

        Whoever was must have ended: one that is in a call may leave something yet. Raises
        KernelRefused.
        """

    def _map(self, kind: MapType, key_bytes: int, value_bytes: int, entries: int, name: str) -> int:
        """A new map's descriptor. Raises KernelRefused."""
        descriptor = create_map(kind, key_bytes, value_bytes, entries, name)
        self._held.callback(os.close, descriptor)
        return descriptor

    def _attach(self, tracepoint: str, code: bytes, number: int | None = None) -> None:
        """Run a program there; it has types if it is given the number of the tracepoint's.

        Raises KernelRefused.
        """
        program = load_program(code, f"wirelab_{tracepoint}", number)
        self._held.callback(os.close, program)
        self._held.callback(os.close, attach(program, tracepoint, typed=number is not None))

    def _attach_if_there(self, tracepoint: str, code: bytes) -> bool:
        """The same, if the kernel has that tracepoint; whether it has. Raises KernelRefused."""
        try:
            self._attach(tracepoint, code)
        except KernelRefused as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            return False
        return True

    def descriptors(self) -> list[int]:
        """What to poll: readable when a writer has asked to be read."""
        return [self._ring.fileno()]

    @property
    def lost(self) -> int:
        """How many records have been lost so far because the ring was full."""
        return int(_COUNT.unpack(read_value(self._lost, _COUNT.size))[0])

    def close(self) -> None:
        """Stop reading and free everything."""
        self._held.close()
