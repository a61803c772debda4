"""The report as one JSON document, derived from a run's timelines and verdicts alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import Flow, transport_endpoints
from lab.analysis.judging import overall
from lab.analysis.packets.fragments import piece_of
from lab.analysis.packets.packet import Packet
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
from lab.analysis.tcp.stream import Stream
from lab.analysis.timeline import Timeline
from lab.ladder.lanes import place
from lab.model.claim import Judgement
from lab.model.event import frame_id
from lab.records import Instrument, RanAs, SocketSeen
from lab.report.document.ids import Document, event_reference, event_references, known_frame
from lab.report.document.trace import (
    correlation_document,
    endpoint_document,
    order_of,
    trace_events,
)

SCHEMA = "wirelab.report/2"
MOST_PAYLOAD_BYTES = 128
"""As many of a frame's payload are in the document."""


def report_document(timelines: Sequence[Timeline], judgements: Sequence[Judgement]) -> Document:
    """The report, as JSON types; equal for equal recordings and scenarios.

    `timelines` are those of the run's steps.
    """
    recording = timelines[0].recording
    return {
        "schema": SCHEMA,
        "scenario": recording.scenario,
        "family": recording.family and recording.family.value,
        "started": _iso(recording.started_ns),
        "kernel": recording.kernel,
        "ran_as": _ran_as(recording.ran_as),
        "instruments": [_instrument(each) for each in recording.instruments],
        "capture": _capture(timelines),
        "steps": [timeline.step for timeline in timelines],
        "programs": [
            {
                "name": run.name,
                "step": run.step,
                "host": run.host,
                "argv": list(run.argv),
                "exit_status": run.exit_status,
                "started_ns": run.started_ns,
                "ready_ns": run.ready_ns,
                "ended_ns": run.ended_ns,
                **({"failure": run.failure} if run.failure else {}),
                **({"remark": run.remark} if run.remark else {}),
            }
            for run in recording.programs
        ],
        "lanes": [
            {**lane, "step": timeline.step} for timeline in timelines for lane in _lanes(timeline)
        ],
        "events": [
            {**event, "step": timeline.step}
            for timeline in timelines
            for event in (
                *_frame_events(timeline),
                *_call_events(timeline),
                *trace_events(timeline),
            )
        ],
        "order": [
            {**each, "step": timeline.step} for timeline in timelines for each in order_of(timeline)
        ],
        "flows": [
            {**flow, "step": timeline.step} for timeline in timelines for flow in _flows(timeline)
        ],
        "endpoints": [
            {**endpoint_document(endpoint), "step": timeline.step}
            for timeline in timelines
            for endpoint in timeline.endpoints
        ],
        "correlation": [
            {**correlation_document(timeline), "step": timeline.step}
            for timeline in timelines
            if timeline.system_calls
        ],
        "violations": [
            {"step": timeline.step, "violation": violation}
            for timeline in timelines
            for violation in timeline.order.violations
        ],
        "sockets": [_socket(seen) for timeline in timelines for seen in timeline.sockets],
        "claims": [
            {
                "id": judgement.claim.id,
                "text": judgement.text,
                "source": judgement.claim.source,
                "statements": list(judgement.claim.statements),
                "verdict": judgement.verdict.outcome.value,
                "why": judgement.verdict.why,
                "evidence": event_references(judgement.verdict.evidence),
            }
            for judgement in judgements
        ],
        "verdict": overall(judgements).value,
    }


def write_document(document: Document) -> str:
    """The document as text, keys in order, one line an event, flow, claim and so on.

    A line for each single value would take ten times as long to write: json's fast encoder
    knows no indentation, and a run may have 100,000 events.
    """
    fields = (f" {json.dumps(name)}: {_written(value)}" for name, value in document.items())
    text = "{\n" + ",\n".join(fields) + "\n}\n"
    # Surrogates (in a file name that is no UTF-8) cannot be written, but JSON can escape them.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _written(value: object) -> str:
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        lines = (f"  {json.dumps(each, ensure_ascii=False)}" for each in value)
        return "[\n" + ",\n".join(lines) + "\n ]"
    return json.dumps(value, ensure_ascii=False)


def _iso(time_ns: int) -> str:
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def _ran_as(who: RanAs | None) -> Document | None:
    if who is None:
        return None
    return {
        "user": who.user,
        "uid": who.uid,
        "capabilities": list(who.capabilities),
        "writable": list(who.writable),
        "sockets": list(who.sockets),
        "host_files": who.host_files,
    }


