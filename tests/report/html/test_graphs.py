from __future__ import annotations

from scenes import recorded_result

from lab.analysis.tcp.conversation import TcpConversation
from lab.report.html import graphs


def conversation() -> TcpConversation:
    (found,) = recorded_result("tcp4").timelines[0].conversations
    return found


def test_a_short_flow_has_no_graph() -> None:
    assert graphs.graph_documents(conversation(), 0, {}) == []


def test_a_way_has_its_segments_and_the_answers_to_them() -> None:
    there, back = graphs.graph_documents(conversation(), 0, {}, fewest=1)
    assert [(seq, end) for _, _, seq, end, _ in there["segments"]] == [(1, 8), (8, 34), (34, 49)]
    assert [ack for _, _, ack, _, _ in there["answers"]][:4] == [1, 8, 34, 49]
    assert all(edge > ack for _, _, ack, edge, _ in there["answers"])
    assert [(seq, end) for _, _, seq, end, _ in back["segments"]] == [(1, 8), (8, 24), (24, 44)]
