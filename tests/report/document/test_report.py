from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import pytest
import recorded as r
from event_ids import named

from lab.analysis.assembly import build_timelines
from lab.records import KeyLog, RanAs, Recording
from lab.report.document.ids import Document
from lab.report.document.report import report_document
from lab.report.document.writing import write_document

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


def test_how_many_tls_secrets_were_recorded_is_there_and_no_secret() -> None:
    secret = f"CLIENT_RANDOM {'01' * 32} {'02' * 48}"
    logs = (KeyLog("client", f"{secret}\nx\n", 7, "conversation"),)
    document = document_of(replace(r.recorded(4), key_logs=logs))
    assert document["key_logs"] == [
        {
            "program": "client",
            "step": "conversation",
            "secrets": 1,
            "other_lines": 1,
            "bytes_not_kept": 7,
        }
    ]
    assert "02" * 48 not in json.dumps(document)


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
    recording = r.recording_of("relayed4")
    lanes = report_document(build_timelines(recording), ())["lanes"]
    assert [lane["name"] for lane in lanes] == ["client", "relay", "server"]
