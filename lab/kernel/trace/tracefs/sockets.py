"""From the events of the whole machine to what happened to the run's sockets and packets.

The machine's other traffic is in the trace as well: other runs', too, with the same addresses and
names. An event about a socket is kept if
- a thread of the run caused it (in a system call, not in an interrupt during one),
- BPF saw it happen in one of the run's network namespaces, or
- it is about a socket of which such an event was kept.

The drops are those that BPF saw there, with the packet's first bytes. A packet that is freed
without a reason is not a drop.

Where BPF cannot see that (see `Sight`), an event is kept as well if it is between two of the
topology's addresses, or about the other end of a loopback connection of the run; of the drops,
those that a thread of the run caused.

`tid` is the thread of the run that was running, as in its calls' records, else 0.
"""

from __future__ import annotations

import socket
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from ipaddress import IPv6Address, ip_address

from lab.frozen import frozen
from lab.kernel.trace.bpf.network_records import ClosedOfRun, DropOfRun, StateOfRun
from lab.kernel.trace.rings.ring_follower import Runner
from lab.kernel.trace.tracefs import events as trace_events
from lab.kernel.trace.tracefs.calls import Thread
from lab.kernel.trace.tracefs.closings import closing_of
from lab.kernel.trace.tracefs.format import EventFormat, Field, Formats, Value
from lab.kernel.trace.tracefs.pages import Handler, RawEvent
from lab.kernel.trace.tracer import Host
from lab.records import DropNotice, HeldSocket, KernelEvent, Obtained, SocketState

HARDIRQ, SOFTIRQ = 0x08, 0x10  # common_flags; Documentation/trace/ftrace.rst, "irqs-off"
ETH_P_LOCAL_EXPERIMENTAL = 0x88B5  # a canary: the kernel drops it, as no protocol handles it
COMMON = "common_"
SOCKADDR_BYTES = 28  # struct sockaddr_in6
# The event of a process's end comes before it closes its descriptors, which may take a while.
DYING_NS = 1_000_000_000
SAME_NS = 50_000
"""BPF's program runs right before or after the tracepoint's own, by the same clock; the machine
that a virtual one runs on may pause it in between."""


@frozen
class Ends:
    """A socket's local and remote address and port."""

    local: str
    local_port: int
    remote: str
    remote_port: int

    @property
    def turned(self) -> Ends:
        """The same ends as the other side's socket has them."""
        return Ends(self.remote, self.remote_port, self.local, self.local_port)

    @property
    def is_loopback(self) -> bool:
        """Whether both addresses are loopback addresses."""
        return all(ip_address(one).is_loopback for one in (self.local, self.remote))


@dataclass(slots=True, eq=False)
class Life:
    """One socket from its first event to its end; then its kernel address may be reused."""

    is_ours: bool = False
    ends: set[Ends] = field(default_factory=set)


class Threads:
    """The run's threads by their tids in the trace, which may be reused."""

    def __init__(self, threads: Iterable[Thread]) -> None:
        self._threads: dict[int, list[Thread]] = {}
        for thread in threads:
            self._threads.setdefault(thread.tid, []).append(thread)

    def at(self, tid: int, time_ns: int) -> Thread | None:
        """The run's thread that had this tid then; None if none had."""
        for thread in reversed(self._threads.get(tid, ())):
            if thread.began_ns <= time_ns:
                is_over = thread.ended_ns is not None and thread.ended_ns + DYING_NS < time_ns
                return None if is_over else thread
        return None

    def number(self, tid: int, time_ns: int) -> int:
        """The tid in the records of the run's thread that had this tid then; 0 if none had."""
        thread = self.at(tid, time_ns)
        return 0 if thread is None else thread.known_as

    def runner(self, tid: int, time_ns: int) -> Runner | None:
        """The same thread, as it is in the records."""
        thread = self.at(tid, time_ns)
        if thread is None:
            return None
        process = thread.process or thread
        return Runner(thread.program, process.known_as, thread.known_as, thread.ended_ns)


@dataclass(slots=True, eq=False)
class _Seen:
    """An event about a socket, to be kept if the socket turns out to be the run's."""

    time_ns: int
    format: EventFormat
    values: dict[str, Value]
    ends: Ends | None
    number: int
    life: Life


@frozen
class Sight:
    """What BPF saw in the run's network namespaces, in order of time."""

    states: list[StateOfRun]
    drops: list[DropOfRun]
    closed: list[ClosedOfRun]


