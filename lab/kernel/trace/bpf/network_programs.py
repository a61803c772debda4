"""The BPF programs that say in which network namespace something happened.

One runs at the raw tracepoint kfree_skb, when the kernel drops a packet, one at
inet_sock_set_state, one at tcp_send_reset. Each looks the namespace up among those of the run
first: of everything else that the machine does, however much that is, nothing is recorded.
"""

from __future__ import annotations

from lab.frozen import frozen
from lab.kernel.trace.bpf.btf import Btf
from lab.kernel.trace.bpf.builder import MAP_LOOKUP
from lab.kernel.trace.bpf.code import Calculation, Code, Condition, Register, Width
from lab.kernel.trace.bpf.network_records import (
    CLOSED,
    DROP,
    DROP_HEADER,
    HEADER,
    PACKET_BYTES,
    RESET,
    STATE,
)

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, STACK = Register

# enum bpf_func_id
_PROBE_READ_KERNEL, _RINGBUF_OUTPUT = 113, 130
_KTIME_GET_TAI_NS = 208  # since Linux 6.1: the clock of the trace

_NO_WAKEUP = 1  # BPF_RB_NO_WAKEUP: the ring is read several times a second

_READ = -8  # on the stack: what was read from the kernel's memory last
_KEY = -16  # a map's key, of 32 bits
_START = -24  # where in its memory the packet begins

_NO_HEADER = 0xFFFF  # skb_network_header_was_set()
_LENGTH_MASK = 0xFF
assert PACKET_BYTES <= _LENGTH_MASK

SCRATCH_BYTES = max(DROP_HEADER.size + _LENGTH_MASK, CLOSED.size)


@frozen
class Offsets:
    """Of the members that the programs read, in bytes."""

    skb_device: int
    skb_socket: int
    skb_interface: int
    skb_length: int
    skb_protocol: int
    skb_network_header: int
    skb_tail: int
    skb_head: int
    skb_data: int
    device_network: int
    socket_network: int
    network_inode: int

    @classmethod
    def of(cls, btf: Btf) -> Offsets:
        """This kernel's. Raises KernelRefused where it has no such member."""
        of_packet = btf.offsets(
            "sk_buff", "dev", "sk", "skb_iif", "len", "protocol", "network_header", "tail", "head",
            "data",
        )  # fmt: skip
        networks = btf.offset("net_device", "nd_net"), btf.offset("sock_common", "skc_net")
        inode = btf.offset("net", "ns") + btf.offset("ns_common", "inum")
        return cls(*(*of_packet, *networks, inode))


_OF_SOCK = ("sk_ack_backlog", "sk_max_ack_backlog")
_OF_CONNECTION = ("icsk_pmtu_cookie",)
_OF_TCP = (
    "rcv_nxt",
    "copied_seq",
    "write_seq",
    "snd_una",
    "srtt_us",
    "mdev_us",
    "snd_cwnd",
    "snd_ssthresh",
    "total_retrans",
    "lost_out",
    "packets_out",
    "reordering",
    "mss_cache",
    "bytes_acked",
    "bytes_received",
)
_TCP_CLOSE = 7
_IPPROTO_TCP = 6
_OLD, _NEW = 8, 16
"""Where in the context of inet_sock_set_state the two states are."""


@frozen
class TcpOffsets:
    """Of the members of a TCP socket that are read when it is closed, in bytes."""

    protocol: int
    words: tuple[int, ...]
    """Those of 32 bits, in the order in which ClosedOfRun has them."""
    longs: tuple[int, ...]
    """Those of 64 bits."""

    @classmethod
    def of(cls, btf: Btf) -> TcpOffsets:
        """This kernel's. Raises KernelRefused where it has no such member."""
        protocol, waiting, limit = btf.offsets("sock", "sk_protocol", *_OF_SOCK)
        (pmtu,) = btf.offsets("inet_connection_sock", *_OF_CONNECTION)
        *words, acked, received = btf.offsets("tcp_sock", *_OF_TCP)
        return cls(protocol, (*words[:4], waiting, limit, *words[4:], pmtu), (acked, received))


@frozen
class NetworkMaps:
    """Descriptors of the maps that the programs share."""

    namespaces: int
    """By a network namespace's inode, a u32: those of the run."""
    scratch: int
    """An array of one value for each processor."""
    ring: int
    lost: int
    """An array of one value, of 64 bits: how many records did not fit."""


