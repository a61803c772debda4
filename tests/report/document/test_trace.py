from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import traced_runs as t
from event_ids import all_named, named
from event_ids import event as id_of
from shown import flow_id
from step_edits import recording_of

from lab.analysis.assembly import build_timelines
from lab.analysis.correlate.correlation import Accepted, Closed, Correlation, SentPart
from lab.analysis.timeline import Timeline
from lab.report.document.report import report_document
from lab.report.document.writing import write_document


def document_of(timeline: Timeline) -> dict[str, Any]:
    return report_document([timeline], ())


def event(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in document["events"] if named(each["id"]) == name]
    assert isinstance(found, dict)
    return found


def test_a_system_call_is_an_event_with_its_arguments_by_name() -> None:
    connect = event(document_of(t.talk()), "client#2")
    assert connect == {
        "id": {"kind": "system call", "number": 2, "program": "client"},
        "obtained": "measured",
        "program": "client",
        "host": "client",
        "pid": 7,
        "tid": 7,
        "name": "connect",
        "arguments": {"sockfd": "3", "addr": "198.51.100.2:4242", "addrlen": "16"},
        "entry_ns": t.at_ns(-10),
        "exit_ns": t.at_ns(60),
        "result": 0,
        "error": None,
        "moved": 0,
        "descriptor": None,
        "socket": None,
        "made": [],
        "ring": None,
        "data": "",
        "step": t.talk().step,
    }


def test_a_call_that_failed_and_one_that_never_returned() -> None:
    document = document_of(t.talk())
    failed, lasting = event(document, "client#8"), event(document, "client#9")
    assert (failed["result"], failed["error"]) == (-1, "ECONNRESET")
    assert (lasting["exit_ns"], lasting["result"], lasting["error"]) == (None, None, None)


def test_data_is_text_from_which_the_bytes_can_be_had_again() -> None:
    data = bytes(range(256)) + b"'\\"
    calls = tuple(replace(call, data=data) for call in t.talk().system_calls[:1])
    text = event(document_of(replace(t.talk(), system_calls=calls)), "server#1")["data"]
    assert text.isascii() and text.isprintable()
    assert text.encode("ascii").decode("unicode_escape").encode("latin-1") == data


def test_states_and_drops_say_how_they_were_obtained() -> None:
    document = document_of(t.dropped())
    assert [event(document, f"state {n}")["obtained"] for n in (1, 3)] == ["measured", "sampled"]
    assert (event(document, "state 1")["old"], event(document, "state 3")["old"]) == ("CLOSE", None)
    drop = event(document, "drop 1")
    assert (drop["reason"], named(drop["frame"])) == ("NO_SOCKET", "f3")


def test_what_is_left_to_read_is_an_event_of_its_call() -> None:
    document = document_of(t.unread())
    assert event(document, "queue 1") == {
        "id": {"kind": "queue", "number": 1},
        "obtained": "sampled",
        "time_ns": t.at_ns(9),
        "call": {"kind": "system call", "number": 1, "program": "server"},
        "socket": "s3",
        "type": "SOCK_STREAM",
        "unread_bytes": 4,
        "tid": 7,
        "step": t.talk().step,
    }
    parts = [named(each["event"]) for each in document["order"] if each["part"] == "queue"]
    assert parts == ["queue 1", "queue 2", "queue 3"]


def test_the_order_names_every_part_of_every_event() -> None:
    document = document_of(t.dropped())
    parts = [(named(each["event"]), each["part"]) for each in document["order"]]
    assert len(set(parts)) == len(parts) == len(t.dropped().order.events)
    ids = {named(each["id"]) for each in document["events"]}
    assert {name for name, _ in parts} <= ids
    marked = [named(each["event"]) for each in document_of(t.talk())["order"] if each["concurrent"]]
    assert marked == ["client#3", "server#6"]


def test_endpoints_correlation_and_violations_are_reported() -> None:
    part = SentPart(id_of("client#3"), 0, 7, (id_of("f6"),), (id_of("server#5"),))
    correlation = Correlation(
        channels=(replace(t.channel("s2", "", 7), parts=(part,)),),
        accepted=(Accepted(id_of("server#4"), flow_id("tcp 0"), id_of("f5"), 21_000, False),),
        closed=(Closed(None, "s3", id_of("f19")),),
        connects=((id_of("client#2"), flow_id("tcp 0")),),
        remarks=((id_of("f4"), "So it is."),),
    )
    order = replace(t.talk().order, violations=("f3 came early",))
    document = document_of(replace(t.talk(), correlation=correlation, order=order))
    (told,) = document["correlation"]
    assert (told["channels"][0]["sender"], told["channels"][0]["receiver"]) == ("s2", None)
    (carried,) = told["channels"][0]["parts"]
    assert all_named(carried["segments"]) == ["f6"]
    assert all_named(carried["reads"]) == ["server#5"]
    assert named(told["accepts"][0]["ack"]) == "f5"
    assert told["closes"] == [
        {"call": None, "endpoint": "s3", "segment": {"kind": "frame", "number": 19}}
    ]
    assert told["connects"] == [
        {"call": {"kind": "system call", "number": 2, "program": "client"}, "flow": "tcp 0"}
    ]
    assert told["remarks"] == [{"event": {"kind": "frame", "number": 4}, "remark": "So it is."}]
    assert document["violations"] == [{"step": t.talk().step, "violation": "f3 came early"}]
    client = document["endpoints"][1]
    assert (client["id"], client["flow"], client["local"]) == ("s2", "tcp 0", None)


def test_the_document_is_json_and_the_same_each_time() -> None:
    first, again = document_of(t.talk()), document_of(t.talk())
    assert first == again == json.loads(write_document(first))


def test_a_run_that_was_not_traced_has_no_correlation() -> None:
    document = document_of(t.talk(told=(), silent=True))
    assert (document["correlation"], document["violations"]) == ([], [])
    assert not [
        each for each in document["events"] if each["id"]["kind"] in ("system call", "state")
    ]


def test_a_cause_has_its_sentence_its_source_and_what_shows_it() -> None:
    timelines = build_timelines(recording_of("traced-reset4"))
    document = report_document(timelines, ())
    first = document["causes"][0]
    assert (first["step"], first["name"], first["about"]) == ("unread", "reset-unread", "server")
    assert [named(each) for each in first["evidence"]] == ["server#7", "f8", "client#4"]
    assert first["certain"] and first["decided_by"] is None and first["times"] == 1
    assert first["counters"] == [{"host": "server", "name": "TcpExtTCPAbortOnClose", "change": 1}]
    assert document_of(t.talk())["causes"] == []