class SocketFollower:
    """Follows sockets and packets over all steps of a run."""

    def __init__(
        self, formats: Formats, addresses: frozenset[str], hosts: Mapping[int, Host]
    ) -> None:
        """`addresses` are the topology's; `hosts` by their namespaces' inodes."""
        self._formats = formats
        self._addresses = addresses
        self._hosts = hosts
        self._of_run: dict[Value, list[int]] | None = None
        self._handlers: dict[int, Handler] = {}
        self._lives: dict[Value, Life] = {}
        self._threads = Threads(())
        self._seen: list[_Seen] = []
        self._drops: list[DropNotice] = []
        self._closed: dict[Value, list[ClosedOfRun]] = {}
        """By the socket's address, in order of time."""

    def feed(self, events: Iterable[RawEvent], threads: Threads, sight: Sight | None) -> None:
        """Follow events, which are in order of time; `sight` is None if BPF sees nothing.

        Raises InstrumentError.
        """
        self._threads = threads
        self._of_run = None
        if sight is not None:
            self._of_run = {}
            for state in sight.states:
                self._of_run.setdefault(state.address, []).append(state.time_ns)
            self._drops += self._drops_of_run(sight.drops)
            for closed in sight.closed:
                self._closed.setdefault(closed.address, []).append(closed)
        handlers, type_of = self._handlers, self._formats.type_of
        for time_ns, record in events:
            number = type_of(record)
            handle = handlers.get(number)
            if handle is None:
                handle = handlers[number] = self._handler(self._formats.get(number))
            handle(time_ns, record)

    def take(
        self, step: str
    ) -> tuple[
        tuple[SocketState, ...],
        tuple[DropNotice, ...],
        tuple[KernelEvent, ...],
        tuple[HeldSocket, ...],
    ]:
        """The run's socket states, drops, other events and closed sockets since the step before."""
        if self._of_run is None:
            self._find_other_ends()
        states: list[SocketState] = []
        events: list[KernelEvent] = []
        closings: list[HeldSocket] = []
        for seen in self._seen:
            if not seen.life.is_ours:
                continue
            if _is_tcp_state(seen):
                states.append(_socket_state(seen, step))
                closings += self._closings(states[-1], seen.values["skaddr"])
            else:
                events.append(_kernel_event(seen, step))
        drops = tuple(replace(drop, step=step) for drop in self._drops)
        self._seen, self._drops, self._closed = [], [], {}
        return tuple(states), drops, tuple(events), tuple(closings)

    def _closings(self, state: SocketState, address: Value) -> Iterator[HeldSocket]:
        """What BPF saw of the socket at that change of its state, if it was closed then."""
        if state.new != "CLOSE":
            return
        for closed in self._closed.get(address, ()):
            host = self._hosts.get(closed.namespace)
            if host is not None and abs(closed.time_ns - state.time_ns) <= SAME_NS:
                yield closing_of(closed, state, host.name)
                return

    def _find_other_ends(self) -> None:
        """Mark the other ends of the run's loopback connections as the run's, too.

        A program may have made calls on one end alone.
        """
        ours = {
            ends.turned
            for seen in self._seen
            if seen.life.is_ours
            for ends in seen.life.ends
            if ends.is_loopback
        }
        for seen in self._seen:
            if not ours.isdisjoint(seen.life.ends):
                seen.life.is_ours = True

    def _handler(self, format_: EventFormat | None) -> Handler:
        """The function that handles events of that format."""
        if format_ is None or format_.name == trace_events.MARK:
            return lambda *_: None
        names = [field.name for field in format_.fields if not field.name.startswith(COMMON)]
        read = format_.reader(["common_pid", "common_flags", *names])
        if format_.name == trace_events.DROP:
            return lambda time_ns, record: self._drop(time_ns, read(record))
        return lambda time_ns, record: self._socket(time_ns, format_, read(record))

    def _drops_of_run(self, drops: Iterable[DropOfRun]) -> Iterator[DropNotice]:
        reasons = self._formats.named(trace_events.DROP).symbols["reason"]
        for drop in drops:
            host = self._hosts.get(drop.namespace)
            if host is None or drop.protocol == ETH_P_LOCAL_EXPERIMENTAL:
                continue
            yield DropNotice(
                time_ns=drop.time_ns,
                reason=reasons.get(drop.reason, str(drop.reason)),
                interface=host.interfaces.get(drop.interface, ""),
                arrived_ns=None,
                length=drop.length,
                host=host.name,
                packet=drop.packet,
            )

    def _drop(self, time_ns: int, values: dict[str, Value]) -> None:
        """A drop that is in tracefs alone: what packet it was is unknown."""
        _, is_own = self._runner(time_ns, values)
        reason = str(values["reason"])
        is_canary = values.get("protocol") == ETH_P_LOCAL_EXPERIMENTAL
        if is_own and not is_canary and reason != trace_events.UNEXPLAINED:
            self._drops.append(DropNotice(time_ns, reason, "", None, 0))

    def _socket(self, time_ns: int, format_: EventFormat, values: dict[str, Value]) -> None:
        number, is_own = self._runner(time_ns, values)
        name = format_.name
        is_length = name in trace_events.LENGTHS
        if is_length and not is_own:
            return  # only its owner makes a socket send or receive
        # No event marks the end of other protocols' sockets, whose address may then be reused.
        keeps = not is_length or values.get("protocol") in ("IPPROTO_TCP", socket.IPPROTO_TCP)
        address = values.get("skaddr", values.get("sk", 0))
        life = self._lives.setdefault(address, Life()) if address and keeps else Life()
        ends = _ends(values)
        if ends is not None:
            life.ends.add(ends)
        # An RST that no socket sends is known by the packet that it answers.
        if is_own or self._is_of_run(time_ns, address or values.get("skbaddr", 0), ends):
            life.is_ours = True
        self._seen.append(_Seen(time_ns, format_, values, ends, number, life))
        if name == trace_events.DESTROY:
            self._lives.pop(address, None)

    def _is_of_run(self, time_ns: int, address: Value, ends: Ends | None) -> bool:
        if self._of_run is None:
            return ends is not None and {ends.local, ends.remote} <= self._addresses
        times = self._of_run.get(address, ())
        first = bisect_left(times, time_ns - SAME_NS)
        return first < len(times) and times[first] <= time_ns + SAME_NS

    def _runner(self, time_ns: int, values: dict[str, Value]) -> tuple[int, bool]:
        """The tid of the run's thread that was running, and whether it caused the event."""
        tid, flags = values.pop("common_pid"), values.pop("common_flags")
        assert isinstance(tid, int)
        assert isinstance(flags, int)
        number = self._threads.number(tid, time_ns)
        return number, bool(number) and not flags & (HARDIRQ | SOFTIRQ)


