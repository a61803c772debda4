"""Sockets' changes of state and dropped packets of the run's network namespaces alone.

The tracepoints' own records in tracefs do not say in which namespace they happened, nor which
packet it was: its address is used again at once. BPF programs do. All is held by descriptors,
as in pointer_reader.py.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Collection
from contextlib import ExitStack

from lab.errors import KernelRefused
from lab.kernel.trace.bpf import bpf
from lab.kernel.trace.bpf.bpf import MapType
from lab.kernel.trace.bpf.btf import kernel_btf
from lab.kernel.trace.bpf.network_programs import (
    SCRATCH_BYTES,
    NetworkMaps,
    Offsets,
    TcpOffsets,
    drop_program,
    reset_program,
    state_program,
)
from lab.kernel.trace.bpf.plans import REGISTERS

RING_BYTES = 1 << 22
NAMESPACES_LIMIT = 4096
_COUNT = struct.Struct("=Q")
_KEY = struct.Struct("=I")


class NetworkReader:
    """Reads what happens in the namespaces of `follow`, until `forget` or `close`."""

    def __init__(self, unexplained: int, *, names_receiver: bool) -> None:
        """Start to read; nothing is recorded before `follow`. Raises KernelRefused.

        `unexplained` is the number of the reason of packets that are freed after use,
        `names_receiver` whether the tracepoint kfree_skb has the receiving socket.
        """
        self.why_no_closings = ""
        """Why it is unknown what sockets had when they were closed; "" if it is."""
        self._held = ExitStack()
        try:
            self._install(unexplained, names_receiver=names_receiver)
        except BaseException:
            self._held.close()
            raise

    def _install(self, unexplained: int, *, names_receiver: bool) -> None:
        if os.uname().machine not in REGISTERS:
            raise KernelRefused(f"read packets by BPF: not known on {os.uname().machine}")
        btf = kernel_btf()
        offsets = Offsets.of(btf)
        try:
            tcp = TcpOffsets.of(btf)
        except KernelRefused as error:
            tcp, self.why_no_closings = None, str(error)
        self._ring = bpf.Ring(RING_BYTES, "wirelab_net")
        self._held.callback(self._ring.close)
        self._namespaces = self._map(MapType.HASH, 1, NAMESPACES_LIMIT, "wirelab_nets")
        self._lost = self._map(MapType.ARRAY, _COUNT.size, 1, "wirelab_lost")
        scratch = self._map(MapType.PERCPU_ARRAY, SCRATCH_BYTES, 1, "wirelab_scratch")
        maps = NetworkMaps(self._namespaces, scratch, self._ring.map, self._lost)
        codes = {
            "kfree_skb": drop_program(maps, offsets, unexplained, names_receiver=names_receiver),
            "inet_sock_set_state": state_program(maps, offsets, tcp),
            "tcp_send_reset": reset_program(maps, offsets),
        }
        for tracepoint, code in codes.items():
            program = bpf.load_program(code, f"wirelab_{tracepoint[:7]}")
            self._held.callback(os.close, program)
            self._held.callback(os.close, bpf.attach(program, tracepoint))

    def _map(self, kind: MapType, value_bytes: int, entries: int, name: str) -> int:
        descriptor = bpf.create_map(kind, _KEY.size, value_bytes, entries, name)
        self._held.callback(os.close, descriptor)
        return descriptor

    def follow(self, namespaces: Collection[int]) -> None:
        """Record from now on what happens in these, by their inodes. Raises KernelRefused."""
        for inode in namespaces:
            bpf.write_entry(self._namespaces, _KEY.pack(inode), b"\1")

    def forget(self) -> None:
        """Record nothing any more, and keep nothing of those namespaces. Raises KernelRefused."""
        bpf.clear(self._namespaces, _KEY.size)
        self._ring.read()

    def take(self) -> list[bytes]:
        """The records since the last call, for `parse_network_records`; without waiting."""
        return list(bpf.records_of(self._ring.read()))

    @property
    def lost(self) -> int:
        """How many records have been lost so far because the ring was full."""
        return int(_COUNT.unpack(bpf.read_value(self._lost, _COUNT.size))[0])

    def close(self) -> None:
        """Stop reading and free everything."""
        self._held.close()
