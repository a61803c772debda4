from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import pytest
import recorded as r
from event_ids import all_named, named

from lab.analysis.assembly import build_timelines
from lab.recording.storage import load_recording
from lab.records import RanAs, Recording
from lab.report.document.ids import Document
from lab.report.document.report import MOST_PAYLOAD_BYTES, report_document, write_document

FAMILIES = [4, 6]


def document_of(recording: Recording) -> Document:
    return report_document(*r.judged(recording))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_document_is_the_same_each_time_and_is_json(family: int) -> None:
    first, again = (document_of(r.recorded(family)) for _ in range(2))
    assert first == again
    assert json.loads(write_document(first)) == first


@pytest.mark.parametrize("family", FAMILIES)
def test_the_document_describes_the_run(family: int) -> None:
    document = document_of(r.recorded(family))
    assert document["schema"] == "wirelab.report/2"
    assert (document["scenario"], document["family"], document["verdict"]) == (
        "tcp",
        family,
        "HOLDS",
    )
    assert document["started"].startswith("20") and document["started"].endswith("Z")
    assert len(document["started"]) == len("2023-11-14T22:13:20.123456789Z")
    assert [program["name"] for program in document["programs"]] == ["server", "client"]


def test_as_whom_programs_ran_is_said_of_those_that_are_confined() -> None:
    assert document_of(r.recorded(4))["ran_as"] is None
    who = RanAs("ann", 1000, ("CAP_NET_RAW",), ("/home/ann",), ("/run/x",), host_files=False)
    assert document_of(replace(r.recorded(4), ran_as=who))["ran_as"] == {
        "user": "ann",
        "uid": 1000,
        "capabilities": ["CAP_NET_RAW"],
        "writable": ["/home/ann"],
        "sockets": ["/run/x"],
        "host_files": False,
    }


def test_times_keep_every_nanosecond() -> None:
    recording = replace(r.recorded(4), started_ns=1_700_000_000_000_000_007)
    assert document_of(recording)["started"] == "2023-11-14T22:13:20.000000007Z"
    event = document_of(recording)["events"][0]
    first = r.sightings(r.recorded(4), 1)
    assert (event["sent_ns"], event["received_ns"]) == (first[0].time_ns, first[1].time_ns)


@pytest.mark.parametrize("family", FAMILIES)
def test_all_evidence_is_an_event_of_the_document(family: int) -> None:
    document = document_of(r.recorded(family))
    events = [named(event["id"]) for event in document["events"]]
    assert len(set(events)) == len(events) == 20 + 14 + 9
    told = {named(event) for claim in document["claims"] for event in claim["evidence"]}
    told |= {named(event) for flow in document["flows"] for event in flow["frames"]}
    assert told <= set(events)
    assert {"f1", "f20", "client:3", "server:6"} <= told


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


def test_an_incomplete_capture_is_reported_with_its_reasons() -> None:
    document = report_document(*r.judged(r.incomplete(r.recorded(4)), r.CLAIMS))
    assert document["verdict"] == "UNDECIDED"
    assert document["capture"]["dropped"] == 2
    assert len(document["capture"]["incomplete"]) == 2
    assert {claim["verdict"] for claim in document["claims"]} == {"UNDECIDED"}


def test_a_failed_call_is_an_event_with_its_errno() -> None:
    line = "connect(3, ('198.51.100.2', 9)) = -1 ECONNREFUSED\n"
    document = document_of(r.printed("client", lambda _: line)(r.recorded(4)))
    (event,) = [e for e in document["events"] if named(e["id"]) == "client:1"]
    assert (event["result"], event["error"]) == (-1, "ECONNREFUSED")
    assert event["obtained"] == "printed by the program"


@pytest.mark.parametrize("text", ["\udcff", "\ud800\u2028", "漢字"])
def test_any_text_can_be_written_and_read_again(text: str) -> None:
    runs = tuple(replace(run, argv=(text,)) for run in r.recorded(4).programs)
    document = document_of(replace(r.recorded(4), programs=runs))
    written = write_document(document)
    assert json.loads(written.encode("utf-8")) == document


@pytest.mark.parametrize(("family", "number"), [*product(FAMILIES, [1, 3, 8, 20])])
def test_the_numbers_of_frames_have_no_gaps_when_one_is_missing(family: int, number: int) -> None:
    events = document_of(r.without(number)(r.recorded(family)))["events"]
    frames = [named(event["id"]) for event in events if event["id"]["kind"] == "frame"]
    assert frames == [f"f{n}" for n in range(1, 20)]


def test_every_step_has_its_events_and_flows() -> None:
    document = document_of(r.twice(r.recorded(4)))
    assert document["steps"] == ["conversation", "again"]
    assert [flow["step"] for flow in document["flows"]] == ["conversation", "again"]
    events = [named(event["id"]) for event in document["events"]]
    assert len(events) == len(set(events)) == 2 * (20 + 14 + 9)
    assert document["capture"]["canaries"] == {"sent": 24, "seen": 24}


def test_a_run_without_internet_sockets_has_no_family() -> None:
    assert document_of(replace(r.recorded(4), family=None))["family"] is None


@pytest.mark.parametrize("family", FAMILIES)
def test_datagrams_fragments_and_errors_have_fields_of_their_own(family: int) -> None:
    recording = load_recording(r.FOLDER / f"udp{family}")
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
    recording = load_recording(r.FOLDER / f"udp{family}")
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


def test_each_step_has_its_lanes() -> None:
    assert document_of(r.recorded(4))["lanes"] == [
        {
            "name": name,
            "host": name,
            "addresses": [f"198.51.100.{number}"],
            "programs": [name],
            "step": "conversation",
        }
        for number, name in enumerate(("client", "server"), 1)
    ]
    recording = load_recording(r.FOLDER / "relayed4")
    lanes = report_document(build_timelines(recording), ())["lanes"]
    assert [lane["name"] for lane in lanes] == ["client", "relay", "server"]
