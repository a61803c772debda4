"""Frames and flows in a run's report."""

from __future__ import annotations

import pytest
import recorded as r
from event_ids import all_named, named

from lab.analysis.assembly import build_timelines
from lab.records import Recording
from lab.report.document.frames import MOST_PAYLOAD_BYTES
from lab.report.document.ids import Document
from lab.report.document.report import report_document

FAMILIES = [4, 6]


def document_of(recording: Recording) -> Document:
    return report_document(*r.judged(recording))


def test_segments_carry_relative_numbers_states_and_phases() -> None:
    syn, syn_ack = document_of(r.recorded(4))["events"][2:4]
    assert (syn["flow"], syn["phase"], syn["summary"][:9]) == ("tcp 0", "opening", "SYN seq=0")
    assert (syn["from"], syn["to"]) == ("client", "server")
    assert syn["tcp"]["client_state"] == "SYN-SENT"
    assert syn_ack["tcp"] == {
        "flags": "SYN ACK",
        "seq": 0,
        "ack": 1,
        "len": 0,
        "window": syn_ack["tcp"]["window"],
        "notes": [],
        "states": "inferred",
        "client_state": "ESTABLISHED",
        "implied_client_state": None,
        "implied_server_state": None,
        "server_state": "SYN-RECEIVED",
    }
    assert syn_ack["role"].startswith("handshake 2 of 3")


def test_a_flow_is_described_from_handshake_to_teardown() -> None:
    (flow,) = document_of(r.recorded(6))["flows"]
    assert flow["id"] == "tcp 0"
    assert flow["b"] == "[2001:db8::2]:4242"
    assert all_named(flow["handshake"]["frames"]) == ["f3", "f4", "f5"]
    assert flow["handshake"]["syn_to_syn_ack_ns"] > 0
    assert flow["options"]["mss_to_server"] == 1440
    assert flow["client_to_server"] == {
        "bytes": 48,
        "gaps": [],
        "fin": {"kind": "frame", "number": 12},
        "fin_acked": {"kind": "frame", "number": 13},
    }
    assert flow["server_to_client"]["bytes"] == 43
    assert (flow["teardown"], flow["resets"]) == ("FIN from both sides", [])


def test_a_lost_frame_has_no_arrival_and_leaves_a_gap() -> None:
    document = document_of(r.lost(8)(r.recorded(4)))
    event = document["events"][7]
    assert (named(event["id"]), event["received_ns"]) == ("f8", None)
    assert event["tcp"]["notes"] == ["lost"]
    assert event["tcp"]["server_state"] is None
    assert document["flows"][0]["client_to_server"]["gaps"] == [[8, 34]]
    assert document["verdict"] == "BROKEN"


def test_a_flow_whose_opening_was_not_seen_has_no_handshake() -> None:
    (flow,) = document_of(r.without(3, 4, 5)(r.recorded(4)))["flows"]
    assert flow["handshake"] is None
    assert flow["options"] is None


@pytest.mark.parametrize("family", FAMILIES)
def test_datagrams_fragments_and_errors_have_fields_of_their_own(family: int) -> None:
    recording = r.recording_of(f"udp{family}")
    document = report_document(build_timelines(recording), ())
    event = {named(each["id"]): each for each in document["events"]}
    assert (event["f4"]["udp"]["len"], event["f4"]["udp"]["destination_port"]) == (25, 4242)
    assert [event[f"f{n}"]["fragment"]["more"] for n in (15, 16, 17)] == [True, True, False]
    assert (event["f15"]["fragment"]["start"], event["f17"]["fragment"]["end"]) == (0, 4008)
    assert "udp" not in event["f16"]
    assert "last; whole: UDP " in event["f17"]["summary"]
    assert event["f17"]["summary"].endswith("> 4242 len=4000")
    unreachable = {"type": 3, "code": 3} if family == 4 else {"type": 1, "code": 4}
    assert event["f22"]["icmp"] == unreachable
    assert (event["f22"]["phase"], event["f22"]["role"]) == (
        "error",
        "nobody listens on UDP port 4343",
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_a_flow_of_datagrams_has_their_lengths_each_way(family: int) -> None:
    recording = r.recording_of(f"udp{family}")
    flows = report_document(build_timelines(recording), ())["flows"]
    assert [(flow["a_to_b"], flow["b_to_a"]) for flow in flows] == [
        ([7, 25, 0, 13], [23, 20]),
        ([40, 7], []),
        ([4000, 7], []),
        ([14], []),
        ([14], []),
    ]
    assert [all_named(flow["errors"]) for flow in flows] == [[], [], [], ["f22"], ["f24"]]


def test_a_frame_has_its_payloads_length_and_first_bytes() -> None:
    document = document_of(r.recorded(4))
    payloads = {named(event["id"]): event.get("payload") for event in document["events"]}
    assert payloads["f6"] == {"length": 7, "hex": b"Hello. ".hex()}
    assert payloads["f7"] == payloads["f1"] == {"length": 0, "hex": ""}
    assert payloads["client:1"] is None
    large = r.changed(6, r.set_payload(bytes(range(200))))(r.recorded(4))
    (event,) = [e for e in document_of(large)["events"] if named(e["id"]) == "f6"]
    assert event["payload"]["length"] == 200
    assert bytes.fromhex(event["payload"]["hex"]) == bytes(range(MOST_PAYLOAD_BYTES))
