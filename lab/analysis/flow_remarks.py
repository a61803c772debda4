"""What is to be said of a flow of a capture file as a whole, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator

from lab.analysis.encapsulation import flow_carriers, not_entered
from lab.analysis.flows.checksums import judge_checksums
from lab.analysis.flows.flow import Flow, cut_endpoints
from lab.analysis.tcp.conversation import TcpConversation
from lab.model.counted import counted

_ENOUGH_SEGMENTS = 100
"""Multipath TCP has an option in its SYNs, and in every segment that maps data (RFC 8684, 3)."""


def flow_remarks(flow: Flow, conversation: TcpConversation | None) -> Iterator[str]:
    """What limits how far the flow's numbers can be relied on."""
    yield from flow_carriers(flow)
    outside = [what for each in flow.crossings if (what := not_entered(each.packet))]
    if outside:
        yield f"carries {outside[0]}: not entered"
    if conversation is not None:
        yield from _window_scale(conversation)
        yield from _multipath(conversation)
    cut = sum(cut_endpoints(crossing.packet) is not None for crossing in flow.parts)
    if cut:
        verb = "is" if cut == 1 else "are"
        yield f"{counted(cut, 'packet')} {verb} cut off in the header, and taken into no account"
    checksums = conversation.checksums if conversation else judge_checksums(flow)
    for sender in checksums.left_to_card:
        yield f"checksums of {sender} are left to its network card: none of these is judged"


def _window_scale(conversation: TcpConversation) -> Iterator[str]:
    scale = conversation.window_scale
    unknown = [
        f"{side}'s"
        for side, shift in (("left", scale.client), ("right", scale.server))
        if shift is None
    ]
    if unknown and conversation.segments:
        seen = "no SYN" if len(unknown) == 2 else "not every SYN"
        yield (
            f"window scale unknown, as {seen} was captured: windows of the "
            f"{' and '.join(unknown)} side are as in the header"
        )


def _multipath(conversation: TcpConversation) -> Iterator[str]:
    for crossing in conversation.flow.crossings[:_ENOUGH_SEGMENTS]:
        tcp = crossing.packet.tcp
        if tcp is not None and tcp.options and tcp.option("multipath_tcp") is not None:
            yield "Multipath TCP: subflows are not joined, and its options named, no more"
            return