def _capture(timelines: Sequence[Timeline]) -> Document:
    brackets = [timeline.bracket for timeline in timelines]
    recording = timelines[0].recording
    return {
        "frames": sum(len(bracket.frames) for bracket in brackets),
        "dropped": brackets[0].dropped,
        "canaries": {
            "sent": sum(bracket.canaries_sent for bracket in brackets),
            "seen": sum(bracket.canaries_seen for bracket in brackets),
        },
        "outside": sum(bracket.outside for bracket in brackets),
        "incomplete": list(
            dict.fromkeys(reason for bracket in brackets for reason in bracket.incomplete)
        ),
        "unfinished": list(recording.unfinished),
        "points": [point.name for point in recording.points],
    }


def _instrument(instrument: Instrument) -> Document:
    return {
        "kind": instrument.kind.value,
        "obtained": instrument.obtained and instrument.obtained.value,
        "slack_ns": instrument.slack_ns,
        "text": instrument.text,
    }


def _socket(seen: SocketSeen) -> Document:
    return {name: getattr(seen, name) for name in seen.__slots__}


def _frame_events(timeline: Timeline) -> list[Document]:
    phase_of = phases(timeline.crossings, timeline.conversations)
    role_of = roles(timeline.conversations, timeline.crossings)
    segment_of = {
        segment.crossing: (conversation, segment)
        for conversation in timeline.conversations
        for segment in conversation.segments
    }
    events: list[Document] = []
    for crossing in timeline.crossings:
        event = _frame_event(crossing)
        event["phase"] = phase_of[crossing.number].name.lower()
        if crossing.number in role_of:
            event["role"] = role_of[crossing.number]
        if crossing.number in segment_of:
            event |= _segment(*segment_of[crossing.number])
        events.append(event)
    return events


def _frame_event(crossing: Crossing) -> Document:
    return {
        "id": event_reference(crossing.id),
        "obtained": "measured",
        "sent_ns": crossing.sent_ns,
        "received_ns": crossing.received_ns,
        "from": crossing.sender,
        "to": crossing.receiver,
        "bytes": crossing.packet.frame.wire_bytes,
        "payload": _payload(crossing.packet),
        "summary": "; ".join(filter(None, _summary(crossing.packet))),
        **_datagram(crossing.packet),
    }


def _payload(packet: Packet) -> Document:
    """How long the payload is, and its first bytes."""
    payload = packet.payload
    return {"length": len(payload), "hex": payload[:MOST_PAYLOAD_BYTES].hex()}


def _lanes(timeline: Timeline) -> list[Document]:
    """A step's lanes from left to right: its hosts, or the programs of one host."""
    return [
        {
            "name": lane.name,
            "host": lane.host,
            "addresses": list(lane.addresses),
            "programs": list(lane.programs),
        }
        for lane in place(timeline).lanes
    ]


def _summary(packet: Packet) -> tuple[str, str]:
    return describe_packet(packet), describe_more(packet)


def _datagram(packet: Packet) -> Document:
    """What is particular to UDP, ICMP and fragments; empty for other packets."""
    document: Document = {}
    if (piece := piece_of(packet)) is not None:
        document["fragment"] = {name: getattr(piece, name) for name in piece.__slots__}
    if (udp := packet.udp) is not None:
        document["udp"] = {
            "source_port": udp.source_port,
            "destination_port": udp.destination_port,
            "len": udp.payload_bytes,
        }
    if (icmp := packet.icmp) is not None:
        document["icmp"] = {"type": icmp.type, "code": icmp.code}
    return document


def _segment(conversation: TcpConversation, segment: Segment) -> Document:
    states = (segment.sender_state, segment.receiver_state)
    client, server = states if segment.from_client else reversed(states)
    implied = (segment.implied_sender_state, segment.implied_receiver_state)
    implied_client, implied_server = implied if segment.from_client else reversed(implied)
    return {
        "flow": str(conversation.flow.id),
        "summary": describe_segment(segment),
        "tcp": {
            "flags": flag_names(segment.flags),
            "seq": segment.seq,
            "ack": segment.ack,
            "len": segment.length,
            "window": segment.window_bytes,
            "notes": sorted(note.value for note in segment.notes),
            "states": "inferred",
            "client_state": client.value if client else None,
            "implied_client_state": implied_client.value if implied_client else None,
            "implied_server_state": implied_server.value if implied_server else None,
            "server_state": server.value if server else None,
        },
    }


def _call_events(timeline: Timeline) -> list[Document]:
    return [
        {
            "id": event_reference(call.id),
            "obtained": "printed by the program",
            "program": call.program,
            "call": call.text,
            "result": call.result,
            "error": call.error or None,
        }
        for calls in timeline.calls.values()
        for call in calls
    ]


def _flows(timeline: Timeline) -> list[Document]:
    conversation_of = {
        conversation.flow.number: conversation for conversation in timeline.conversations
    }
    return [
        _flow(flow, conversation_of[flow.number] if flow.protocol == "tcp" else None)
        for flow in timeline.flows
    ]


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
