"""What happens to the sockets and packets of the run's network namespaces alone."""

from __future__ import annotations

import struct
from collections.abc import Collection

from lab.errors import KernelRefused
from lab.kernel.trace.bpf import bpf
from lab.kernel.trace.bpf.bpf import MapType, ProgramReader
from lab.kernel.trace.bpf.btf import Btf, kernel_btf
from lab.kernel.trace.bpf.builder import WAKE_UP_BYTES
from lab.kernel.trace.networks.network_programs import (
    SCRATCH_BYTES,
    NetworkMaps,
    Offsets,
    TcpOffsets,
    drop_program,
    received_reset_program,
    retransmission_program,
    sent_reset_program,
    state_program,
    synack_program,
)

RING_BYTES = 4 * WAKE_UP_BYTES
NAMESPACES_LIMIT = 4096
_KEY = struct.Struct("=I")

_STATE = "inet_sock_set_state"
_UNEXPLAINED = "NOT_SPECIFIED"
"""The reason of a drop with which Linux frees packets that it has used, too, such as the last ACK
of a connection."""


class NetworkReader(ProgramReader):
    """Reads what happens in the namespaces of `follow`, until `forget` or `close`."""

    def __init__(self) -> None:
        """Start to read; nothing is recorded before `follow`. Raises KernelRefused."""
        self.why_no_closings = ""
        """Why it is unknown what sockets had when they were closed; "" if it is."""
        self.drop_reasons: dict[int, str] = {}
        """Those of dropped packets by their numbers, as this kernel has them."""
        self.reset_reasons: dict[int, str] = {}
        """The same of RSTs; empty if it gives none (Linux does since 6.10)."""
        super().__init__(RING_BYTES, "wirelab_net")

    def _install(self) -> None:
        btf = kernel_btf()
        self.drop_reasons = btf.names("skb_drop_reason", "SKB_DROP_REASON_")
        self.reset_reasons = btf.names("sk_rst_reason", "SK_RST_REASON_")
        self._namespaces = self._map(MapType.HASH, _KEY.size, 1, NAMESPACES_LIMIT, "wirelab_nets")
        scratch = self._map(MapType.PERCPU_ARRAY, 4, SCRATCH_BYTES, 1, "wirelab_scratch")
        offsets = Offsets.of(btf)
        maps = NetworkMaps(self._namespaces, scratch, self._ring.map, self._lost)
        self._attach(_STATE, self._state_code(btf, maps, offsets), btf.tracepoint(_STATE).number)
        for tracepoint, code in self._codes(btf, maps, offsets).items():
            self._attach(tracepoint, code)

    def _state_code(self, btf: Btf, maps: NetworkMaps, offsets: Offsets) -> bytes:
        try:
            tcp = TcpOffsets.of(btf)
        except KernelRefused as error:
            tcp, self.why_no_closings = None, str(error)
        return state_program(maps, offsets, tcp)

    def _codes(self, btf: Btf, maps: NetworkMaps, offsets: Offsets) -> dict[str, bytes]:
        """The programs without types by their tracepoints."""
        unexplained = [number for number, name in self.drop_reasons.items() if name == _UNEXPLAINED]
        if not unexplained:
            raise KernelRefused("the kernel gives no reasons for drops (Linux does since 5.17)")
        drop, resent, reset = map(
            btf.tracepoint, ("kfree_skb", "tcp_retransmit_skb", "tcp_send_reset")
        )
        return {
            "kfree_skb": drop_program(
                maps, offsets, unexplained[0], names_receiver=drop.arguments > 3
            ),
            "tcp_retransmit_skb": retransmission_program(
                maps, offsets, has_error=resent.arguments > 2
            ),
            "tcp_retransmit_synack": synack_program(maps, offsets),
            "tcp_send_reset": sent_reset_program(maps, offsets, has_reason=reset.arguments > 2),
            "tcp_receive_reset": received_reset_program(maps, offsets),
        }

    def follow(self, namespaces: Collection[int]) -> None:
        """Record from now on what happens in these, by their inodes. Raises KernelRefused."""
        for inode in namespaces:
            bpf.write_entry(self._namespaces, _KEY.pack(inode), b"\1")

    def forget(self) -> None:
        """See ProgramReader: those namespaces are not followed any more, either."""
        bpf.clear(self._namespaces, _KEY.size)
        self._ring.read()

    def take(self) -> list[bytes]:
        """The records since the last call, for `parse_network_records`; without waiting."""
        return list(bpf.records_of(self._ring.read()))
