"""Which endpoint is at which end of a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.calls.system_call import Endpoint
    from lab.analysis.flows.flow import Flow

_SYN_ACK = int(TcpFlags.SYN | TcpFlags.ACK)
_MULTIPATH = 30
"""The option's kind (RFC 8684, 3)."""

Sides = dict[tuple[str, bool], "Endpoint"]
"""The endpoint at each side of a flow: by the flow's name and whether it is its `a`."""


def find_sides(flows: Iterable[Flow], endpoints: Iterable[Endpoint]) -> Sides:
    """The endpoints that are known to be a flow's ends; the first where several are one.

    A Multipath TCP connection's flows are left out: each carries some of its bytes, and its end
    is told in an option, not by their FINs (RFC 8684, 3.3).
    """
    by_name = {flow.name: flow for flow in flows if not _is_multipath(flow)}
    sides: Sides = {}
    for endpoint in endpoints:
        flow = by_name.get(endpoint.flow)
        if flow is not None:
            sides.setdefault((endpoint.flow, is_a_side(endpoint, flow)), endpoint)
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
    if local in (str(flow.a), str(flow.b)):
        return local == str(flow.a)
    if flow.a.port != flow.b.port and ":" in local:
        return local.rpartition(":")[2] == str(flow.a.port)
    return not endpoint.listener