def _is_tcp_state(seen: _Seen) -> bool:
    is_tcp = seen.values.get("protocol") in ("IPPROTO_TCP", socket.IPPROTO_TCP)
    return seen.format.name == trace_events.SET_STATE and is_tcp


def _socket_state(seen: _Seen, step: str) -> SocketState:
    assert seen.ends is not None
    return SocketState(
        time_ns=seen.time_ns,
        obtained=Obtained.MEASURED,
        socket=_pointer("skaddr", seen.values["skaddr"]),
        old=str(seen.values["oldstate"]).removeprefix("TCP_"),
        new=str(seen.values["newstate"]).removeprefix("TCP_"),
        local_address=seen.ends.local,
        local_port=seen.ends.local_port,
        remote_address=seen.ends.remote,
        remote_port=seen.ends.remote_port,
        tid=seen.number,
        step=step,
    )


def _kernel_event(seen: _Seen, step: str) -> KernelEvent:
    fields = {
        field.name: _field_value(field, seen.values[field.name])
        for field in seen.format.fields
        if field.name in seen.values
    }
    return KernelEvent(seen.time_ns, seen.format.name, seen.number, fields, step)


def _field_value(field: Field, value: Value) -> int | str:
    """A field's value in text: addresses as usual, pointers as in other records."""
    if field.type.endswith("*"):
        return _pointer(field.name, value)
    if not isinstance(value, bytes):
        return value
    if len(value) in (4, 16):
        return str(_ip(value))
    end = _sockaddr(value) if len(value) == SOCKADDR_BYTES else None
    return f"{end[0]} {end[1]}" if end else value.hex()


def _pointer(name: str, value: Value) -> str:
    assert isinstance(value, int)
    return f"sk {value:016x}" if name in ("sk", "skaddr") else f"0x{value:x}"


def _ends(values: Mapping[str, Value]) -> Ends | None:
    """Both ends of the event's socket, or None if the event has no addresses.

    Some events have ports and addresses of both families, others two struct sockaddr_in6.
    """
    local, remote = values.get("saddr"), values.get("daddr")
    local_port, remote_port = values.get("sport"), values.get("dport")
    if not isinstance(local, bytes) or not isinstance(remote, bytes):
        return None
    if isinstance(local_port, int) and isinstance(remote_port, int):
        if values.get("family") in ("AF_INET6", socket.AF_INET6):
            local, remote = values["saddr_v6"], values["daddr_v6"]
            assert isinstance(local, bytes)
            assert isinstance(remote, bytes)
        return Ends(_ip(local), local_port, _ip(remote), remote_port)
    near, far = _sockaddr(local), _sockaddr(remote)
    return Ends(*near, *far) if near and far else None


def _sockaddr(data: bytes) -> tuple[str, int] | None:
    """Address and port in a struct sockaddr_in or sockaddr_in6, or None for anything else."""
    family = int.from_bytes(data[:2], sys.byteorder)
    port = int.from_bytes(data[2:4], "big")
    if family == socket.AF_INET and len(data) >= 8:
        return _ip(data[4:8]), port
    if family == socket.AF_INET6 and len(data) >= 24:
        return _ip(data[8:24]), port
    return None


@cache
def _ip(data: bytes) -> str:
    """An address as text; an IPv4-mapped IPv6 address as the IPv4 address."""
    address = ip_address(data)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
