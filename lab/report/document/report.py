"""The report as one JSON document, derived from a run's timelines and verdicts alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from lab.analysis.judging import overall
from lab.analysis.timeline import Timeline
from lab.ladder.lanes import place
from lab.model.claim import Judgement
from lab.records import Instrument, RanAs, SocketSeen
from lab.report.document.frames import flow_documents, frame_documents
from lab.report.document.ids import Document, event_reference, event_references
from lab.report.document.trace import (
    correlation_document,
    endpoint_document,
    order_of,
    trace_events,
)

SCHEMA = "wirelab.report/2"


def report_document(timelines: Sequence[Timeline], judgements: Sequence[Judgement]) -> Document:
    """The report, as JSON types; equal for equal recordings and scenarios.

    `timelines` are those of the run's steps.
    """
    recording = timelines[0].recording
    return {
        "schema": SCHEMA,
        "scenario": recording.scenario,
        "family": recording.family and recording.family.value,
        "started": _iso(recording.started_ns),
        "kernel": recording.kernel,
        "ran_as": _ran_as(recording.ran_as),
        "instruments": [_instrument(each) for each in recording.instruments],
        "capture": _capture(timelines),
        "steps": [timeline.step for timeline in timelines],
        "programs": [
            {
                "name": run.name,
                "step": run.step,
                "host": run.host,
                "argv": list(run.argv),
                "exit_status": run.exit_status,
                "started_ns": run.started_ns,
                "ready_ns": run.ready_ns,
                "ended_ns": run.ended_ns,
                **({"failure": run.failure} if run.failure else {}),
                **({"remark": run.remark} if run.remark else {}),
            }
            for run in recording.programs
        ],
        "lanes": [
            {**lane, "step": timeline.step} for timeline in timelines for lane in _lanes(timeline)
        ],
        "events": [
            {**event, "step": timeline.step}
            for timeline in timelines
            for event in (
                *frame_documents(timeline.crossings, timeline.conversations),
                *_call_events(timeline),
                *trace_events(timeline),
            )
        ],
        "order": [
            {**each, "step": timeline.step} for timeline in timelines for each in order_of(timeline)
        ],
        "flows": [
            {**flow, "step": timeline.step}
            for timeline in timelines
            for flow in flow_documents(timeline.flows, timeline.conversations)
        ],
        "endpoints": [
            {**endpoint_document(endpoint), "step": timeline.step}
            for timeline in timelines
            for endpoint in timeline.endpoints
        ],
        "correlation": [
            {**correlation_document(timeline), "step": timeline.step}
            for timeline in timelines
            if timeline.system_calls
        ],
        "violations": [
            {"step": timeline.step, "violation": violation}
            for timeline in timelines
            for violation in timeline.order.violations
        ],
        "sockets": [_socket(seen) for timeline in timelines for seen in timeline.sockets],
        "claims": [
            {
                "id": judgement.claim.id,
                "text": judgement.text,
                "source": judgement.claim.source,
                "statements": list(judgement.claim.statements),
                "verdict": judgement.verdict.outcome.value,
                "why": judgement.verdict.why,
                "evidence": event_references(judgement.verdict.evidence),
            }
            for judgement in judgements
        ],
        "verdict": overall(judgements).value,
    }


def write_document(document: Document) -> str:
    """The document as text, keys in order, one line an event, flow, claim and so on.

    A line for each single value would take ten times as long to write: json's fast encoder
    knows no indentation, and a run may have 100,000 events.
    """
    fields = (f" {json.dumps(name)}: {_written(value)}" for name, value in document.items())
    text = "{\n" + ",\n".join(fields) + "\n}\n"
    # Surrogates (in a file name that is no UTF-8) cannot be written, but JSON can escape them.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _written(value: object) -> str:
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        lines = (f"  {json.dumps(each, ensure_ascii=False)}" for each in value)
        return "[\n" + ",\n".join(lines) + "\n ]"
    return json.dumps(value, ensure_ascii=False)


def _iso(time_ns: int) -> str:
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def _ran_as(who: RanAs | None) -> Document | None:
    if who is None:
        return None
    return {
        "user": who.user,
        "uid": who.uid,
        "capabilities": list(who.capabilities),
        "writable": list(who.writable),
        "sockets": list(who.sockets),
        "host_files": who.host_files,
    }


def _capture(timelines: Sequence[Timeline]) -> Document:
    brackets = [timeline.bracket for timeline in timelines]
    recording = timelines[0].recording
    return {
        "frames": sum(len(bracket.frames) for bracket in brackets),
        "dropped": brackets[0].dropped,
        "canaries": {
            "sent": sum(bracket.canaries_sent for bracket in brackets),
            "seen": sum(bracket.canaries_seen for bracket in brackets),
        },
        "outside": sum(bracket.outside for bracket in brackets),
        "incomplete": list(
            dict.fromkeys(reason for bracket in brackets for reason in bracket.incomplete)
        ),
        "unfinished": list(recording.unfinished),
        "points": [point.name for point in recording.points],
    }


def _instrument(instrument: Instrument) -> Document:
    return {
        "kind": instrument.kind.value,
        "obtained": instrument.obtained and instrument.obtained.value,
        "slack_ns": instrument.slack_ns,
        "text": instrument.text,
    }


def _socket(seen: SocketSeen) -> Document:
    return {name: getattr(seen, name) for name in seen.__slots__}


def _lanes(timeline: Timeline) -> list[Document]:
    """A step's lanes from left to right: its hosts, or the programs of one host."""
    return [
        {
            "name": lane.name,
            "host": lane.host,
            "addresses": list(lane.addresses),
            "programs": list(lane.programs),
        }
        for lane in place(timeline).lanes
    ]


def _call_events(timeline: Timeline) -> list[Document]:
    return [
        {
            "id": event_reference(call.id),
            "obtained": "printed by the program",
            "program": call.program,
            "call": call.text,
            "result": call.result,
            "error": call.error or None,
        }
        for calls in timeline.calls.values()
        for call in calls
    ]
