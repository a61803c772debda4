"""Frames and flows as JSON types: of a run's report, and of any capture file."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import fields

from lab.analysis.flows.changes import changes_between, lifetime_of
from lab.analysis.flows.crossing import Crossing, Hop
from lab.analysis.flows.flow import Flow, transport_endpoints
from lab.analysis.packets.fragments import piece_of
from lab.analysis.packets.packet import Packet, Payload
from lab.analysis.story import (
    describe_more,
    describe_packet,
    describe_segment,
    flag_names,
    phases,
    roles,
)
from lab.analysis.tcp.conversation import TcpConversation
from lab.analysis.tcp.segment import Segment
from lab.analysis.tcp.state import State
from lab.analysis.tcp.stream import Stream
from lab.model.event import frame_id
from lab.report.document.ids import Document, event_reference, event_references, known_frame

_STATE_NAMES: dict[State | None, str | None] = {None: None} | {each: each.value for each in State}
"""Looked up in a third of the time that enum takes for a value."""

MOST_PAYLOAD_BYTES = 128
"""As many of a frame's payload are in the document."""


def frame_documents(
    crossings: Sequence[Crossing], conversations: Sequence[TcpConversation]
) -> Iterator[Document]:
    """The frames in their order, with what their conversations make of them."""
    phase_of = phases(crossings, conversations)
    role_of = roles(conversations, crossings)
    segment_of = {segment.crossing: segment for talk in conversations for segment in talk.segments}
    # By crossing, whose numbers begin at 1: a pair for each takes as much as its segment.
    talk_at = array("I", bytes(4 * (max(segment_of, default=0) + 1)))
    for place, talk in enumerate(conversations):
        for segment in talk.segments:
            talk_at[segment.crossing] = place
    flow_names = [str(talk.flow.id) for talk in conversations]
    for crossing in crossings:
        event = _frame_event(crossing, is_segment=crossing.number in segment_of)
        event["phase"] = phase_of[crossing.number].name.lower()
        if crossing.number in role_of:
            event["role"] = role_of[crossing.number]
        if crossing.number in segment_of:
            event["flow"] = flow_names[talk_at[crossing.number]]
            event |= _segment(segment_of[crossing.number])
        yield event


def _frame_event(crossing: Crossing, *, is_segment: bool) -> Document:
    """What a frame is; a segment's summary is made of what its conversation makes of it."""
    summary = "" if is_segment else "; ".join(filter(None, _summary(crossing.packet)))
    return {
        "id": event_reference(crossing.id),
        "obtained": "measured",
        "sent_ns": crossing.sent_ns,
        "received_ns": crossing.received_ns,
        "from": crossing.sender,
        "to": crossing.receiver,
        "bytes": crossing.wire_bytes,
        "payload": _payload(crossing.carried),
        "summary": summary,
        **({} if is_segment and crossing.is_plain else _datagram(crossing.packet)),
        **_hops(crossing),
    }


def _hops(crossing: Crossing) -> Document:
    """Its links, of a frame that switches and routers forwarded; empty for any other."""
    if not crossing.hops:
        return {}
    every = enumerate(crossing.hops)
    return {"hops": [_hop(hop, crossing.hop_before(place)) for place, hop in every]}


def _hop(hop: Hop, before: Hop | None) -> Document:
    """One of its links, and what is not as on the link before."""
    changed = () if before is None else changes_between(before, hop)
    return {
        "from": hop.sender,
        "to": hop.receiver,
        "sent_ns": hop.sent_ns,
        "received_ns": hop.received_ns,
        "bytes": hop.wire_bytes,
        "ttl": lifetime_of(hop),
        "changes": {each.field: [each.before, each.after] for each in changed},
    }


def _payload(carried: Payload | None) -> Document:
    """How long the payload is, and its first bytes."""
    if carried is None:
        return {"length": 0, "hex": ""}
    return {"length": carried.size, "hex": carried.part(0, MOST_PAYLOAD_BYTES).data.hex()}


def _summary(packet: Packet) -> tuple[str, str]:
    return describe_packet(packet), describe_more(packet)


