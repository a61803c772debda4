"""From the events of the whole machine to what happened to the run's sockets and packets.

The machine's other traffic is in the trace as well. Of that about a socket is kept what a thread
of the run did itself (in a system call, not in an interrupt that came over it), all else about
the sockets that it did it with, what is between two of the topology's addresses, and of
loopback connections the other end of one that is the run's. A drop is kept where the packet had
come in at an interface that has a name of the topology's or `lo`, or a thread of the run threw
it away itself: what another namespace's interface of the same name drops is among them, and
only its time tells that no captured frame is meant. One that is freed without a reason is none.

`tid` is a thread of the run by the number that its calls have, else 0.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from ipaddress import IPv6Address, ip_address

from lab.kernel.trace.tracefs import events as trace_events
from lab.kernel.trace.tracefs.calls import Thread
from lab.kernel.trace.tracefs.format import EventFormat, Field, Formats, Value
from lab.kernel.trace.tracefs.pages import RawEvent
from lab.records import DropNotice, KernelEvent, Obtained, SocketState

HARDIRQ, SOFTIRQ = 0x08, 0x10  # common_flags; Documentation/trace/ftrace.rst, "irqs-off"
ETH_P_LOCAL_EXPERIMENTAL = 0x88B5  # a canary: nobody takes it, so that the kernel drops it
# Linux frees packets so that it has made use of, the last ACK of a connection among them.
UNEXPLAINED = "NOT_SPECIFIED"
COMMON = "common_"
SOCKADDR_BYTES = 28  # struct sockaddr_in6
# A process's end is told of before it closes its descriptors, which may take a while.
DYING_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Ends:
    """A socket's two ends, as far as it has them."""

    local: str
    local_port: int
    remote: str
    remote_port: int

    @property
    def turned(self) -> Ends:
        """As the other side has them."""
        return Ends(self.remote, self.remote_port, self.local, self.local_port)

    @property
    def is_loopback(self) -> bool:
        """Whether both are this host's own."""
        return all(ip_address(one).is_loopback for one in (self.local, self.remote))


@dataclass(slots=True, eq=False)
class Life:
    """One socket from its first event to its end; its address is used again afterwards."""

    is_ours: bool = False
    ends: set[Ends] = field(default_factory=set)


class Threads:
    """Who was running, by the trace's numbers, which are used again."""

    def __init__(self, threads: Iterable[Thread]) -> None:
        self._threads: dict[int, list[Thread]] = {}
        for thread in threads:
            self._threads.setdefault(thread.tid, []).append(thread)

    def number(self, tid: int, time_ns: int) -> int:
        """What the run's thread of that number was called at that time; 0 for any other."""
        for thread in reversed(self._threads.get(tid, ())):
            if thread.began_ns <= time_ns:
                is_over = thread.ended_ns is not None and thread.ended_ns + DYING_NS < time_ns
                return 0 if is_over else thread.known_as
        return 0


@dataclass(slots=True, eq=False)
class _Seen:
    """An event about a socket, to be kept where the socket turns out to be the run's."""

    time_ns: int
    format: EventFormat
    values: dict[str, Value]
    ends: Ends | None
    number: int
    life: Life


_Handler = Callable[[int, bytes], None]


