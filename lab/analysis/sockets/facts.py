"""What a step's calls tell of each socket and pipe that they made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.address import AF_INET, AF_INET6, AF_UNIX, address_of, family_of
from lab.analysis.calls.constants import SOCK_TYPE_MASK
from lab.model.address import SocketAddress
from lab.syscalls.descriptors import EPOLL, SOCKET
from lab.syscalls.memory import pointer_argument

if TYPE_CHECKING:
    from lab.analysis.flows.flow import FlowId
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


class SocketFacts:
    """What is known of a socket or a pipe's end so far."""

    __slots__ = (
        "accepted_ns",
        "connect",
        "domain",
        "flow",
        "kind",
        "listener",
        "listening_ns",
        "local",
        "made_by",
        "number",
        "peer",
        "program",
        "protocol",
        "remote",
        "sought",
        "type",
    )

    def __init__(self, number: int, kind: str, made_by: int, program: str) -> None:
        self.number = number
        self.kind = kind
        self.made_by = made_by
        self.program = program
        self.domain: int | None = None
        self.type: int | None = None
        self.protocol = 0
        self.local: EndpointAddress | None = None
        self.remote: EndpointAddress | None = None
        self.sought: EndpointAddress | None = None
        """Where connect() was asked to go, whether or not it got there."""
        self.connect: int | None = None
        """The first call of connect() that may have sent something."""
        self.listening_ns: int | None = None
        """When listen() was called."""
        self.listener: int | None = None
        self.accepted_ns: int | None = None
        """When accept() returned it."""
        self.peer: int | None = None
        self.flow: FlowId | None = None

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
    """Sockets and pipe ends by the object's number, with what the calls on them told."""
    facts = {
        number: SocketFacts(
            number, opened.kind, opened.made_by, trace.syscalls[opened.made_by].program
        )
        for number, opened in enumerate(followed.objects)
        if opened.kind != EPOLL
    }
    for index, (call, acts_on) in enumerate(zip(trace.syscalls, followed.acts_on, strict=True)):
        _note_making(index, call, followed, facts)
        if acts_on in facts:
            _note_call(index, call, facts[acts_on])
    for socket in facts.values():
        _inherit(socket, facts)
    return facts


def _note_making(
    index: int, call: Syscall, followed: Followed, facts: dict[int, SocketFacts]
) -> None:
    made = [facts[number] for number in followed.made[index] if number in facts]
    for socket in made:
        if call.name in ("socket", "socketpair"):
            domain, type_, protocol = (argument & 0xFFFFFFFF for argument in call.arguments[:3])
            socket.domain, socket.type = domain, type_ & SOCK_TYPE_MASK
            socket.protocol = protocol
        elif call.name in _ACCEPTS:
            socket.listener = followed.acts_on[index]
            socket.accepted_ns = call.exit_ns
            address = _address(call)
            socket.domain = family_of(address)
            socket.remote = address_of(address)
    if len(made) == 2:
        made[0].peer, made[1].peer = made[1].number, made[0].number


def _inherit(socket: SocketFacts, facts: dict[int, SocketFacts]) -> None:
    """What an accepted socket has of the one that listened."""
    if socket.accepted_ns is None:
        return
    socket.type = SOCK_STREAM
    listener = facts.get(-1 if socket.listener is None else socket.listener)
    if listener is not None:
        socket.domain, socket.type = listener.domain, listener.type
        socket.protocol = listener.protocol
        if socket.local is None and listener.has_place:
            socket.local = listener.local


def _note_call(index: int, call: Syscall, socket: SocketFacts) -> None:
    if socket.kind != SOCKET:
        return
    if call.name == "connect":
        _note_connect(index, call, socket)
    elif call.result != 0:
        return
    elif call.name == "listen":
        socket.listening_ns = call.entry_ns
    elif call.name in ("bind", "getsockname"):
        address = address_of(_address(call))
        socket.local = None if _has_no_port(address) else address
    elif call.name == "getpeername":
        socket.remote = address_of(_address(call))
    elif call.name == "getsockopt" and socket.type == SOCK_STREAM and _tells_failure(call):
        socket.remote = None


def _note_connect(index: int, call: Syscall, socket: SocketFacts) -> None:
    address = address_of(_address(call))
    if socket.connect is None:
        socket.connect = index
    socket.sought = address or socket.sought
    if call.result == 0 or call.result in _GOES_ON_CONNECTING:
        # To connect a datagram socket to AF_UNSPEC is to disconnect it: connect(2).
        socket.remote = address
    elif call.result not in _CHANGES_NOTHING and socket.type == SOCK_STREAM:
        socket.remote = None


def _tells_failure(call: Syscall) -> bool:
    """Whether it is how a program learns that the kernel went on connecting in vain."""
    value = pointer_argument(call, 3)
    is_asked = call.arguments[1:3] == (_SOL_SOCKET, _SO_ERROR)
    return is_asked and value is not None and any(value.data[:4])


def _address(call: Syscall) -> bytes:
    memory = pointer_argument(call, 1)
    return memory.data if memory else b""


def _has_no_port(address: EndpointAddress | None) -> bool:
    """Whether the kernel is to choose a port: which one it is, something else must tell."""
    return isinstance(address, SocketAddress) and address.port == 0
