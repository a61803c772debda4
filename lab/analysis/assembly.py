"""Timelines assembled from a recording.

Apart from timeline.py because this dissects, which imports scapy: a scenario can be loaded,
and its run begun, before that.
"""

from __future__ import annotations

from dataclasses import replace

from lab.analysis.bracket import Bracket, find_brackets
from lab.analysis.crossing import Crossing
from lab.analysis.flow import group_flows
from lab.analysis.joining import join_crossings
from lab.analysis.tcp import analyse_tcp
from lab.analysis.timeline import Timeline
from lab.analysis.transcript import parse_transcript
from lab.records import Recording


def build_timelines(recording: Recording) -> tuple[Timeline, ...]:
    """A timeline for each step of a recording; the same for the same recording, always.

    Crossings are numbered through, so that "f7" names one frame of the run.
    """
    timelines: list[Timeline] = []
    first = 1
    for bracket in find_brackets(recording):
        timelines.append(_build_timeline(recording, bracket, first))
        first += len(timelines[-1].crossings)
    return tuple(timelines)


def _build_timeline(recording: Recording, bracket: Bracket, first: int) -> Timeline:
    crossings = join_crossings(bracket.frames, recording.points, first)
    bracket = replace(bracket, blind=(*bracket.blind, *_reversed(crossings)))
    flows = group_flows(crossings)
    programs = tuple(run for run in recording.programs if run.step == bracket.step)
    return Timeline(
        recording=recording,
        step=bracket.step,
        bracket=bracket,
        crossings=crossings,
        flows=flows,
        conversations=tuple(analyse_tcp(flow) for flow in flows if flow.protocol == "tcp"),
        programs=programs,
        calls={run.name: parse_transcript(run) for run in programs},
        sockets=tuple(seen for seen in recording.sockets if seen.step == bracket.step),
    )


def _reversed(crossings: tuple[Crossing, ...]) -> list[str]:
    """Frames that arrived before they left: an error of the lab, or of who edited the recording."""
    arrived = {
        (crossing.receiver, crossing.packet.frame.data): crossing
        for crossing in reversed(crossings)
        if crossing.sent_ns is None
    }
    found: list[str] = []
    for crossing in crossings:
        before = arrived.get((crossing.receiver, crossing.packet.frame.data))
        if crossing.lost and before is not None and before.number < crossing.number:
            found.append(
                f"a frame was seen arriving (f{before.number}) before it left "
                f"(f{crossing.number}): these times cannot be trusted"
            )
    return found
