"""The bytes of TCP connections: sends joined with segments, and segments with reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.correlate.carriers import Carriers
from lab.analysis.correlate.stream_channel import stream_channel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lab.analysis.correlate.correlation import Channel
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.sockets.flow_ends import FlowSide
    from lab.analysis.sockets.socket_calls import SocketCalls
    from lab.analysis.tcp.conversation import TcpConversation


def tcp_channels(
    conversations: Iterable[TcpConversation],
    sides: Mapping[FlowSide, Endpoint],
    calls: SocketCalls,
) -> Iterator[Channel]:
    """Both ways of each connection with at least one end in a traced program.

    A way on which nothing went is left out. A socket connected to itself has one way.
    """
    for conversation in conversations:
        flow = conversation.flow.id
        both = (True, False)
        for from_client in both[:1] if conversation.is_of_one_socket else both:
            sender, receiver = sides.get((flow, from_client)), sides.get((flow, not from_client))
            if conversation.is_of_one_socket:
                receiver = sender
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
        conversation.flow.id,
        stream.length,
    )
