"""What follows from a step's calls about each socket and pipe that they made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.calls.address import AF_INET, AF_INET6, AF_UNIX, address_of, family_of
from lab.analysis.calls.constants import SOCK_TYPE_MASK
from lab.model.address import SocketAddress
from lab.syscalls.descriptors import EPOLL, SOCKET
from lab.syscalls.memory import pointer_argument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.model.address import EndpointAddress
    from lab.records import Syscall, Trace
    from lab.syscalls.descriptors import Followed

SOCK_STREAM, SOCK_DGRAM = 1, 2
_IPPROTO_TCP, _IPPROTO_UDP, _IPPROTO_MPTCP = 6, 17, 262
_EINTR, _EINPROGRESS, _ERESTARTSYS = -4, -115, -512
_EALREADY, _EISCONN = -114, -106
_GOES_ON_CONNECTING = frozenset({_EINTR, _EINPROGRESS, _ERESTARTSYS})
"""Results of a connect() that the kernel goes on with. Source: connect(2)."""
_CHANGES_NOTHING = frozenset({_EALREADY, _EISCONN, None})
_SOL_SOCKET, _SO_ERROR = 1, 4
_ACCEPTS = ("accept", "accept4")


Addresses = tuple["EndpointAddress | None", "EndpointAddress | None"]
"""A socket's own address and its peer's; None if it has none, or if unknown."""


class SocketFacts(NamedTuple):
    """What is known of a socket or a pipe's end."""

    number: int
    kind: str
    made_by: int
    program: str
    domain: int | None = None
    type: int | None = None
    protocol: int = 0
    local: EndpointAddress | None = None
    remote: EndpointAddress | None = None
    sought: EndpointAddress | None = None
    """Where connect() was asked to go, whether or not it got there."""
    connect: int | None = None
    """The first call of connect() that may have sent something."""
    listening_ns: int | None = None
    """When listen() was called."""
    listener: int | None = None
    accepted_ns: int | None = None
    """When accept() returned it."""
    peer: int | None = None
    """The other end, where one call made both: socketpair(2), pipe(2)."""

    @property
    def wire_protocol(self) -> str:
        """ "tcp" or "udp" where its bytes go as such; "" else. MPTCP's go as TCP's."""
        if self.domain not in (AF_INET, AF_INET6):
            return ""
        if self.type == SOCK_STREAM and self.protocol in (0, _IPPROTO_TCP, _IPPROTO_MPTCP):
            return "tcp"
        if self.type == SOCK_DGRAM and self.protocol in (0, _IPPROTO_UDP):
            return "udp"
        return ""

    @property
    def is_unix(self) -> bool:
        """Whether it is a unix socket."""
        return self.domain == AF_UNIX

    @property
    def has_place(self) -> bool:
        """Whether its own address is one that frames can bear."""
        return self.local is not None and not is_wildcard(self.local)


def is_wildcard(bound: EndpointAddress) -> bool:
    """Whether a socket bound so takes what comes to any of its host's addresses."""
    return isinstance(bound, SocketAddress) and bound.is_wildcard


def takes(bound: EndpointAddress | None, address: EndpointAddress | None) -> bool:
    """Whether a socket bound to the one gets what comes to the other; None is bound to any."""
    if bound is None or bound == address:
        return True
    if not isinstance(bound, SocketAddress) or not isinstance(address, SocketAddress):
        return False
    versions = (bound.address.version, address.address.version)
    is_any = bound.is_wildcard and versions != (4, 6)
    return is_any and bound.port == address.port


def gather_facts(trace: Trace, followed: Followed) -> dict[int, SocketFacts]:
    """Sockets and pipe ends by the object's number, with what the calls on them say."""
    facts = {
        number: SocketFacts(
            number, opened.kind, opened.made_by, trace.syscalls[opened.made_by].program
        )
        for number, opened in enumerate(followed.objects)
        if opened.kind != EPOLL
    }
    for index, (call, acts_on) in enumerate(zip(trace.syscalls, followed.acts_on, strict=True)):
        made = [number for number in followed.made[index] if number in facts]
        for number in made:
            facts[number] = _made(facts[number], call, acts_on, made)
        if acts_on in facts:
            facts[acts_on] = _after_call(facts[acts_on], index, call)
    for socket in tuple(facts.values()):
        facts[socket.number] = _with_inheritance(socket, facts)
    return facts


def _made(
    socket: SocketFacts, call: Syscall, acted_on: int | None, made: Sequence[int]
) -> SocketFacts:
    """What is known of a socket after the call that made it."""
    peer = next((number for number in made if number != socket.number), None)
    if call.name in ("socket", "socketpair"):
        domain, type_, protocol = (argument & 0xFFFFFFFF for argument in call.arguments[:3])
        type_ &= SOCK_TYPE_MASK
        return socket._replace(domain=domain, type=type_, protocol=protocol, peer=peer)
    if call.name in _ACCEPTS:
        address = _address(call)
        return socket._replace(
            listener=acted_on,
            accepted_ns=call.exit_ns,
            domain=family_of(address),
            remote=address_of(address),
        )
    return socket._replace(peer=peer)


def _with_inheritance(socket: SocketFacts, facts: Mapping[int, SocketFacts]) -> SocketFacts:
    """The same with what an accepted socket has of the one that listened."""
    if socket.accepted_ns is None:
        return socket
    listener = facts.get(-1 if socket.listener is None else socket.listener)
    if listener is None:
        return socket._replace(type=SOCK_STREAM)
    return socket._replace(
        domain=listener.domain,
        type=listener.type,
        protocol=listener.protocol,
        local=listener.local if socket.local is None and listener.has_place else socket.local,
    )


def _after_call(socket: SocketFacts, index: int, call: Syscall) -> SocketFacts:
    """What is known of a socket after a call on it."""
    if socket.kind != SOCKET:
        return socket
    if call.name == "connect":
        return _after_connect(socket, index, call)
    if call.result != 0:
        return socket
    if call.name == "listen":
        return socket._replace(listening_ns=call.entry_ns)
    if call.name in ("bind", "getsockname"):
        address = address_of(_address(call))
        return socket._replace(local=None if _has_no_port(address) else address)
    if call.name == "getpeername":
        return socket._replace(remote=address_of(_address(call)))
    if call.name == "getsockopt" and socket.type == SOCK_STREAM and _returns_failure(call):
        return socket._replace(remote=None)
    return socket


def _after_connect(socket: SocketFacts, index: int, call: Syscall) -> SocketFacts:
    address, remote = address_of(_address(call)), socket.remote
    if call.result == 0 or call.result in _GOES_ON_CONNECTING:
        # To connect a datagram socket to AF_UNSPEC is to disconnect it: connect(2).
        remote = address
    elif call.result not in _CHANGES_NOTHING and socket.type == SOCK_STREAM:
        remote = None
    return socket._replace(
        connect=index if socket.connect is None else socket.connect,
        sought=address or socket.sought,
        remote=remote,
    )


def _returns_failure(call: Syscall) -> bool:
    """Whether it is a getsockopt(SO_ERROR) that returned an error: connecting has failed."""
    value = pointer_argument(call, 3)
    is_asked = call.arguments[1:3] == (_SOL_SOCKET, _SO_ERROR)
    return is_asked and value is not None and any(value.data[:4])


def _address(call: Syscall) -> bytes:
    memory = pointer_argument(call, 1)
    return memory.data if memory else b""


def _has_no_port(address: EndpointAddress | None) -> bool:
    """Whether the kernel is to choose the port (bind(2) with port 0)."""
    return isinstance(address, SocketAddress) and address.port == 0
