"""Which endpoint is at which end of a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags
from lab.model.address import SocketAddress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.flows.flow import Flow, FlowId
    from lab.analysis.sockets.endpoint import Endpoint

_SYN_ACK = int(TcpFlags.SYN | TcpFlags.ACK)
_MULTIPATH = 30
"""The option's kind (RFC 8684, 3)."""

FlowSide = tuple["FlowId", bool]
"""One side of a flow: whether it is its `a`."""


def find_sides(flows: Iterable[Flow], endpoints: Iterable[Endpoint]) -> dict[FlowSide, Endpoint]:
    """The endpoints that are known to be a flow's ends; the first where several are one.

    A Multipath TCP connection's flows are left out: each carries some of its bytes, and its end
    is announced in an option, not by their FINs (RFC 8684, 3.3).
    """
    endpoints = tuple(endpoints)
    wanted = {endpoint.flow for endpoint in endpoints}
    by_id = {each.id: each for each in flows if each.id in wanted and not _is_multipath(each)}
    sides: dict[FlowSide, Endpoint] = {}
    for endpoint in endpoints:
        flow = by_id.get(endpoint.flow) if endpoint.flow is not None else None
        if flow is not None:
            sides.setdefault((flow.id, is_a_side(endpoint, flow)), endpoint)
    return sides


def _is_multipath(flow: Flow) -> bool:
    """Whether both sides offered Multipath TCP: the SYN-ACK does so only as an answer."""
    for crossing in flow.crossings:
        tcp = crossing.packet.tcp
        if tcp is not None and int(tcp.flags) & _SYN_ACK == _SYN_ACK:
            return any(option.kind == _MULTIPATH for option in tcp.options)
    return False


def is_a_side(endpoint: Endpoint, flow: Flow) -> bool:
    """Whether it is the side that began the flow."""
    local = endpoint.local
    if local in (flow.a, flow.b):
        return local == flow.a
    if flow.a.port != flow.b.port and isinstance(local, SocketAddress):
        return local.port == flow.a.port
    return not endpoint.listener
