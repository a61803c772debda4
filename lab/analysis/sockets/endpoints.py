"""A step's sockets and pipes: their addresses, peers and flows, from everything that tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.constants import DOMAINS, TYPES
from lab.analysis.calls.decode import socket_ids
from lab.analysis.sockets.endpoint import Endpoint
from lab.analysis.sockets.facts import SocketFacts, gather_facts
from lab.analysis.sockets.flow_matching import match_flows
from lab.analysis.sockets.kernel_sockets import attribute_states
from lab.analysis.sockets.peers import match_peers
from lab.syscalls.descriptors import READ_END, SOCKET

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.flows.flow import Flow
    from lab.model.event import EventId
    from lab.records import ProgramRun, Trace
    from lab.syscalls.descriptors import Followed


def find_endpoints(
    trace: Trace,
    followed: Followed,
    calls: Sequence[SystemCall],
    runs: Iterable[ProgramRun],
    flows: Sequence[Flow],
) -> tuple[tuple[Endpoint, ...], tuple[str, ...]]:
    """One step's endpoints by number, and for each of the trace's states its endpoint's id.

    `followed` and `calls` are of the same trace, `flows` of the same step. An id is "" where
    nothing tells which endpoint a state is of.
    """
    hosts = {run.name: run.host for run in runs}
    facts = gather_facts(trace, followed)
    owners = attribute_states(trace, followed, facts)
    match_flows(trace, followed, facts, flows, hosts)
    match_peers(trace, facts)
    ids = socket_ids(followed)
    endpoints = (
        _endpoint(socket, ids, hosts.get(socket.program, ""), calls[socket.made_by].id)
        for socket in facts.values()
    )
    return tuple(endpoints), tuple("" if owner is None else ids[owner] for owner in owners)


def _endpoint(socket: SocketFacts, ids: Sequence[str], host: str, made_by: EventId) -> Endpoint:
    domain, type_, protocol = _kind(socket)
    return Endpoint(
        id=ids[socket.number],
        program=socket.program,
        host=host,
        domain=domain,
        type=type_,
        protocol=protocol,
        local=socket.local,
        remote=socket.remote,
        listening=socket.listening_ns is not None,
        made_by=made_by,
        listener="" if socket.listener is None else ids[socket.listener],
        peer="" if socket.peer is None else ids[socket.peer],
        flow=socket.flow,
    )


def _kind(socket: SocketFacts) -> tuple[str, str, str]:
    """Domain, type and protocol by name; "" where they are not known."""
    if socket.kind != SOCKET:
        return "pipe", "read" if socket.kind == READ_END else "write", "pipe"
    domain = "" if socket.domain is None else DOMAINS.get(socket.domain, str(socket.domain))
    type_ = "" if socket.type is None else TYPES.get(socket.type, str(socket.type))
    if socket.is_unix:
        return domain, type_, "unix"
    is_named = socket.wire_protocol and socket.protocol in (0, 6, 17)
    return domain, type_, socket.wire_protocol if is_named else str(socket.protocol)
