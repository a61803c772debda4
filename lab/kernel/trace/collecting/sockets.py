"""From what BPF saw in the run's network namespaces to what happened to its sockets and packets.

The programs record nothing of other namespaces. What calls sent and received comes from the
threads of the run themselves.

`tid` is the thread of the run that was running, as in its calls' records, else 0.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter, itemgetter

from lab.frozen import frozen
from lab.kernel.system.tcp import STATES
from lab.kernel.trace.collecting.calls import MovedBytes, Thread
from lab.kernel.trace.collecting.closings import closing_of
from lab.kernel.trace.networks.network_records import (
    DropOfRun,
    EventOfRun,
    Sight,
    StateOfRun,
    end_fields,
    family_name,
    protocol_name,
    socket_name,
)
from lab.kernel.trace.rings.ring_follower import Runner
from lab.kernel.trace.tracer import Host
from lab.records import DropNotice, HeldSocket, KernelEvent, Obtained, SocketState

ETH_P_LOCAL_EXPERIMENTAL = 0x88B5  # a canary: the kernel drops it, as no protocol handles it
# The event of a process's end comes before it closes its descriptors, which may take a while.
DYING_NS = 1_000_000_000

SET_STATE = "sock:inet_sock_set_state"
SENT, RECEIVED = "sock:sock_send_length", "sock:sock_recv_length"

_TIME = itemgetter(0)  # of each of the records


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


SocketsSeen = tuple[
    tuple[SocketState, ...],
    tuple[DropNotice, ...],
    tuple[KernelEvent, ...],
    tuple[HeldSocket, ...],
]
"""States, drops, other events and closed sockets, each by time."""


@frozen
class SocketFollower:
    """Names what was seen of sockets and packets as the records of a run do."""

    hosts: Mapping[int, Host]
    """By their namespaces' inodes."""
    drop_reasons: Mapping[int, str]
    """By their numbers on this kernel."""
    reset_reasons: Mapping[int, str]

    def follow(
        self, sight: Sight, lengths: Iterable[MovedBytes], threads: Threads, step: str
    ) -> SocketsSeen:
        """What happened in a step."""
        states: list[SocketState] = []
        closings: list[HeldSocket] = []
        events = [self._event(each, threads, step) for each in sight.events]
        for state in sorted(sight.states, key=_TIME):
            number = threads.number(state.tid, state.time_ns)
            if state.ends.protocol != socket.IPPROTO_TCP:
                events.append(_event_of_state(state, number, step))
                continue
            states.append(_socket_state(state, number, step))
            host = self.hosts.get(state.namespace)
            if state.closed is not None and host is not None:
                closings.append(closing_of(state.closed, states[-1], host.name))
        for each in lengths:
            if number := threads.number(each.tid, each.time_ns):
                events.append(_event_of_length(each, number, step))
        events.sort(key=attrgetter("time_ns"))
        drops = tuple(self._drops(sorted(sight.drops, key=_TIME), step))
        return tuple(states), drops, tuple(events), tuple(closings)

    def _event(self, event: EventOfRun, threads: Threads, step: str) -> KernelEvent:
        time_ns, name, tid, fields = event
        reason = fields.get("reason")
        if isinstance(reason, int):
            fields = {**fields, "reason": self.reset_reasons.get(reason, reason)}
        return KernelEvent(time_ns, name, threads.number(tid, time_ns), fields, step)

    def _drops(self, drops: Iterable[DropOfRun], step: str) -> Iterator[DropNotice]:
        for drop in drops:
            host = self.hosts.get(drop.namespace)
            if host is None or drop.protocol == ETH_P_LOCAL_EXPERIMENTAL:
                continue
            yield DropNotice(
                time_ns=drop.time_ns,
                reason=self.drop_reasons.get(drop.reason, str(drop.reason)),
                interface=host.interfaces.get(drop.interface, ""),
                arrived_ns=None,
                length=drop.length,
                step=step,
                host=host.name,
                packet=drop.packet,
            )


def _socket_state(state: StateOfRun, number: int, step: str) -> SocketState:
    ends = state.ends
    return SocketState(
        time_ns=state.time_ns,
        obtained=Obtained.MEASURED,
        socket=socket_name(state.address),
        old=_state_name(state.old),
        new=_state_name(state.new),
        local_address=ends.local,
        local_port=ends.local_port,
        remote_address=ends.remote,
        remote_port=ends.remote_port,
        tid=number,
        step=step,
    )


def _event_of_state(state: StateOfRun, number: int, step: str) -> KernelEvent:
    """A change of a socket's state that is not TCP's."""
    fields: dict[str, int | str] = {
        "skaddr": socket_name(state.address),
        "oldstate": f"TCP_{_state_name(state.old)}",
        "newstate": f"TCP_{_state_name(state.new)}",
        "protocol": protocol_name(state.ends.protocol),
        **end_fields(state.ends),
    }
    return KernelEvent(state.time_ns, SET_STATE, number, fields, step)


def _state_name(state: int) -> str:
    return STATES[state] if 0 < state < len(STATES) else str(state)


def _event_of_length(length: MovedBytes, number: int, step: str) -> KernelEvent:
    fields: dict[str, int | str] = {
        "sk": socket_name(length.sock),
        "family": family_name(length.family),
        "protocol": protocol_name(length.protocol),
        "ret": length.result,
        "flags": length.flags,
    }
    return KernelEvent(length.time_ns, SENT if length.is_sent else RECEIVED, number, fields, step)
