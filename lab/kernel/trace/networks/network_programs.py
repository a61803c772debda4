"""The BPF programs that say what happens in the network namespaces of the run.

One runs at inet_sock_set_state, for each change of a socket's state, one at kfree_skb, when the
kernel drops a packet; the others at tracepoints of TCP. Each looks the namespace up among those of
the run first: of everything else that the machine does, however much that is, nothing is recorded.

A program with types (BPF_TRACE_RAW_TP) reads the tracepoint's own objects by plain loads, which
the kernel has checked. The others call a helper for every member: they run much less often, and
what they are given may be NULL, which some kernels' checks take to be impossible.
Source: include/trace/events/sock.h, tcp.h and skb.h.
"""

from __future__ import annotations

from lab.frozen import frozen
from lab.kernel.trace.bpf.btf import Btf
from lab.kernel.trace.bpf.builder import choose_wake_up, output_record
from lab.kernel.trace.bpf.code import Calculation, Code, Condition, Helper, Register, Width
from lab.kernel.trace.networks import network_records as at
from lab.kernel.trace.networks.network_records import (
    ABSENT,
    ANSWERED,
    ANSWERED_BYTES,
    CLOSED,
    DROP,
    DROP_HEADER,
    OTHER,
    PACKET_BYTES,
    RESET_RECEIVED,
    RESET_SENT,
    RETRANSMITTED,
    SOCKET,
    STATE,
    SYNACK_RETRANSMITTED,
)

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, STACK = Register


_READ = -8  # on the stack: what was read from the kernel's memory last
_KEY = -16  # a map's key, of 32 bits
_START = -24  # where in its memory the packet begins

_NO_HEADER = 0xFFFF  # skb_network_header_was_set()
_LENGTH_MASK = 0xFF
assert PACKET_BYTES <= _LENGTH_MASK

_IPV6_BYTES = 16
_BYTES = {Width.U8: 1, Width.U16: 2, Width.U32: 4, Width.U64: 8}

# Sockets in these states are no struct sock beyond their struct sock_common: sk_fullsock().
_NOT_FULL = (6, 12)
_CLOSE = 7

SCRATCH_BYTES = max(
    DROP_HEADER.size + _LENGTH_MASK, SOCKET.size + CLOSED.size, ANSWERED + ANSWERED_BYTES
)


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
    network_inode: int
    socket_network: int
    family: int
    state: int
    port: int
    """The local port, of requests in the byte order of the machine."""
    remote_port: int
    local: int
    remote: int
    local_6: int
    remote_6: int
    protocol: int
    inet_port: int
    """The local port of whole sockets, which they have for longer."""
    inet_local: int

    @classmethod
    def of(cls, btf: Btf) -> Offsets:
        """This kernel's. Raises KernelRefused where it has no such member."""
        of_packet = btf.offsets(
            "sk_buff", "dev", "sk", "skb_iif", "len", "protocol", "network_header", "tail", "head",
            "data",
        )  # fmt: skip
        device = btf.offset("net_device", "nd_net")
        inode = btf.offset("net", "ns") + btf.offset("ns_common", "inum")
        of_socket = btf.offsets(
            "sock_common", "skc_net", "skc_family", "skc_state", "skc_num", "skc_dport",
            "skc_rcv_saddr", "skc_daddr", "skc_v6_rcv_saddr", "skc_v6_daddr",
        )  # fmt: skip
        protocol = btf.offset("sock", "sk_protocol")
        of_inet = btf.offsets("inet_sock", "inet_sport", "inet_saddr")
        return cls(*(*of_packet, device, inode, *of_socket, protocol, *of_inet))


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
_IPPROTO_TCP = 6

_REASON, _INTERFACE, _LEFT, _PASSED, _ETHER_TYPE, _TAKEN = 28, 32, 36, 40, 44, 46
"""Where each is in a DROP_HEADER."""


