from __future__ import annotations

import json
from typing import Any

import pytest
from scenes import Parsed, noted_result, recorded_page, recorded_result

from lab.analysis.calls.transcript import PrintedCall
from lab.derive import derived
from lab.report.html.events import PRINTED_CHARACTERS, EventWriter
from lab.report.html.packing import FramePacker


def events_of(name: str) -> dict[str, Any]:
    """The events of its first step, by their ids."""
    return {event["id"]: event for event in Parsed(recorded_page(name)).part()["events"]}


@pytest.mark.parametrize("name", ["traced-tcp4", "traced-unix4", "traced-udp4"])
def test_every_event_of_report_json_is_in_the_page(name: str) -> None:
    result, parsed = recorded_result(name), Parsed(recorded_page(name))
    for number, timeline in enumerate(result.timelines):
        wanted = [
            event["id"]["kind"]
            for event in json.loads(derived(result, "json"))["events"]
            if event["step"] == timeline.step and event["id"]["kind"] != "printed call"
        ]
        kinds = [event["kind"] for event in parsed.part(number)["events"]]
        assert kinds[: len(wanted)] == wanted
        assert set(kinds[len(wanted) :]) <= {"printed call"}


def test_a_printed_call_is_traced_as_another_event() -> None:
    parsed = Parsed(recorded_page("traced-tcp4"))
    events = parsed.part()["events"]
    printed = {each["id"]: each for each in events if each["kind"] == "printed call"}
    assert printed["client:3"]["title"] == "send(3, b'Hello. ') = 7"
    assert printed["client:3"]["section"] == "send(2)"
    assert events[printed["client:3"]["same"]]["id"] == "client#3"
    assert "same" not in events_of("tcp4")["client:3"]


def test_a_printed_call_is_cut() -> None:
    call = PrintedCall("<b>", 1, "send", f"send({'x' * 5000})", (), 7, "")
    writer = EventWriter(0, FramePacker(whole=True), {})
    writer.printed_call(call, None)
    assert len(writer.written[0]["title"]) == PRINTED_CHARACTERS + len(" = 7")


def test_a_frame_says_what_report_json_does() -> None:
    document = json.loads(derived(recorded_result("traced-tcp4"), "json"))
    zero = min(each["entry_ns"] for each in document["events"] if "entry_ns" in each)
    syn = next(each for each in document["events"] if each["id"] == {"kind": "frame", "number": 3})
    found = events_of("traced-tcp4")["f3"]
    assert found["title"] == syn["summary"]
    assert found["at"] == [syn["sent_ns"] - zero, syn["received_ns"] - zero]
    assert found["size"] == syn["bytes"]
    assert found["flow"] == syn["flow"]
    assert found["section"] == "RFC 9293, 3.5"


def test_a_call_is_decoded() -> None:
    found = events_of("traced-tcp4")["client#3"]
    assert found["name"] == "sendto"
    assert found["arguments"][:2] == [["sockfd", "3"], ["buf", "'Hello. '"]]
    assert found["result"] == "7"
    assert bytes.fromhex(str(found["data"])) == b"Hello. "
    assert found["section"] == "send(2)"
    assert found["filter"] == 'frame contains "client#3: "'


def test_causes_are_events_of_the_page() -> None:
    events = Parsed(recorded_page("traced-tcp4")).part()["events"]
    causes = {
        (events[cause]["id"], event["id"]) for event in events
        for cause, _ in event.get("causes", [])
    }  # fmt: skip
    assert {("client#2", "f3"), ("f3", "f4"), ("f4", "client#2")} <= causes


def test_a_call_has_the_line_that_made_it_where_that_was_noted() -> None:
    result = noted_result()
    part = Parsed(derived(result, "html").decode("utf-8")).part()
    events = {event["id"]: event for event in part["events"]}
    assert part["sources"][events["client#2"]["source"]] == {
        "file": "/demos/client.py",
        "number": 25,
        "function": "main",
        "through": "",
        "first": 23,
        "text": ["def main():", "", "    c.connect((address, port))", "        pass", ""],
    }
    assert len(part["sources"]) == 1
    assert "source" not in events["client#3"]
    assert "source" not in events_of("traced-tcp4")["client#2"]