def _datagram(packet: Packet) -> Document:
    """What is particular to UDP, ICMP and fragments; empty for other packets."""
    document: Document = {}
    if (piece := piece_of(packet)) is not None:
        document["fragment"] = {each.name: getattr(piece, each.name) for each in fields(piece)}
    if (udp := packet.udp) is not None:
        document["udp"] = {
            "source_port": udp.source_port,
            "destination_port": udp.destination_port,
            "len": udp.payload_bytes,
        }
    if (icmp := packet.icmp) is not None:
        document["icmp"] = {"type": icmp.type, "code": icmp.code}
    return document


def _segment(segment: Segment) -> Document:
    """What a conversation makes of a frame of its flow."""
    states = (segment.sender_state, segment.receiver_state)
    client, server = states if segment.from_client else reversed(states)
    implied = (segment.implied_sender_state, segment.implied_receiver_state)
    implied_client, implied_server = implied if segment.from_client else reversed(implied)
    return {
        "summary": describe_segment(segment),
        "tcp": {
            "flags": flag_names(segment.flags),
            "seq": segment.seq,
            "ack": segment.ack,
            "len": segment.length,
            "window": segment.window_bytes,
            "notes": sorted(note.value for note in segment.notes) if segment.notes else [],
            "states": "inferred",
            "client_state": _STATE_NAMES[client],
            "implied_client_state": _STATE_NAMES[implied_client],
            "implied_server_state": _STATE_NAMES[implied_server],
            "server_state": _STATE_NAMES[server],
        },
    }


def flow_documents(
    flows: Sequence[Flow], conversations: Sequence[TcpConversation]
) -> Iterator[Document]:
    """The flows, those of TCP with what their conversations were."""
    conversation_of = {conversation.flow.number: conversation for conversation in conversations}
    for flow in flows:
        yield _flow(flow, conversation_of[flow.number] if flow.protocol == "tcp" else None)


def _flow(flow: Flow, conversation: TcpConversation | None) -> Document:
    document: Document = {
        "id": str(flow.id),
        "a": str(flow.a),
        "b": str(flow.b),
        "frames": event_references(crossing.id for crossing in flow.crossings),
        "errors": event_references(crossing.id for crossing in flow.errors),
        "parts": event_references(crossing.id for crossing in flow.parts),
    }
    if conversation is None:
        document["a_to_b"], document["b_to_a"] = _datagram_lengths(flow)
        return document
    handshake, agreed = conversation.handshake, conversation.agreed
    document["handshake"] = handshake and {
        "frames": event_references(
            map(frame_id, (handshake.syn, handshake.syn_ack, handshake.ack))
        ),
        "client_isn": handshake.client_isn,
        "server_isn": handshake.server_isn,
        "syn_to_syn_ack_ns": handshake.syn_to_syn_ack_ns,
    }
    document["options"] = agreed and {
        "mss_to_server": agreed.mss_to_server,
        "mss_to_client": agreed.mss_to_client,
        "window_scale": agreed.window_scale and list(agreed.window_scale),
        "sack_permitted": agreed.sack_permitted,
        "timestamps": agreed.timestamps,
    }
    document["client_to_server"] = _stream(conversation.client_to_server)
    document["server_to_client"] = _stream(conversation.server_to_client)
    document["teardown"] = conversation.teardown.value
    document["resets"] = event_references(map(frame_id, conversation.resets))
    return document


def _datagram_lengths(flow: Flow) -> tuple[list[int], list[int]]:
    """The payloads' lengths each way, in order."""
    ways: tuple[list[int], list[int]] = ([], [])
    for crossing in flow.crossings:
        head = crossing.head
        if head is not None:
            ways[head.ends[1] != flow.a].append(head.length)
            continue
        udp, ends = crossing.packet.udp, transport_endpoints(crossing.packet)
        if udp is not None and ends is not None:
            ways[ends[0] != flow.a].append(udp.payload_bytes)
    return ways


def _stream(stream: Stream) -> Document:
    return {
        "bytes": stream.length,
        "gaps": [list(gap) for gap in stream.gaps],
        "fin": known_frame(stream.fin),
        "fin_acked": known_frame(stream.fin_acked),
    }
