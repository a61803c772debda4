from __future__ import annotations

from dataclasses import replace

import frame_bytes as fb
import pytest
from transcript import converse, only_flow

from lab.analysis.flow_remarks import flow_remarks
from lab.analysis.flows.crossings import crossings_of_capture
from lab.analysis.flows.flow import group_flows
from lab.analysis.packets.packet import Tcp, TcpOption
from lab.analysis.tcp.conversation import TcpConversation, analyse_tcp
from lab.records import Direction, Frame, LinkType

OPEN = """
    0.1 client > server SYN seq=100 ws=7
    0.2 server > client SYN,ACK seq=900 ack=101 ws=7
    0.3 client > server ACK seq=101 ack=901
"""


def remarks(conversation: TcpConversation) -> list[str]:
    return list(flow_remarks(conversation.flow, conversation))


def test_a_whole_conversation_has_no_remark() -> None:
    assert remarks(converse(OPEN)) == []


@pytest.mark.parametrize(
    ("lines", "seen", "whose"),
    [
        ((1, 2), "not every SYN", "left's"),
        ((2,), "no SYN", "left's and right's"),
    ],
)
def test_an_unknown_window_scale_is_named_with_whose_it_is(
    lines: tuple[int, ...], seen: str, whose: str
) -> None:
    kept = [line for n, line in enumerate(OPEN.strip().splitlines()) if n in lines]
    (remark,) = remarks(converse("\n".join(kept)))
    assert remark == (
        f"window scale unknown, as {seen} was captured: windows of the {whose} side are as in "
        "the header"
    )


def test_a_sender_whose_checksums_are_its_cards_is_named() -> None:
    left = "\n".join(line + " left" * ("client >" in line) for line in OPEN.splitlines())
    (remark,) = remarks(converse(left))
    assert remark.startswith("checksums of 10.0.0.1:40000 are left to its network card")


def test_multipath_tcp_is_said_to_be_named_and_no_more() -> None:
    flow = only_flow(OPEN)
    syn = flow.crossings[0]
    layers = tuple(
        replace(layer, options=(TcpOption(30, "multipath_tcp", b"\x00\x81"),))
        if isinstance(layer, Tcp)
        else layer
        for layer in syn.packet.layers
    )
    first = replace(syn, packet=replace(syn.packet, layers=layers))
    talk = analyse_tcp(replace(flow, crossings=(first, *flow.crossings[1:])))
    assert any("subflows are not joined" in remark for remark in remarks(talk))


@pytest.mark.parametrize(
    ("kept", "remark"),
    [(1, "1 packet is cut off in the header"), (2, "2 packets are cut off in the header")],
)
def test_packets_cut_in_their_headers_are_counted(kept: int, remark: str) -> None:
    data = fb.ipv4(fb.udp(b"ask"), 17)
    (flow,) = group_flows(
        crossings_of_capture(
            Frame(n, "if0", Direction.UNKNOWN, data[:26], len(data), LinkType.RAW)
            for n in range(kept)
        )
    )
    assert list(flow_remarks(flow, None)) == [f"{remark}, and taken into no account"]
