"""A step's sockets and pipes: their addresses, peers and flows, from calls, states and frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.constants import DOMAINS, TYPES
from lab.analysis.calls.decode import socket_ids
from lab.analysis.sockets.endpoint import Endpoint
from lab.analysis.sockets.facts import Addresses, SocketFacts, gather_facts
from lab.analysis.sockets.flow_matching import match_flows
from lab.analysis.sockets.kernel_sockets import attribute_states
from lab.analysis.sockets.peers import match_peers
from lab.syscalls.descriptors import READ_END, SOCKET

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.flows.flow import Flow
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
    the endpoint of a state is unknown.
    """
    hosts = {run.name: run.host for run in runs}
    facts = gather_facts(trace, followed)
    attributed = attribute_states(trace, followed, facts)
    bound = _at(facts, attributed.addresses)
    matches = match_flows(trace, followed, bound, flows, hosts)
    known = _at(bound, {number: each[1:] for number, each in matches.items()})
    ids_of_flows = {n: match.flow for n, match in matches.items() if match.flow is not None}
    peers = match_peers(trace, known, ids_of_flows)
    ids = socket_ids(followed)
    endpoints: list[Endpoint] = []
    for number, socket in known.items():
        domain, type_, protocol = _kind(socket)
        endpoint = Endpoint(
            id=ids[number],
            program=socket.program,
            host=hosts.get(socket.program, ""),
            domain=domain,
            type=type_,
            protocol=protocol,
            local=socket.local,
            remote=socket.remote,
            listening=socket.listening_ns is not None,
            made_by=calls[socket.made_by].id,
            listener="" if socket.listener is None else ids[socket.listener],
            peer=ids[peers[number]] if number in peers else "",
            flow=ids_of_flows.get(number),
        )
        endpoints.append(endpoint)
    owners = tuple("" if owner is None else ids[owner] for owner in attributed.owners)
    return tuple(endpoints), owners


def _at(
    facts: Mapping[int, SocketFacts], addresses: Mapping[int, Addresses]
) -> dict[int, SocketFacts]:
    """The same with these addresses, local and remote, of those sockets that have some here."""
    moved = dict(facts)
    for number, (local, remote) in addresses.items():
        socket = facts[number]
        if (socket.local, socket.remote) != (local, remote):
            moved[number] = socket._replace(local=local, remote=remote)
    return moved


def _kind(socket: SocketFacts) -> tuple[str, str, str]:
    """Domain, type and protocol by name; "" if unknown."""
    if socket.kind != SOCKET:
        return "pipe", "read" if socket.kind == READ_END else "write", "pipe"
    domain = "" if socket.domain is None else DOMAINS.get(socket.domain, str(socket.domain))
    type_ = "" if socket.type is None else TYPES.get(socket.type, str(socket.type))
    if socket.is_unix:
        return domain, type_, "unix"
    is_named = socket.wire_protocol and socket.protocol in (0, 6, 17)
    return domain, type_, socket.wire_protocol if is_named else str(socket.protocol)