class _Builder:
    """What all of them do. R6 is the context, R7 the object, R9 the record."""

    def __init__(self, maps: NetworkMaps, offsets: Offsets) -> None:
        self.code = Code()
        self.end = self.code.label()
        self.offsets = offsets
        self._maps = maps
        self.code.move(R6, R1)
        self.code.load(Width.U64, R7, R6, 0)

    def read(self, pointer: Register, offset: int, size: int) -> None:
        """Read so many bytes of the kernel's memory to the stack; end the program on failure."""
        code = self.code
        self.code.stack_address(R1, _READ)
        code.move(R2, size)
        code.move(R3, pointer)
        code.add(R3, offset)
        code.call(_PROBE_READ_KERNEL)
        code.jump_if(R0, Condition.NE, 0, self.end)

    def read_pointer(self, target: Register, pointer: Register, offset: int) -> None:
        """`target` becomes the pointer at that offset of what `pointer` points to."""
        self.read(pointer, offset, 8)
        self.code.load(Width.U64, target, STACK, _READ)

    def begin_record(self, kind: int) -> None:
        """Write the record's header if the struct net at R8 is of the run; else end."""
        code = self.code
        code.jump_if(R8, Condition.EQ, 0, self.end)
        self.read(R8, self.offsets.network_inode, 4)
        code.load(Width.U32, R8, STACK, _READ)
        code.store(Width.U32, STACK, _KEY, R8)
        self._look_up(self._maps.namespaces)
        code.store(Width.U32, STACK, _KEY, 0)
        self._look_up(self._maps.scratch)
        code.move(R9, R0)
        code.call(_KTIME_GET_TAI_NS)
        code.store(Width.U64, R9, 0, R0)
        code.store(Width.U64, R9, 8, R7)
        code.store(Width.U32, R9, 16, R8)
        code.store(Width.U32, R9, 20, kind)

    def copy(self, source: int, size: int, width: Width, target: int) -> None:
        """Copy a member of the object into the record."""
        self.read(R7, source, size)
        self.code.load(width, R1, STACK, _READ)
        self.code.store(width, R9, target, R1)

    def finish(self, length: int | Register) -> bytes:
        """Put the record into the ring, or count it as lost; the whole program."""
        code = self.code
        code.load_map(R1, self._maps.ring)
        code.move(R2, R9)
        code.move(R3, length)
        code.move(R4, _NO_WAKEUP)
        code.call(_RINGBUF_OUTPUT)
        code.jump_if(R0, Condition.EQ, 0, self.end)
        code.load_map_value(R1, self._maps.lost)
        code.move(R2, 1)
        code.add_atomically(R1, 0, R2)
        code.place(self.end)
        code.move(R0, 0)
        code.exit()
        return code.assemble()

    def _look_up(self, map_: int) -> None:
        """R0 becomes the address of the value of the key on the stack; without one, end."""
        self.code.load_map(R1, map_)
        self.code.stack_address(R2, _KEY)
        self.code.call(MAP_LOOKUP)
        self.code.jump_if(R0, Condition.EQ, 0, self.end)


def state_program(maps: NetworkMaps, offsets: Offsets, tcp: TcpOffsets | None) -> bytes:
    """The program at inet_sock_set_state: a record for each change of the run's sockets.

    Where it is known how, one of a TCP socket that is closed has what the socket had then.
    """
    builder = _Builder(maps, offsets)
    code, known = builder.code, builder.code.label()
    builder.read_pointer(R8, R7, offsets.socket_network)
    builder.begin_record(STATE)
    code.move(R8, HEADER.size)
    if tcp is not None:
        code.load(Width.U32, R1, R6, _NEW)
        code.jump_if(R1, Condition.NE, _TCP_CLOSE, known)
        builder.read(R7, tcp.protocol, 2)
        code.load(Width.U16, R1, STACK, _READ)
        code.jump_if(R1, Condition.NE, _IPPROTO_TCP, known)
        code.load(Width.U32, R1, R6, _OLD)
        code.store(Width.U32, R9, HEADER.size, R1)
        first = HEADER.size + 4
        for place, offset in enumerate(tcp.words):
            builder.copy(offset, 4, Width.U32, first + 4 * place)
        first = CLOSED.size - 8 * len(tcp.longs)
        for place, offset in enumerate(tcp.longs):
            builder.copy(offset, 8, Width.U64, first + 8 * place)
        code.move(R8, CLOSED.size)
    code.place(known)
    return builder.finish(R8)


