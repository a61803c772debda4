"""The report as one JSON document, derived from a run's timelines and verdicts alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime

from lab.analysis.judging import overall
from lab.analysis.key_logs import key_log_lines
from lab.analysis.timeline import Timeline
from lab.ladder.lanes import place
from lab.model.claim import Judgement
from lab.records import (
    CountersSeen,
    Instrument,
    KeyLog,
    ProgramRun,
    RanAs,
    SocketSeen,
    SysctlSet,
    Translation,
)
from lab.report.document.frames import flow_documents, frame_documents
from lab.report.document.ids import Document, event_reference, event_references
from lab.report.document.trace import (
    cause_documents,
    correlation_document,
    endpoint_document,
    held_document,
    order_of,
    trace_events,
)
from lab.report.document.writing import NamedValue, whole

SCHEMA = "wirelab.report/2"


def report_document(timelines: Sequence[Timeline], judgements: Sequence[Judgement]) -> Document:
    """The report, as JSON types; equal for equal recordings and scenarios.

    `timelines` are those of the run's steps.
    """
    return whole(report_fields(timelines, judgements))


def report_fields(
    timelines: Sequence[Timeline], judgements: Sequence[Judgement]
) -> Iterator[NamedValue]:
    """The same field by field; a list as long as the run is one iterator, made as it is read."""
    recording = timelines[0].recording
    yield from {
        "schema": SCHEMA,
        "scenario": recording.scenario,
        "family": recording.family and recording.family.value,
        "started": _iso(recording.started_ns),
        "kernel": recording.kernel,
        "sysctls": [_fields(each) for each in recording.sysctls],
        "ran_as": _ran_as(recording.ran_as),
        "key_logs": [_key_log(each) for each in recording.key_logs],
        "instruments": [_instrument(each) for each in recording.instruments],
        "capture": _capture(timelines),
        "steps": [timeline.step for timeline in timelines],
        "programs": [_program(run) for run in recording.programs],
    }.items()
    for name, of_timeline in _LISTS.items():
        yield name, _of_steps(timelines, of_timeline)
    yield "sockets", [_fields(seen) for timeline in timelines for seen in timeline.sockets]
    yield "translations", [_fields(each) for each in recording.translations]
    yield "counters", [_fields(each) for each in recording.counters]
    yield "held_sockets", [held_document(each) for t in timelines for each in t.held]
    yield "claims", map(_claim, judgements)
    yield "verdict", overall(judgements).value


def _of_steps(
    timelines: Iterable[Timeline], of_timeline: Callable[[Timeline], Iterable[Document]]
) -> Iterator[Document]:
    for timeline in timelines:
        for each in of_timeline(timeline):
            each["step"] = timeline.step
            yield each


def _events(timeline: Timeline) -> Iterator[Document]:
    yield from frame_documents(timeline.crossings, timeline.conversations)
    yield from _call_events(timeline)
    yield from trace_events(timeline)


def _program(run: ProgramRun) -> Document:
    return {
        "name": run.name,
        "step": run.step,
        "host": run.host,
        "argv": list(run.argv),
        "exit_status": run.exit_status,
        "started_ns": run.started_ns,
        "ready_ns": run.ready_ns,
        "ended_ns": run.ended_ns,
        **({} if run.stopped_ns is None else {"stopped_ns": run.stopped_ns}),
        **({"failure": run.failure} if run.failure else {}),
        **({"remark": run.remark} if run.remark else {}),
    }


def _claim(judgement: Judgement) -> Document:
    return {
        "id": judgement.claim.id,
        "text": judgement.text,
        "source": judgement.claim.source,
        "statements": list(judgement.claim.statements),
        "verdict": judgement.verdict.outcome.value,
        "why": judgement.verdict.why,
        "evidence": event_references(judgement.verdict.evidence),
    }


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


def _key_log(key_log: KeyLog) -> Document:
    """How much of it there is: secrets are in the recording alone."""
    found = key_log_lines(key_log.text)
    return {
        "program": key_log.program,
        "step": key_log.step,
        "secrets": len(found.secrets),
        "other_lines": found.other_lines,
        "bytes_not_kept": key_log.beyond,
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


def _fields(record: CountersSeen | SocketSeen | SysctlSet | Translation) -> Document:
    return {each.name: getattr(record, each.name) for each in fields(record)}


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


def _call_events(timeline: Timeline) -> Iterator[Document]:
    for calls in timeline.calls.values():
        for call in calls:
            yield {
                "id": event_reference(call.id),
                "obtained": "printed by the program",
                "program": call.program,
                "call": call.text,
                "result": call.result,
                "error": call.error or None,
            }


def _flows(timeline: Timeline) -> Iterator[Document]:
    return flow_documents(timeline.flows, timeline.conversations)


def _endpoints(timeline: Timeline) -> Iterator[Document]:
    return map(endpoint_document, timeline.endpoints)


def _correlation(timeline: Timeline) -> Iterator[Document]:
    if timeline.system_calls:
        yield correlation_document(timeline)


def _violations(timeline: Timeline) -> Iterator[Document]:
    for violation in timeline.order.violations:
        yield {"step": timeline.step, "violation": violation}


_LISTS: dict[str, Callable[[Timeline], Iterable[Document]]] = {
    "lanes": _lanes,
    "events": _events,
    "order": order_of,
    "flows": _flows,
    "endpoints": _endpoints,
    "correlation": _correlation,
    "causes": cause_documents,
    "violations": _violations,
}
"""What is listed of each step, which each item names."""
