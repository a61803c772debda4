"""What the page's graphs are drawn from: a TCP flow's numbers over time.

Source: tcptrace's time-sequence graph; RFC 9293, 3.3.1 (SND.UNA, SND.NXT, SND.WND).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.analysis.tcp.conversation import TcpConversation
from lab.analysis.tcp.segment import Note
from lab.model.event import EventId, frame_id
from lab.report.svg.visible import visible

FEWEST_SEGMENTS = 21
"""A flow of fewer is seen whole in its ladder."""


def graph_documents(
    conversation: TcpConversation,
    zero_ns: int,
    number_of: Mapping[EventId, int],
    fewest: int = FEWEST_SEGMENTS,
) -> list[dict[str, Any]]:
    """One for each way that carries data: its segments, and what came back about them.

    None for a flow of fewer than `fewest` segments.
    A segment is [time, event, first number, behind its last, whether it is a retransmission];
    an answer [time, event, ACK, the window's right edge, SACK blocks]. Times are nanoseconds
    from `zero_ns`, as the sender has them: a segment's when it left, an answer's when it arrived.
    """
    flow = conversation.flow
    if len(conversation.segments) < fewest:
        return []
    documents = []
    for from_client in (True, False):
        segments: list[list[Any]] = []
        answers: list[list[Any]] = []
        pairs = zip(conversation.segments, flow.crossings, strict=True)
        for segment, crossing in pairs:
            event = number_of.get(frame_id(segment.crossing), -1)
            if segment.from_client == from_client:
                if segment.length:
                    sent_ns = crossing.time_ns - zero_ns
                    again = int(Note.RETRANSMISSION in segment.notes)
                    end = segment.seq + segment.length
                    segments.append([sent_ns, event, segment.seq, end, again])
            elif segment.ack is not None and not crossing.lost:
                came_ns = (crossing.received_ns or crossing.time_ns) - zero_ns
                edge = segment.ack + segment.window_bytes
                blocks = [list(block) for block in segment.sack]
                answers.append([came_ns, event, segment.ack, edge, blocks])
        if segments:
            ends = (flow.a, flow.b) if from_client else (flow.b, flow.a)
            documents.append(
                {
                    "title": visible(f"{ends[0]} → {ends[1]}"),
                    "flow": str(flow.id),
                    "segments": segments,
                    "answers": answers,
                }
            )
    return documents
