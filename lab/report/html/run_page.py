"""report.html of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from lab.analysis.causes.find import find_causes
from lab.analysis.counters import CounterTable, counter_table
from lab.analysis.key_logs import about_secrets
from lab.analysis.sockets.held import HeldRow, held_rows
from lab.analysis.timeline import Timeline
from lab.ladder.model import Ladder
from lab.model.claim import Judgement, Outcome
from lab.model.counted import counted
from lab.model.event import EventId
from lab.records import Recording
from lab.report.html.page import PageIndex, address_of, render_page
from lab.report.html.page_text import CauseLine, ClaimLine, PageHead
from lab.report.html.parts import PagePart, fits_whole, step_part

MOST_EVIDENCE = 200
"""As many events of a claim have a link; report.json names all."""


def run_page(
    timelines: Sequence[Timeline],
    ladders: Sequence[Ladder],
    judgements: Sequence[Judgement],
    *,
    title: str,
    question: str,
    outcome: Outcome,
) -> str:
    """The page of a judged run."""
    whole = fits_whole(crossing for timeline in timelines for crossing in timeline.crossings)
    named = frozenset(event for judgement in judgements for event in judgement.verdict.evidence)
    parts = [
        step_part(timeline, ladder, named, whole=whole)
        for timeline, ladder in zip(timelines, ladders, strict=True)
    ]
    claims = tuple(_claim_line(judgement, parts) for judgement in judgements)
    counts = dict.fromkeys(Outcome, 0)
    for judgement in judgements:
        counts[judgement.verdict.outcome] += 1
    said = ", ".join(f"{count} {each.value}" for each, count in counts.items() if count)
    head = PageHead(
        title=title,
        question=question or title,
        verdict=outcome.value,
        verdict_text=f"{counted(len(judgements), 'claim')}: {said}",
        facts=tuple(_facts(timelines)),
        warnings=tuple(_warnings(timelines)),
        claims=claims,
        columns=("step", "frames", "calls"),
        counters=tuple(_counters(timelines)),
        held=tuple(_held(timelines)),
        causes=tuple(_cause_lines(timelines, parts)),
    )
    index = PageIndex(tuple(part.name for part in parts), [part.summary for part in parts])
    return "".join(render_page(head, index, (part.document for part in parts)))


def _claim_line(judgement: Judgement, parts: Sequence[PagePart]) -> ClaimLine:
    claim, verdict = judgement.claim, judgement.verdict
    names = claim.step_names or (parts[0].name,)
    asked = [part for part in parts if part.name in names]
    events: dict[str, Mapping[EventId, int]] = {part.name: part.events for part in asked}
    evidence = []
    for event in verdict.evidence[:MOST_EVIDENCE]:
        place = next((name for name, known in events.items() if event in known), None)
        evidence.append((str(event), "" if place is None else address_of(place, event)))
    return ClaimLine(
        verdict.outcome.value,
        judgement.text,
        verdict.why,
        claim.source,
        tuple(evidence),
        len(verdict.evidence) - len(evidence),
    )


def _cause_lines(timelines: Sequence[Timeline], parts: Sequence[PagePart]) -> Iterator[CauseLine]:
    for timeline, part in zip(timelines, parts, strict=True):
        for cause in find_causes(timeline):
            yield CauseLine(
                timeline.step if len(timelines) > 1 else "",
                cause.sentence,
                cause.source,
                cause.decided_by,
                tuple(
                    (str(event), address_of(part.name, event) if event in part.events else "")
                    for event in cause.evidence
                ),
                tuple(map(str, cause.counters)),
            )


def _counters(timelines: Sequence[Timeline]) -> Iterator[tuple[str, CounterTable]]:
    for timeline in timelines:
        table = counter_table(timeline.recording.counters, timeline.step)
        if table.rows:
            yield timeline.step, table


def _held(timelines: Sequence[Timeline]) -> Iterator[tuple[str, tuple[HeldRow, ...]]]:
    for timeline in timelines:
        if rows := held_rows(timeline.recording, timeline.step):
            yield timeline.step, rows


def _facts(timelines: Sequence[Timeline]) -> Iterator[tuple[str, str]]:
    recording = timelines[0].recording
    started = datetime.fromtimestamp(recording.started_ns // 1_000_000_000, UTC)
    yield "started", f"{started:%Y-%m-%d %H:%M:%S} UTC"
    yield "kernel", recording.kernel
    frames = sum(len(timeline.bracket.frames) for timeline in timelines)
    points = counted(len(recording.points), "point")
    yield "captured", f"{counted(frames, 'frame')} at {points}"
    yield "dropped by the capture", str(timelines[0].bracket.dropped)
    sent = sum(timeline.bracket.canaries_sent for timeline in timelines)
    seen = sum(timeline.bracket.canaries_seen for timeline in timelines)
    yield "canaries", f"{seen} of {sent} seen"
    for instrument in recording.instruments:
        yield instrument.kind.value, instrument.text
    for sysctl in recording.sysctls:
        yield "sysctl", str(sysctl)
    for about in about_secrets(recording.key_logs):
        yield "secrets", about


def _warnings(timelines: Sequence[Timeline]) -> Iterator[str]:
    recording: Recording = timelines[0].recording
    for timeline in timelines:
        yield from timeline.failures
        yield from timeline.order.violations
    incomplete = (reason for timeline in timelines for reason in timeline.bracket.incomplete)
    for reason in dict.fromkeys(incomplete):
        yield f"The capture is incomplete: {reason}"
    for line in recording.unfinished:
        yield f"Still open at the end: {line}"
