"""Which socket of the programs each TCP state and event of the kernel's is about.

The kernel names sockets by inode ("inode 4026") or by address in its memory ("sk ffff8881...").
A name can come again for another socket: an address as soon as the memory is free. So a name's
states are cut into lives, each from one socket's beginning to the next one's, and lives are
joined with sockets.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

from lab.analysis.calls.address import socket_address
from lab.analysis.sockets.facts import takes
from lab.records import Obtained

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.sockets.facts import SocketFacts
    from lab.model.address import EndpointAddress, SocketAddress
    from lab.records import KernelEvent, SocketState, Syscall, Trace
    from lab.syscalls.descriptors import Followed

_BEGINNINGS = frozenset({("CLOSE", "SYN_SENT"), ("CLOSE", "LISTEN"), ("LISTEN", "SYN_RECV")})
"""The first change that the kernel reports of a socket. An accepted one begins as a copy of the
listening one (inet_csk_clone_lock), so that its old state is LISTEN."""

_CAUSES = {
    "SYN_SENT": frozenset({"connect", "sendto", "sendmsg"}),
    "LISTEN": frozenset({"listen"}),
    "FIN_WAIT1": frozenset({"close", "shutdown", "close_range", "dup2", "dup3"}),
    "LAST_ACK": frozenset({"close", "shutdown", "close_range", "dup2", "dup3"}),
}
"""Changes that happen in the call that asks for them, so that their thread tells the socket.
Others happen while any thread is running. sendto and sendmsg connect with MSG_FASTOPEN."""

_SENDS = frozenset({"sendto", "sendmsg", "sendmmsg", "write", "writev", "sendfile", "splice"})
_READS = frozenset({"recvfrom", "recvmsg", "recvmmsg", "read", "readv", "splice"})
_Ends = tuple["EndpointAddress | None", "EndpointAddress | None"]
"""A socket's own address and its peer's."""

_MOVES = {"sock:sock_send_length": _SENDS, "sock:sock_recv_length": _READS}


class _Life:
    """One socket's states under one of the kernel's names."""

    __slots__ = ("begin_ns", "established_ns", "local", "owner", "passive", "remote", "states")

    def __init__(self, begin_ns: int) -> None:
        self.begin_ns = begin_ns
        self.states: list[int] = []
        self.local: SocketAddress | None = None
        self.remote: SocketAddress | None = None
        self.passive = False
        """Whether a listening socket made it."""
        self.established_ns: int | None = None
        self.owner: int | None = None

    def add(self, place: int, state: SocketState) -> None:
        self.states.append(place)
        if state.local_port:
            self.local = socket_address(state.local_address, state.local_port)
        if state.remote_port:
            self.remote = socket_address(state.remote_address, state.remote_port)
        self.passive |= state.new == "SYN_RECV" and state.old in ("LISTEN", "")
        if state.new == "ESTABLISHED" and self.established_ns is None:
            self.established_ns = state.time_ns


class _CallsByThread:
    """Finds the call in which a thread was at a time."""

    def __init__(self, trace: Trace, followed: Followed) -> None:
        self.calls = trace.syscalls
        self.acts_on = followed.acts_on
        self.places: dict[int, list[int]] = defaultdict(list)
        for place, call in enumerate(trace.syscalls):
            self.places[call.tid].append(place)
        self.entries = {
            tid: [trace.syscalls[place].entry_ns for place in places]
            for tid, places in self.places.items()
        }

    def object_in(self, names: frozenset[str], tid: int, time_ns: int) -> int | None:
        """What the thread's call at that time acts upon, if it is one of those."""
        before = bisect_right(self.entries.get(tid, ()), time_ns)
        if not before:
            return None
        place = self.places[tid][before - 1]
        call = self.calls[place]
        if call.name not in names or (call.exit_ns is not None and call.exit_ns < time_ns):
            return None
        return self.acts_on[place]


def attribute_states(
    trace: Trace, followed: Followed, facts: dict[int, SocketFacts]
) -> tuple[int | None, ...]:
    """For each of the trace's states the object that it is about; None where nothing tells.

    Puts into `facts` the addresses that the states tell.
    """
    lives = _find_lives(trace)
    by_thread = _CallsByThread(trace, followed)
    tcp = {number: socket for number, socket in facts.items() if socket.wire_protocol == "tcp"}
    _own_by_name(trace, followed, lives, tcp)
    _own_by_thread(trace, by_thread, lives, tcp)
    _own_by_address(lives, tcp)
    _own_by_queue(lives, tcp)
    owners: list[int | None] = [None] * len(trace.states)
    for life in _all(lives):
        for place in life.states:
            owners[place] = life.owner
        if life.owner is not None:
            _tell(tcp[life.owner], life)
    return tuple(owners)


def _tell(socket: SocketFacts, life: _Life) -> None:
    if life.local and not socket.has_place and socket.listening_ns is None:
        socket.local = life.local
    socket.local = socket.local or life.local
    if life.established_ns is not None:
        socket.remote = socket.remote or life.remote