class SocketFollower:
    """Follows sockets and packets over all steps of a run."""

    def __init__(
        self, formats: Formats, addresses: frozenset[str], interfaces: frozenset[str]
    ) -> None:
        """`addresses` are the topology's, `interfaces` too, and `lo`."""
        self._formats = formats
        self._addresses = addresses
        self._interfaces = interfaces
        self._handlers: dict[int, _Handler] = {}
        self._lives: dict[Value, Life] = {}
        self._threads = Threads(())
        self._seen: list[_Seen] = []
        self._arrivals: dict[Value, tuple[int, str, int]] = {}
        self._drops: list[DropNotice] = []

    def feed(self, events: Iterable[RawEvent], threads: Threads) -> None:
        """Follow events, which are in order of time. Raises InstrumentError."""
        self._threads = threads
        handlers, type_of = self._handlers, self._formats.type_of
        for time_ns, record in events:
            number = type_of(record)
            handle = handlers.get(number)
            if handle is None:
                handle = handlers[number] = self._handler(self._formats.get(number))
            handle(time_ns, record)

    def take(
        self, step: str
    ) -> tuple[tuple[SocketState, ...], tuple[DropNotice, ...], tuple[KernelEvent, ...]]:
        """What is the run's of all that was fed since the step before."""
        self._find_other_ends()
        states: list[SocketState] = []
        events: list[KernelEvent] = []
        for seen in self._seen:
            if not seen.life.is_ours:
                continue
            if _is_tcp_state(seen):
                states.append(_socket_state(seen, step))
            else:
                events.append(_kernel_event(seen, step))
        drops = tuple(replace(drop, step=step) for drop in self._drops)
        self._seen, self._drops = [], []
        self._arrivals.clear()
        return tuple(states), drops, tuple(events)

    def _find_other_ends(self) -> None:
        """Loopback connections have both ends here; a program may have only touched one."""
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

    def _handler(self, format_: EventFormat | None) -> _Handler:
        """What follows events of that format."""
        if format_ is None or format_.name == trace_events.MARK:
            return lambda *_: None
        names = [field.name for field in format_.fields if not field.name.startswith(COMMON)]
        read = format_.reader(["common_pid", "common_flags", *names])
        if format_.name == trace_events.ARRIVAL:
            return lambda time_ns, record: self._arrive(time_ns, read(record))
        if format_.name == trace_events.DROP:
            return lambda time_ns, record: self._drop(time_ns, read(record))
        return lambda time_ns, record: self._socket(time_ns, format_, read(record))

    def _arrive(self, time_ns: int, values: dict[str, Value]) -> None:
        name, length = values["name"], values["len"]
        assert isinstance(name, str)
        assert isinstance(length, int)
        self._arrivals[values["skbaddr"]] = time_ns, name, length

    def _drop(self, time_ns: int, values: dict[str, Value]) -> None:
        _, is_own = self._runner(time_ns, values)
        arrival = self._arrivals.pop(values["skbaddr"], None)
        if values.get("protocol") == ETH_P_LOCAL_EXPERIMENTAL:
            return
        reason = str(values["reason"])
        if reason == UNEXPLAINED:
            return
        if arrival is not None and arrival[1] in self._interfaces:
            arrived_ns, interface, length = arrival
            self._drops.append(DropNotice(time_ns, reason, interface, arrived_ns, length))
        elif is_own:
            self._drops.append(DropNotice(time_ns, reason, "", None, 0))

    def _socket(self, time_ns: int, format_: EventFormat, values: dict[str, Value]) -> None:
        number, is_own = self._runner(time_ns, values)
        name = format_.name
        is_length = name in (trace_events.SEND_LENGTH, trace_events.RECV_LENGTH)
        if is_length and not is_own:
            return  # only its owner makes a socket send or receive
        # Of other protocols nothing tells a socket's end, after which another has its address.
        keeps = not is_length or values.get("protocol") in ("IPPROTO_TCP", socket.IPPROTO_TCP)
        address = values.get("skaddr", values.get("sk", 0))
        life = self._lives.setdefault(address, Life()) if address and keeps else Life()
        ends = _ends(values)
        if ends is not None:
            life.ends.add(ends)
        if is_own or (ends and ends.local in self._addresses and ends.remote in self._addresses):
            life.is_ours = True
        self._seen.append(_Seen(time_ns, format_, values, ends, number, life))
        if name == trace_events.DESTROY:
            self._lives.pop(address, None)

    def _runner(self, time_ns: int, values: dict[str, Value]) -> tuple[int, bool]:
        """The run's thread that was running, and whether this was its own doing."""
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
    """A field for people: addresses as text, pointers by what they point to."""
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
    """Both ends as the event tells them; None where it tells none.

    Some hold ports and addresses of both families, others two struct sockaddr_in6.
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
    """Address and port of a struct sockaddr_in or sockaddr_in6; None of anything else."""
    family = int.from_bytes(data[:2], sys.byteorder)
    port = int.from_bytes(data[2:4], "big")
    if family == socket.AF_INET and len(data) >= 8:
        return _ip(data[4:8]), port
    if family == socket.AF_INET6 and len(data) >= 24:
        return _ip(data[8:24]), port
    return None


@cache
def _ip(data: bytes) -> str:
    """An address as text; an IPv4 address in an IPv6 socket as itself."""
    address = ip_address(data)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