@frozen
class TcpOffsets:
    """Of the members of a TCP socket that are read when it is closed, in bytes."""

    words: tuple[int, ...]
    """Those of 32 bits, in the order in which ClosedOfRun has them."""
    longs: tuple[int, ...]
    """Those of 64 bits."""

    @classmethod
    def of(cls, btf: Btf) -> TcpOffsets:
        """This kernel's. Raises KernelRefused where it has no such member."""
        waiting, limit = btf.offsets("sock", *_OF_SOCK)
        (pmtu,) = btf.offsets("inet_connection_sock", *_OF_CONNECTION)
        *words, acked, received = btf.offsets("tcp_sock", *_OF_TCP)
        return cls((*words[:4], waiting, limit, *words[4:], pmtu), (acked, received))


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
    """What all of them do. R6 is the context, R7 the first argument, R9 the record.

    `typed`: that argument and what it points to are read by loads.
    """

    def __init__(self, maps: NetworkMaps, offsets: Offsets, *, typed: bool = False) -> None:
        self.code = Code()
        self.end = self.code.label()
        self.offsets = offsets
        self._maps = maps
        self._typed = typed
        self.code.move(R6, R1)
        self.code.load(Width.U64, R7, R6, 0)

    def argument(self, target: Register, number: int) -> None:
        """`target` becomes the tracepoint's argument of that number."""
        self.code.load(Width.U64, target, R6, 8 * number)

    def read(self, pointer: Register, offset: int, size: int) -> None:
        """Read so many bytes of the kernel's memory to the stack; end the program on failure."""
        self.code.stack_address(R1, _READ)
        self._probe(pointer, offset, size)

    def read_into(self, target: int, pointer: Register, offset: int, size: int) -> None:
        """The same to that place in the record."""
        self.code.move(R1, R9)
        self.code.add(R1, target)
        self._probe(pointer, offset, size)

    def member(self, width: Width, target: Register, pointer: Register, offset: int) -> None:
        """`target` becomes the member at that offset of what `pointer` points to."""
        if self._typed:
            self.code.load(width, target, pointer, offset)
        else:
            self.read(pointer, offset, _BYTES[width])
            self.code.load(width, target, STACK, _READ)

    def copy(
        self, width: Width, target: int, offset: int, source: Register = R7, to: Width | None = None
    ) -> None:
        """Copy a member of what `source` points to into the record, there of the width `to`."""
        self.member(width, R1, source, offset)
        self.code.store(to or width, R9, target, R1)

    def copy_ipv6(self, target: int, offset: int, source: Register) -> None:
        """The same of an address of IPv6."""
        if not self._typed:
            self.read_into(target, source, offset, _IPV6_BYTES)
            return
        for part in range(0, _IPV6_BYTES, 8):
            self.copy(Width.U64, target + part, offset + part, source)

    def begin_record(self, kind: int) -> None:
        """Write the record's header if the struct net at R8 is of the run; else end."""
        code = self.code
        code.jump_if(R8, Condition.EQ, 0, self.end)
        self.member(Width.U32, R8, R8, self.offsets.network_inode)
        code.store(Width.U32, STACK, _KEY, R8)
        self._look_up(self._maps.namespaces)
        code.store(Width.U32, STACK, _KEY, 0)
        self._look_up(self._maps.scratch)
        code.move(R9, R0)
        code.call(Helper.KTIME_GET_TAI_NS)
        code.store(Width.U64, R9, at.TIME, R0)
        code.store(Width.U64, R9, at.ADDRESS, R7)
        code.store(Width.U32, R9, at.NAMESPACE, R8)
        code.store(Width.U32, R9, at.KIND, kind)
        code.call(Helper.GET_CURRENT_PID_TGID)
        code.store(Width.U32, R9, at.TID, R0)

    def begin_record_of_socket(self, kind: int) -> None:
        """The same if the struct sock at R7 is of the run."""
        self.member(Width.U64, R8, R7, self.offsets.socket_network)
        self.begin_record(kind)

    def copy_ends(self) -> None:
        """Copy the family, the protocol and both ends of the whole socket at R7."""
        offsets = self.offsets
        self._copy_family_and_far_end(R7)
        self.copy(Width.U16, at.PROTOCOL, offsets.protocol)
        # Beyond what the tracepoint says of its argument: read in any case, and both at once.
        first = min(offsets.inet_local, offsets.inet_port)
        length = max(offsets.inet_local + 4, offsets.inet_port + 2) - first
        place = _START - (length + 7) // 8 * 8
        self.code.stack_address(R1, place)
        self._probe(R7, first, length)
        self.code.load(Width.U32, R1, STACK, place + offsets.inet_local - first)
        self.code.store(Width.U32, R9, at.LOCAL, R1)
        self.code.load(Width.U16, R1, STACK, place + offsets.inet_port - first)
        self.code.store(Width.U16, R9, at.LOCAL_PORT, R1)

    def copy_ends_of_request(self) -> None:
        """The same of the struct request_sock at R8, but the family of the socket at R7."""
        offsets = self.offsets
        self._copy_family_and_far_end(R8)
        self.code.store(Width.U16, R9, at.PROTOCOL, _IPPROTO_TCP)
        self.copy(Width.U32, at.LOCAL, offsets.local, R8)
        self.copy(Width.U16, at.LOCAL_PORT, offsets.port, R8)

    def _copy_family_and_far_end(self, source: Register) -> None:
        offsets = self.offsets
        self.copy(Width.U16, at.FAMILY, offsets.family)
        self.copy(Width.U16, at.REMOTE_PORT, offsets.remote_port, source)
        self.copy(Width.U32, at.REMOTE, offsets.remote, source)
        self.copy_ipv6(at.LOCAL_6, offsets.local_6, source)
        self.copy_ipv6(at.REMOTE_6, offsets.remote_6, source)

    def finish(self, length: int | Register) -> bytes:
        """Put the record into the ring, or count it as lost; the whole program."""
        code = self.code
        choose_wake_up(code, self._maps.ring)
        code.move(R3, length)
        output_record(code, self._maps.ring, self._maps.lost, R9, self.end)
        code.place(self.end)
        code.move(R0, 0)
        code.exit()
        return code.assemble()

    def _probe(self, pointer: Register, offset: int, size: int) -> None:
        """Read the kernel's memory to the address in R1; end the program on failure."""
        code = self.code
        code.move(R2, size)
        code.move(R3, pointer)
        code.add(R3, offset)
        code.call(Helper.PROBE_READ_KERNEL)
        code.jump_if(R0, Condition.NE, 0, self.end)

    def _look_up(self, map_: int) -> None:
        """R0 becomes the address of the value of the key on the stack; without one, end."""
        self.code.load_map(R1, map_)
        self.code.stack_address(R2, _KEY)
        self.code.call(Helper.MAP_LOOKUP)
        self.code.jump_if(R0, Condition.EQ, 0, self.end)