def _all(lives: dict[str, list[_Life]]) -> Iterable[_Life]:
    return (life for of_name in lives.values() for life in of_name)


def _find_lives(trace: Trace) -> dict[str, list[_Life]]:
    """The lives under each name, in order of time."""
    lives: dict[str, list[_Life]] = {}
    for place, state in enumerate(trace.states):
        of_name = lives.setdefault(state.socket, [])
        is_first = (state.old, state.new) in _BEGINNINGS
        if not of_name or (is_first and of_name[-1].states):
            of_name.append(_Life(state.time_ns))
        of_name[-1].add(place, state)
    return lives


def _life_at(lives: dict[str, list[_Life]], name: str, time_ns: int) -> _Life | None:
    """The last life under the name that had begun by then.

    Where states are sampled the first is as old as the name: the call came before.
    """
    of_name = lives.get(name)
    if not of_name:
        return None
    return of_name[max(bisect_right(of_name, time_ns, key=_begin_of) - 1, 0)]


def _begin_of(life: _Life) -> int:
    return life.begin_ns


def _own_by_name(
    trace: Trace,
    followed: Followed,
    lives: dict[str, list[_Life]],
    tcp: dict[int, SocketFacts],
) -> None:
    """Calls that come with the kernel's name for their socket."""
    for call, acts_on in zip(trace.syscalls, followed.acts_on, strict=True):
        if call.socket and acts_on in tcp:
            life = _life_at(lives, call.socket, _end_of(call))
            if life is not None and life.owner is None:
                life.owner = acts_on


def _end_of(call: Syscall) -> int:
    return call.entry_ns if call.exit_ns is None else call.exit_ns


def _own_by_thread(
    trace: Trace,
    by_thread: _CallsByThread,
    lives: dict[str, list[_Life]],
    tcp: dict[int, SocketFacts],
) -> None:
    """Changes and events in the very call that asked for them."""
    for state in trace.states:
        names = _CAUSES.get(state.new)
        if names is not None and state.obtained is Obtained.MEASURED:
            owner = by_thread.object_in(names, state.tid, state.time_ns)
            _own(_life_at(lives, state.socket, state.time_ns), owner, tcp)
    for event in trace.events:
        names = _MOVES.get(event.name)
        if names is not None:
            owner = by_thread.object_in(names, event.tid, event.time_ns)
            _own(_life_at(lives, _socket_of(event), event.time_ns), owner, tcp)


def _socket_of(event: KernelEvent) -> str:
    return str(event.fields.get("sk", ""))


def _own(life: _Life | None, owner: int | None, tcp: dict[int, SocketFacts]) -> None:
    if life is not None and life.owner is None and owner in tcp:
        life.owner = owner


def _own_by_address(lives: dict[str, list[_Life]], tcp: dict[int, SocketFacts]) -> None:
    """Sockets whose addresses their calls tell, beside the first life that has the same."""
    free: dict[_Ends, list[_Life]] = defaultdict(list)
    for life in _all(lives):
        if life.owner is None and life.local and life.remote:
            free[life.local, life.remote].append(life)
            free[None, life.remote].append(life)
    for socket in _without_life(lives, tcp):
        if not socket.remote:
            continue
        local = socket.local if socket.has_place else None
        found = [life for life in free[local, socket.remote] if life.owner is None]
        if found and (found[0].passive == (socket.accepted_ns is not None)):
            found[0].owner = socket.number


def _own_by_queue(lives: dict[str, list[_Life]], tcp: dict[int, SocketFacts]) -> None:
    """Accepted sockets of which nothing is told: accept(2) takes the oldest connection first."""
    waiting: dict[SocketAddress | None, list[_Life]] = defaultdict(list)
    for life in _all(lives):
        if life.passive and life.owner is None and life.established_ns is not None:
            waiting[life.local].append(life)
    for queue in waiting.values():
        queue.sort(key=lambda life: life.established_ns or 0)
    for socket in _without_life(lives, tcp):
        if socket.accepted_ns is None or socket.listener not in tcp or socket.remote:
            continue
        queues = [q for place, q in waiting.items() if takes(tcp[socket.listener].local, place)]
        ready = [
            queue[0]
            for queue in queues
            if queue and (queue[0].established_ns or 0) <= socket.accepted_ns
        ]
        if ready:
            first = min(ready, key=lambda life: life.established_ns or 0)
            first.owner = socket.number
            waiting[first.local].remove(first)


def _without_life(lives: dict[str, list[_Life]], tcp: dict[int, SocketFacts]) -> list[SocketFacts]:
    """The sockets of which no life is known, those that were accepted in order of that."""
    owners = {life.owner for life in _all(lives)}
    free = [socket for socket in tcp.values() if socket.number not in owners]
    return sorted(free, key=lambda socket: (socket.accepted_ns or 0, socket.number))