def reset_program(maps: NetworkMaps, offsets: Offsets) -> bytes:
    """The program at tcp_send_reset: a record for each RST that answers a packet of nobody's.

    What a socket sends is known by the socket. Source: include/trace/events/tcp.h.
    """
    builder = _Builder(maps, offsets)
    builder.code.jump_if(R7, Condition.NE, 0, builder.end)
    builder.code.load(Width.U64, R7, R6, 8)
    builder.code.jump_if(R7, Condition.EQ, 0, builder.end)
    builder.read_pointer(R8, R7, offsets.skb_device)
    builder.code.jump_if(R8, Condition.EQ, 0, builder.end)
    builder.read_pointer(R8, R8, offsets.device_network)
    builder.begin_record(RESET)
    return builder.finish(HEADER.size)


def drop_program(
    maps: NetworkMaps, offsets: Offsets, unexplained: int, *, names_receiver: bool
) -> bytes:
    """The program at kfree_skb: a record for each packet dropped in the run's namespaces.

    `unexplained` is the reason of packets that are freed after use. A packet's namespace is its
    device's; TCP takes that away, then it is its socket's. Since Linux 6.11 the tracepoint names
    the receiving one (`names_receiver`).
    """
    builder = _Builder(maps, offsets)
    code, of_socket, known = builder.code, builder.code.label(), builder.code.label()
    sender, none = code.label(), code.label()
    code.load(Width.U64, R8, R6, 16)
    code.jump_if(R8, Condition.EQ, unexplained, builder.end)
    builder.read_pointer(R8, R7, offsets.skb_device)
    code.jump_if(R8, Condition.EQ, 0, sender)
    builder.read_pointer(R8, R8, offsets.device_network)
    code.jump(known)
    code.place(sender)
    if names_receiver:
        code.load(Width.U64, R8, R6, 24)
        code.jump_if(R8, Condition.NE, 0, of_socket)
    builder.read_pointer(R8, R7, offsets.skb_socket)
    code.jump_if(R8, Condition.EQ, 0, builder.end)
    code.place(of_socket)
    builder.read_pointer(R8, R8, offsets.socket_network)
    code.place(known)
    builder.begin_record(DROP)
    code.load(Width.U64, R1, R6, 16)
    code.store(Width.U32, R9, 24, R1)
    builder.copy(offsets.skb_interface, 4, Width.U32, 28)
    builder.copy(offsets.skb_length, 4, Width.U32, 32)
    code.store(Width.U32, R9, 36, 0)
    builder.copy(offsets.skb_protocol, 2, Width.U16, 40)
    code.store(Width.U16, R9, 42, 0)
    builder.read(R7, offsets.skb_network_header, 2)
    code.load(Width.U16, R8, STACK, _READ)
    code.jump_if(R8, Condition.EQ, _NO_HEADER, none)
    code.store(Width.U64, STACK, _START, R8)
    # On machines of 64 bits the end is an offset as well (NET_SKBUFF_DATA_USES_OFFSET).
    builder.read(R7, offsets.skb_tail, 4)
    code.load(Width.U32, R1, STACK, _READ)
    code.jump_if(R1, Condition.LE, R8, none)
    code.calculate(Calculation.SUB, R1, R8)
    code.at_most(R1, PACKET_BYTES)
    code.store(Width.U16, R9, 42, R1)
    builder.read_pointer(R8, R7, offsets.skb_head)
    code.load(Width.U64, R1, STACK, _START)
    code.add(R8, R1)
    builder.read(R7, offsets.skb_data, 8)
    code.load(Width.U64, R1, STACK, _READ)
    code.calculate(Calculation.SUB, R1, R8)
    code.store(Width.U32, R9, 36, R1)
    code.load(Width.U16, R2, R9, 42)
    code.calculate(Calculation.AND, R2, _LENGTH_MASK)
    code.move(R1, R9)
    code.add(R1, DROP_HEADER.size)
    code.move(R3, R8)
    code.call(_PROBE_READ_KERNEL)
    code.place(none)
    return builder.finish(DROP_HEADER.size + PACKET_BYTES)