def state_program(maps: NetworkMaps, offsets: Offsets, tcp: TcpOffsets | None) -> bytes:
    """The program with types at inet_sock_set_state: a record for each change.

    Where it is known how, one of a TCP socket that is closed has what the socket had then.
    """
    builder = _Builder(maps, offsets, typed=True)
    code, known = builder.code, builder.code.label()
    builder.begin_record_of_socket(STATE)
    builder.copy_ends()
    builder.argument(R1, 1)
    code.store(Width.U32, R9, at.FIRST, R1)
    builder.argument(R1, 2)
    code.store(Width.U32, R9, at.SECOND, R1)
    code.move(R8, SOCKET.size)
    if tcp is not None:
        code.jump_if(R1, Condition.NE, _CLOSE, known)
        code.move(R1, R7)
        code.call(Helper.SKC_TO_TCP_SOCK)
        code.jump_if(R0, Condition.EQ, 0, known)
        first = SOCKET.size
        for place, offset in enumerate(tcp.words):
            builder.copy(Width.U32, first + 4 * place, offset, R0)
        first += CLOSED.size - 8 * len(tcp.longs)
        for place, offset in enumerate(tcp.longs):
            builder.copy(Width.U64, first + 8 * place, offset, R0)
        code.move(R8, SOCKET.size + CLOSED.size)
    code.place(known)
    return builder.finish(R8)


