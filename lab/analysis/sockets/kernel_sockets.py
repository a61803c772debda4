"""Which socket of the programs each TCP state and event of the kernel's is about.

The kernel names sockets by inode ("inode 4026") or by address in its memory ("sk ffff8881...").
A name can come again for another socket: an address as soon as the memory is free. So a name's
states are cut into lives, each from one socket's beginning to the next one's, and lives are
joined with sockets.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.calls.address import socket_address
from lab.analysis.sockets.facts import is_wildcard, takes
from lab.frozen import frozen
from lab.records import Obtained

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from lab.analysis.sockets.facts import Addresses, SocketFacts
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
"""Changes that happen in the call that asks for them, so that its thread identifies the socket.
Others happen while any thread is running. sendto and sendmsg connect with MSG_FASTOPEN."""

_SENDS = frozenset({"sendto", "sendmsg", "sendmmsg", "sendfile", "splice"}) | {
    "write",
    "writev",
    "pwritev2",
}
_READS = frozenset({"recvfrom", "recvmsg", "recvmmsg", "read", "readv", "preadv2", "splice"})
_MOVES = {"sock:sock_send_length": _SENDS, "sock:sock_recv_length": _READS}


class AttributedStates(NamedTuple):
    """The socket of each of the kernel's states, and the addresses that follow for it."""

    owners: tuple[int | None, ...]
    """For each of the trace's states its socket's number; None if unknown."""
    addresses: dict[int, Addresses]
    """Of each socket that has states."""


@frozen
class _Life:
    """One socket's states under one of the kernel's names."""

    number: int
    begin_ns: int
    states: tuple[int, ...]
    """Their places in the trace's states."""
    local: SocketAddress | None
    remote: SocketAddress | None
    passive: bool
    """Whether a listening socket made it."""
    established_ns: int | None


class _Lives:
    """Every life of a trace, by name in order of time."""

    def __init__(self, states: Sequence[SocketState]) -> None:
        self.by_name: dict[str, list[_Life]] = {}
        number = count()
        for name, places in _places_by_name(states).items():
            cut = _cut_into_lives(places, states)
            self.by_name[name] = [_life(next(number), each, states) for each in cut]
        self.every = [life for lives in self.by_name.values() for life in lives]

    def at(self, name: str, time_ns: int) -> _Life | None:
        """The last life under the name that had begun by then.

        Where states are sampled the first is as old as the name: the call came before.
        """
        lives = self.by_name.get(name)
        if not lives:
            return None
        return lives[max(bisect_right(lives, time_ns, key=_begin_of) - 1, 0)]


def _begin_of(life: _Life) -> int:
    return life.begin_ns


def _places_by_name(states: Sequence[SocketState]) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, state in enumerate(states):
        found[state.socket].append(place)
    return found


def _cut_into_lives(places: Iterable[int], states: Sequence[SocketState]) -> list[list[int]]:
    """The places of one name's states, those of one life together."""
    lives: list[list[int]] = []
    for place in places:
        if not lives or (states[place].old, states[place].new) in _BEGINNINGS:
            lives.append([])
        lives[-1].append(place)
    return lives


def _life(number: int, places: Sequence[int], states: Sequence[SocketState]) -> _Life:
    own = [states[place] for place in places]
    bound = [each for each in own if each.local_port]
    joined = [each for each in own if each.remote_port]
    return _Life(
        number=number,
        begin_ns=own[0].time_ns,
        states=tuple(places),
        local=_local_of(bound[-1]) if bound else None,
        remote=_remote_of(joined[-1]) if joined else None,
        passive=any(each.new == "SYN_RECV" and each.old in ("LISTEN", "") for each in own),
        established_ns=next((each.time_ns for each in own if each.new == "ESTABLISHED"), None),
    )


def _local_of(state: SocketState) -> SocketAddress | None:
    return socket_address(state.local_address, state.local_port)


def _remote_of(state: SocketState) -> SocketAddress | None:
    return socket_address(state.remote_address, state.remote_port)


_Owners = dict[int, int]
"""The socket's number by the life's, where known."""


class _CallsByThread:
    """Finds the call in which a thread was at a time."""

    def __init__(self, trace: Trace, followed: Followed) -> None:
        self.calls = trace.syscalls
        self.acts_on = followed.acts_on
        self.places: dict[int, list[int]] = defaultdict(list)
        for place, call in enumerate(trace.syscalls):
            if call.ring is None or not call.ring.operation:  # those may be at work in any thread
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
    trace: Trace, followed: Followed, facts: Mapping[int, SocketFacts]
) -> AttributedStates:
    """The sockets of a trace's states, of those that `facts` are of."""
    if not trace.states:
        return AttributedStates((), {})
    lives = _Lives(trace.states)
    tcp = {number: socket for number, socket in facts.items() if socket.wire_protocol == "tcp"}
    # What is more certain comes first: a life that has its socket keeps it.
    owners = _owners_by_name(trace, followed, lives, tcp)
    owners = _owners_by_thread(trace, _CallsByThread(trace, followed), lives, tcp) | owners
    owners |= _owners_by_address(lives, _without_life(owners, tcp), owners)
    owners |= _owners_by_queue(lives, tcp, _without_life(owners, tcp), owners)
    by_state: list[int | None] = [None] * len(trace.states)
    addresses: dict[int, Addresses] = {}
    for life in lives.every:
        owner = owners.get(life.number)
        for place in life.states:
            by_state[place] = owner
        if owner is not None:
            known = addresses.get(owner, (tcp[owner].local, tcp[owner].remote))
            addresses[owner] = _addresses(tcp[owner], *known, life)
    return AttributedStates(tuple(by_state), addresses)


