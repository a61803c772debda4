"""Who is at an end of a channel: a traced program's socket, or whoever else had it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from lab.analysis.flows.flow import transport_endpoints
from lab.analysis.sockets.facts import takes
from lab.analysis.sockets.flow_ends import is_a_side
from lab.analysis.story import is_port_unreachable
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.analysis.correlate.correlation import Channel
    from lab.analysis.flows.flow import Flow
    from lab.analysis.timeline import Timeline
    from lab.model.address import SocketAddress


class EndKind(enum.Enum):
    """What a channel's end is."""

    SOCKET = "socket"
    """A traced program's, whose calls sent or read."""
    UNREAD = "unread"
    """A traced program's that takes what comes there; no call read any of it."""
    ACCEPT_QUEUE = "accept queue"
    """A connection that no accept() picked up, in the queue of a traced program's listener."""
    RAW_SOCKET = "raw socket"
    """A traced program's raw or packet socket, the only one of its host that may have been."""
    REFUSED = "refused"
    """Nobody: an ICMP port unreachable said so."""
    SILENT = "silent"
    """Nobody is known to have been there: nothing came back."""
    NOWHERE = "nowhere"
    """Nobody: what was sent left its host over no wire that was captured."""
    UNTRACED = "untraced"
    """A socket that is no traced program's."""
    UNKNOWN = "unknown"
    """Not all is known of the channel's calls: it may be any socket."""


@frozen
class ChannelEnd:
    """One end of a channel."""

    kind: EndKind
    program: str = ""
    """Whose it is; "" where it is no traced program's."""


def channel_ends(channel: Channel, timeline: Timeline) -> tuple[ChannelEnd, ChannelEnd]:
    """A channel's sender and receiver."""
    return _end(channel, timeline, is_sender=True), _end(channel, timeline, is_sender=False)


def _end(channel: Channel, timeline: Timeline, *, is_sender: bool) -> ChannelEnd:
    by_id = {endpoint.id: endpoint for endpoint in timeline.endpoints}
    this, other = channel.sender, channel.receiver
    if not is_sender:
        this, other = other, this
    if this in by_id:
        return ChannelEnd(EndKind.SOCKET, by_id[this].program)
    if channel.uncounted:
        return ChannelEnd(EndKind.UNKNOWN)
    flow = next((flow for flow in timeline.flows if flow.id == channel.flow), None)
    if channel.flow is None and channel.carried == 0 and not is_sender:
        return ChannelEnd(EndKind.NOWHERE)
    if flow is None or other not in by_id:
        return ChannelEnd(EndKind.UNTRACED)
    is_a = not is_a_side(by_id[other], flow)
    address = flow.a if is_a else flow.b
    host = _host(flow, is_a)
    here = [endpoint for endpoint in timeline.endpoints if endpoint.host == host]
    for endpoint in here:
        fits = endpoint.protocol == flow.protocol and endpoint.local is not None
        if is_sender or not fits or not takes(endpoint.local, address):
            continue
        if endpoint.listening:
            return ChannelEnd(EndKind.ACCEPT_QUEUE, endpoint.program)
        if flow.protocol == "udp":
            return ChannelEnd(EndKind.UNREAD, endpoint.program)
    raw = [each for each in here if each.type == "SOCK_RAW" or each.domain == "AF_PACKET"]
    if raw:
        return ChannelEnd(EndKind.RAW_SOCKET, raw[0].program)
    if is_sender or flow.protocol != "udp" or _sends(flow, address):
        return ChannelEnd(EndKind.UNTRACED)
    is_refused = any(is_port_unreachable(error.packet) for error in flow.errors)
    return ChannelEnd(EndKind.REFUSED if is_refused else EndKind.SILENT)


def _host(flow: Flow, is_a: bool) -> str:
    """The host at the flow's `a`, or at its other end, by the flow's first frame."""
    first = flow.crossings[0]
    ends = transport_endpoints(first.packet)
    a_sent = ends is not None and ends[0] == flow.a
    return first.sender if a_sent == is_a else first.receiver


def _sends(flow: Flow, address: SocketAddress) -> bool:
    """Whether any of the flow's frames comes from that address."""
    ends = (transport_endpoints(crossing.packet) for crossing in flow.crossings)
    return any(each is not None and each[0] == address for each in ends)
