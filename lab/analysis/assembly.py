"""A timeline assembled from a recording.

Apart from timeline.py because it dissects, which imports scapy: a scenario can be loaded, and
its run begun, before that.
"""

from __future__ import annotations

from lab.analysis.bracket import find_bracket
from lab.analysis.flow import group_flows
from lab.analysis.joining import join_crossings
from lab.analysis.tcp import analyse_tcp
from lab.analysis.timeline import Timeline
from lab.analysis.transcript import parse_transcript
from lab.records import Recording


def build_timeline(recording: Recording) -> Timeline:
    """The timeline of a recording; the same for the same recording, always."""
    bracket = find_bracket(recording)
    crossings = join_crossings(bracket.frames, recording.points)
    flows = group_flows(crossings)
    return Timeline(
        recording=recording,
        bracket=bracket,
        crossings=crossings,
        flows=flows,
        conversations=tuple(analyse_tcp(flow) for flow in flows if flow.protocol == "tcp"),
        calls={run.name: parse_transcript(run) for run in recording.programs},
    )