def _addresses(
    socket: SocketFacts,
    local: EndpointAddress | None,
    remote: EndpointAddress | None,
    life: _Life,
) -> Addresses:
    """A socket's known addresses, completed from one of its lives."""
    if local is None or (is_wildcard(local) and socket.listening_ns is None):
        local = life.local or local
    if life.established_ns is not None:
        remote = remote or life.remote
    return local, remote


def _owners_by_name(
    trace: Trace, followed: Followed, lives: _Lives, tcp: Container[int]
) -> _Owners:
    """Calls that come with the kernel's name for their socket."""
    owners: _Owners = {}
    for call, acts_on in zip(trace.syscalls, followed.acts_on, strict=True):
        name = call.socket if call.ring is None else call.ring.socket
        if name and acts_on is not None and acts_on in tcp:
            life = lives.at(name, _end_of(call))
            if life is not None:
                owners.setdefault(life.number, acts_on)
    return owners


def _end_of(call: Syscall) -> int:
    return call.entry_ns if call.exit_ns is None else call.exit_ns


def _owners_by_thread(
    trace: Trace, by_thread: _CallsByThread, lives: _Lives, tcp: Container[int]
) -> _Owners:
    """Changes and events in the very call that asked for them."""
    owners: _Owners = {}
    for names, name, tid, time_ns in _caused(trace):
        owner, life = by_thread.object_in(names, tid, time_ns), lives.at(name, time_ns)
        if life is not None and owner is not None and owner in tcp:
            owners.setdefault(life.number, owner)
    return owners


def _caused(trace: Trace) -> Iterator[tuple[frozenset[str], str, int, int]]:
    """What happens in a call: the calls' names, the kernel's name for the socket, thread, time."""
    for state in trace.states:
        names = _CAUSES.get(state.new)
        if names is not None and state.obtained is Obtained.MEASURED:
            yield names, state.socket, state.tid, state.time_ns
    for event in trace.events:
        names = _MOVES.get(event.name)
        if names is not None:
            yield names, _socket_of(event), event.tid, event.time_ns


def _socket_of(event: KernelEvent) -> str:
    return str(event.fields.get("sk", ""))


def _owners_by_address(
    lives: _Lives, sockets: Iterable[SocketFacts], known: Container[int]
) -> _Owners:
    """By its life the socket whose calls gave the same addresses; of several lives the first."""
    free: dict[Addresses, list[_Life]] = defaultdict(list)
    for life in lives.every:
        if life.number not in known and life.local and life.remote:
            free[life.local, life.remote].append(life)
            free[None, life.remote].append(life)
    owners: _Owners = {}
    for socket in sockets:
        if not socket.remote:
            continue
        local = socket.local if socket.has_place else None
        found = [life for life in free[local, socket.remote] if life.number not in owners]
        if found and (found[0].passive == (socket.accepted_ns is not None)):
            owners[found[0].number] = socket.number
    return owners


def _owners_by_queue(
    lives: _Lives,
    tcp: Mapping[int, SocketFacts],
    sockets: Iterable[SocketFacts],
    known: Container[int],
) -> _Owners:
    """Accepted sockets of unknown address: accept(2) takes the oldest connection first."""
    waiting: dict[SocketAddress | None, list[tuple[int, _Life]]] = defaultdict(list)
    for life in lives.every:
        if life.passive and life.number not in known and life.established_ns is not None:
            waiting[life.local].append((life.established_ns, life))
    for queue in waiting.values():
        queue.sort(key=itemgetter(0))
    owners: _Owners = {}
    for socket in sockets:
        listener = tcp.get(-1 if socket.listener is None else socket.listener)
        if socket.accepted_ns is None or listener is None or socket.remote:
            continue
        queues = [queue for place, queue in waiting.items() if takes(listener.local, place)]
        ready = [queue for queue in queues if queue and queue[0][0] <= socket.accepted_ns]
        if ready:
            _, first = min(ready, key=lambda queue: queue[0][0]).pop(0)
            owners[first.number] = socket.number
    return owners


def _without_life(owners: _Owners, tcp: Mapping[int, SocketFacts]) -> list[SocketFacts]:
    """The sockets without a life, in the order in which they were accepted."""
    found = set(owners.values())
    free = [socket for socket in tcp.values() if socket.number not in found]
    return sorted(free, key=lambda socket: (socket.accepted_ns or 0, socket.number))