def received_reset_program(maps: NetworkMaps, offsets: Offsets) -> bytes:
    """The program at tcp_receive_reset(sk)."""
    builder = _Builder(maps, offsets)
    builder.begin_record_of_socket(RESET_RECEIVED)
    builder.copy_ends()
    builder.code.store(Width.U32, R9, at.FIRST, 0)
    builder.code.store(Width.U32, R9, at.SECOND, ABSENT)
    return builder.finish(SOCKET.size)


def retransmission_program(maps: NetworkMaps, offsets: Offsets, *, has_error: bool) -> bytes:
    """The program at tcp_retransmit_skb(sk, skb); on some kernels it says how sending ended."""
    builder = _Builder(maps, offsets)
    builder.begin_record_of_socket(RETRANSMITTED)
    builder.copy_ends()
    builder.copy(Width.U8, at.FIRST, offsets.state, to=Width.U32)
    _store_number(builder, 2, is_there=has_error)
    builder.argument(R1, 1)
    builder.code.store(Width.U64, R9, SOCKET.size, R1)
    return builder.finish(SOCKET.size + OTHER.size)


def synack_program(maps: NetworkMaps, offsets: Offsets) -> bytes:
    """The program at tcp_retransmit_synack(sk, req): the ends are the request's."""
    builder = _Builder(maps, offsets)
    builder.begin_record_of_socket(SYNACK_RETRANSMITTED)
    builder.argument(R8, 1)
    builder.copy_ends_of_request()
    builder.code.store(Width.U32, R9, at.FIRST, 0)
    builder.code.store(Width.U32, R9, at.SECOND, ABSENT)
    builder.code.store(Width.U64, R9, SOCKET.size, R8)
    return builder.finish(SOCKET.size + OTHER.size)


def sent_reset_program(maps: NetworkMaps, offsets: Offsets, *, has_reason: bool) -> bytes:
    """The program at tcp_send_reset(sk, skb); since Linux 6.10 it says why.

    Where there is no whole socket, the ends are those of the packet that it answers.
    """
    builder = _Builder(maps, offsets)
    code, nobody, known = builder.code, builder.code.label(), builder.code.label()
    answers, done = code.label(), code.label()
    code.jump_if(R7, Condition.EQ, 0, nobody)
    builder.member(Width.U64, R8, R7, offsets.socket_network)
    code.jump(known)
    code.place(nobody)
    builder.argument(R8, 1)
    code.jump_if(R8, Condition.EQ, 0, builder.end)
    builder.member(Width.U64, R8, R8, offsets.skb_device)
    code.jump_if(R8, Condition.EQ, 0, builder.end)
    builder.member(Width.U64, R8, R8, offsets.device_network)
    code.place(known)
    builder.begin_record(RESET_SENT)
    _store_number(builder, 2, is_there=has_reason)
    builder.argument(R1, 1)
    code.store(Width.U64, R9, SOCKET.size, R1)
    code.store(Width.U32, R9, at.FIRST, 0)
    code.jump_if(R7, Condition.EQ, 0, answers)
    builder.copy(Width.U8, at.FIRST, offsets.state, to=Width.U32)
    code.load(Width.U32, R1, R9, at.FIRST)
    for state in _NOT_FULL:
        code.jump_if(R1, Condition.EQ, state, answers)
    builder.copy_ends()
    code.jump(done)
    code.place(answers)
    code.store(Width.U16, R9, at.FAMILY, 0)
    builder.argument(R7, 1)
    code.jump_if(R7, Condition.EQ, 0, builder.end)
    builder.member(Width.U64, R8, R7, offsets.skb_data)  # at its TCP header: RFC 9293, 3.1
    builder.read_into(at.LOCAL_PORT, R8, 0, 4)
    builder.member(Width.U16, R8, R7, offsets.skb_network_header)
    code.store(Width.U64, STACK, _START, R8)
    builder.member(Width.U64, R8, R7, offsets.skb_head)
    code.load(Width.U64, R1, STACK, _START)
    code.add(R8, R1)
    builder.read_into(ANSWERED, R8, 0, ANSWERED_BYTES)
    code.place(done)
    return builder.finish(ANSWERED + ANSWERED_BYTES)


