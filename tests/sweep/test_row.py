from __future__ import annotations

import json
from dataclasses import replace

import pytest
from scenes import RECORDINGS
from sweep_rows import made_row, wanted_runs

from lab.run import judged
from lab.sweep.row import failed_row, row_of_json, row_of_result

(WANTED,) = wanted_runs("loss=5", "family=6", "trace=none")


def test_a_run_is_measured_by_what_its_hosts_sent_and_got() -> None:
    result = judged(str(RECORDINGS / "traced-tcp4"))
    row = row_of_result(WANTED, result, "here", 0.5)
    (timeline,) = result.timelines
    (talk,) = timeline.conversations
    assert (row.scenario, row.family, row.trace, row.over) == ("tcp", 6, "none", {"loss": 5})
    assert (row.key, row.seed, row.machine, row.took_s) == (WANTED.key, 1, "here", 0.5)
    assert (row.outcome, row.failure) == (result.outcome.name, "")
    assert row.holds + row.broken + row.undecided + row.skipped == len(result.judgements)
    assert row.frames == len(timeline.crossings)
    assert row.lost == 0 == row.retransmissions
    assert row.wire_bytes == sum(c.packet.frame.wire_bytes for c in timeline.crossings)
    sent = talk.client_to_server.length + talk.server_to_client.length
    assert row.payload_bytes == sent > 0
    first, last = timeline.crossings[0].sent_ns, timeline.crossings[-1].received_ns
    assert first is not None
    assert last is not None
    assert row.lasted_s == pytest.approx((last - first) / 1e9)
    flow = timeline.flows[0].crossings
    assert flow[0].sent_ns is not None
    assert flow[-1].received_ns is not None
    assert row.goodput_bps == pytest.approx(8e9 * sent / (flow[-1].received_ns - flow[0].sent_ns))
    assert talk.handshake is not None
    assert row.handshake_s == talk.handshake.syn_to_syn_ack_ns / 1e9


def test_what_is_lost_and_sent_again_is_counted() -> None:
    data, datagrams = (
        row_of_result(WANTED, judged(str(RECORDINGS / name)), "here", 0.5)
        for name in ("loss-data4", "udp-loss4")
    )
    # Each of its steps loses some.
    assert (data.lost, data.retransmissions) == (5, 5)
    assert data.counters["TcpRetransSegs"] == 5
    assert not [name for name in data.counters if ":" in name]
    assert (datagrams.lost, datagrams.retransmissions) == (1, 0)
    assert datagrams.frames is not None


def test_a_lost_datagram_is_no_payload_that_arrived() -> None:
    result = judged(str(RECORDINGS / "udp-loss4"))
    row = row_of_result(WANTED, result, "here", 0.5)
    sent = [c for t in result.timelines for flow in t.flows for c in flow.crossings]
    arrived = [c.packet.udp.payload_bytes for c in sent if c.packet.udp and not c.lost]
    assert row.payload_bytes == sum(arrived)
    assert len(arrived) == len(sent) - 1


def test_a_row_is_the_same_behind_json() -> None:
    row = made_row(WANTED, not_held=("a", "b"))
    assert row_of_json(json.loads(json.dumps(row.as_json()))) == row


def test_of_a_run_that_could_not_be_made_nothing_is_measured() -> None:
    row = failed_row(WANTED, "no link", "here", 7, 0.1)
    assert (row.failure, row.outcome, row.began_ns) == ("no link", "", 7)
    measured = (row.frames, row.lasted_s, row.goodput_bps, row.retransmissions, row.handshake_s)
    assert measured == (None,) * 5
    assert replace(row, failure="") != row
