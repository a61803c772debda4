"""The bytes of TCP connections: sends joined with segments, and segments with reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.carriers import Carriers
from lab.analysis.packet import TcpFlags
from lab.analysis.stream_channel import stream_channel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.analysis.byte_joins import Channel
    from lab.analysis.flow import Flow
    from lab.analysis.socket_calls import SocketCalls
    from lab.analysis.system_call import Endpoint
    from lab.analysis.tcp import TcpConversation

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


def tcp_channels(
    conversations: Iterable[TcpConversation], sides: Sides, calls: SocketCalls
) -> Iterator[Channel]:
    """Both ways of each connection with at least one end in a traced program.

    A way on which nothing went is left out.
    """
    for conversation in conversations:
        name = conversation.flow.name
        for from_client in (True, False):
            sender, receiver = sides.get((name, from_client)), sides.get((name, not from_client))
            if sender is not None or receiver is not None:
                yield from _channel(conversation, from_client, sender, receiver, calls)


def _channel(
    conversation: TcpConversation,
    from_client: bool,
    sender: Endpoint | None,
    receiver: Endpoint | None,
    calls: SocketCalls,
) -> Iterator[Channel]:
    stream = conversation.client_to_server if from_client else conversation.server_to_client
    sends = calls.sends(sender.id) if sender is not None else []
    reads = calls.reads(receiver.id) if receiver is not None else []
    carriers = Carriers(conversation, from_client)
    yield from stream_channel(
        sender.id if sender is not None else "",
        receiver.id if receiver is not None else "",
        sends,
        reads,
        carriers,
        conversation.flow.name,
        stream.length,
    )