def _store_number(builder: _Builder, argument: int, *, is_there: bool) -> None:
    """The second number becomes the tracepoint's argument, if it has it."""
    if is_there:
        builder.argument(R1, argument)
        builder.code.store(Width.U32, R9, at.SECOND, R1)
    else:
        builder.code.store(Width.U32, R9, at.SECOND, ABSENT)


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
    builder.argument(R8, 2)
    code.jump_if(R8, Condition.EQ, unexplained, builder.end)
    builder.member(Width.U64, R8, R7, offsets.skb_device)
    code.jump_if(R8, Condition.EQ, 0, sender)
    builder.member(Width.U64, R8, R8, offsets.device_network)
    code.jump(known)
    code.place(sender)
    if names_receiver:
        builder.argument(R8, 3)
        code.jump_if(R8, Condition.NE, 0, of_socket)
    builder.member(Width.U64, R8, R7, offsets.skb_socket)
    code.jump_if(R8, Condition.EQ, 0, builder.end)
    code.place(of_socket)
    builder.member(Width.U64, R8, R8, offsets.socket_network)
    code.place(known)
    builder.begin_record(DROP)
    builder.argument(R1, 2)
    code.store(Width.U32, R9, _REASON, R1)
    builder.copy(Width.U32, _INTERFACE, offsets.skb_interface)
    builder.copy(Width.U32, _LEFT, offsets.skb_length)
    code.store(Width.U32, R9, _PASSED, 0)
    builder.copy(Width.U16, _ETHER_TYPE, offsets.skb_protocol)
    code.store(Width.U16, R9, _TAKEN, 0)
    builder.member(Width.U16, R8, R7, offsets.skb_network_header)
    code.jump_if(R8, Condition.EQ, _NO_HEADER, none)
    code.store(Width.U64, STACK, _START, R8)
    # On machines of 64 bits the end is an offset as well (NET_SKBUFF_DATA_USES_OFFSET).
    builder.member(Width.U32, R1, R7, offsets.skb_tail)
    code.jump_if(R1, Condition.LE, R8, none)
    code.calculate(Calculation.SUB, R1, R8)
    code.at_most(R1, PACKET_BYTES)
    code.store(Width.U16, R9, _TAKEN, R1)
    builder.member(Width.U64, R8, R7, offsets.skb_head)
    code.load(Width.U64, R1, STACK, _START)
    code.add(R8, R1)
    builder.member(Width.U64, R1, R7, offsets.skb_data)
    code.calculate(Calculation.SUB, R1, R8)
    code.store(Width.U32, R9, _PASSED, R1)
    code.load(Width.U16, R2, R9, _TAKEN)
    code.calculate(Calculation.AND, R2, _LENGTH_MASK)
    code.move(R1, R9)
    code.add(R1, DROP_HEADER.size)
    code.move(R3, R8)
    code.call(Helper.PROBE_READ_KERNEL)
    code.place(none)
    return builder.finish(DROP_HEADER.size + PACKET_BYTES)
