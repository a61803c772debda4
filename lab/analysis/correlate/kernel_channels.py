"""What went through the kernel alone: unix sockets and pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.correlate.message_channel import MessageWay, Sent
from lab.analysis.correlate.messages import Messages, take_read
from lab.analysis.correlate.stream_channel import stream_channel
from lab.analysis.sockets.socket_calls import by_message, moves_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.correlation import Channel
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.sockets.socket_calls import SocketCalls
    from lab.model.address import EndpointAddress
    from lab.model.event import EventId


def is_kernel_stream(endpoint: Endpoint) -> bool:
    """Whether it carries bytes, not messages, to another socket or pipe end of this machine."""
    is_unix = endpoint.protocol == "unix" and endpoint.type == "SOCK_STREAM"
    return is_unix or endpoint.protocol == "pipe"


def kernel_channels(endpoints: Sequence[Endpoint], calls: SocketCalls) -> Iterator[Channel]:
    """Each way between two unix sockets or pipe ends on which something went.

    Streams are joined by position, messages one by one. Where the other end is unknown
    there is no channel.
    """
    for endpoint in endpoints:
        if is_kernel_stream(endpoint) and endpoint.peer:
            sends, reads = calls.sends(endpoint.id), calls.reads(endpoint.peer)
            yield from stream_channel(endpoint.id, endpoint.peer, sends, reads)
    yield from _message_channels(endpoints, calls)


def _message_channels(endpoints: Sequence[Endpoint], calls: SocketCalls) -> Iterator[Channel]:
    senders = [
        endpoint
        for endpoint in endpoints
        if endpoint.protocol == "unix" and not is_kernel_stream(endpoint)
    ]
    ways: dict[tuple[str, str], MessageWay] = {}
    waiting: dict[str, Messages[Sent]] = {}
    uncounted: dict[str, EventId] = {}
    for call, receiver in _sends(senders, calls):
        way = ways.setdefault((call.socket, receiver), MessageWay())
        way.sender, way.receiver = call.socket, receiver
        if moves_unknown(call):
            uncounted.setdefault(receiver, call.id)
            continue
        queue = waiting.setdefault(receiver, Messages())
        for each in by_message([call]):
            way.messages.append(Sent(each, None, each.moved))
            queue.add(each.moved, each.data, way.messages[-1])
    for receiver, queue in waiting.items():
        for call in sorted(calls.reads(receiver), key=lambda call: call.exit_ns or 0):
            if moves_unknown(call):
                uncounted.setdefault(receiver, call.id)
                continue
            for each in by_message([call]):
                found = take_read(queue, each)
                if found is not None:
                    found.reads.append(each)
    for way in ways.values():
        way.uncounted = uncounted.get(way.receiver)
        yield way.channel(None)


def _sends(senders: Iterable[Endpoint], calls: SocketCalls) -> list[tuple[SystemCall, str]]:
    """Calls that sent a message, in order, each with the id of the socket it went to."""
    owners = {endpoint.local: endpoint.id for endpoint in senders if endpoint.local}
    found = []
    for endpoint in senders:
        for call in calls.sends(endpoint.id):
            given = call.argument("dest_addr")
            receiver = (
                _owner(owners, given.address if given is not None else None)
                or endpoint.peer
                or _owner(owners, endpoint.remote)
            )
            if receiver and call.result is not None:
                found.append((call, receiver))
    return sorted(found, key=lambda each: each[0].entry_ns)


def _owner(owners: dict[EndpointAddress, str], address: EndpointAddress | None) -> str:
    return owners.get(address, "") if address is not None else ""
