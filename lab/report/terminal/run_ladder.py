"""The ladder of one step of a run: with system calls where they were traced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.text import Text

from lab.analysis.story import phases
from lab.analysis.timeline import Timeline
from lab.model.family import Family
from lab.report.terminal.byte_table import draw_bytes
from lab.report.terminal.inner_calls import without_inner_calls
from lab.report.terminal.ladder import Lanes, draw_ladder, lane_heads
from lab.report.terminal.legend import draw_legend, frame_clauses
from lab.report.terminal.rungs import Rung, rungs_of
from lab.report.terminal.sides import Sides, sides_of
from lab.report.terminal.style import Style
from lab.report.terminal.through_kernel import passages_of
from lab.report.terminal.traced_ladder import TracedLadder


def draw_run_ladder(
    timeline: Timeline, style: Style, explained: set[str] | None = None
) -> Iterator[Text]:
    """The heading, the ladder, and how the bytes went as far as that is known.

    What the signs mean is told but for what `explained` has, to which it is added.
    """
    yield Text()
    is_traced = bool(timeline.system_calls)
    title = "What was called, and what went over the wire" if is_traced else ""
    yield style.heading(title or "What went over the wire")
    if not timeline.crossings:
        yield Text("  Nothing: not one frame between the canaries.")
    rungs = _rungs(timeline)
    phase_of = phases(timeline.crossings, timeline.conversations)
    if not is_traced:
        legend = draw_legend(_untold(frame_clauses(timeline), explained), style)
        yield from draw_ladder(rungs, _heads(timeline), phase_of, style, legend)
        return
    timeline, left_out = without_inner_calls(timeline)
    sides = sides_of(timeline)
    passages = passages_of(timeline, sides)
    ladder = TracedLadder(timeline, rungs, sides, phase_of, passages, style)
    yield from lane_heads(_traced_heads(timeline, sides), style)
    yield from draw_legend(_untold(ladder.legend(), explained), style)
    if left_out:
        yield Text(
            f"  {left_out} calls on pipes within one program: see report.json", "bold yellow"
        )
    yield from ladder.draw()
    yield from draw_bytes(timeline, style)


def _untold(clauses: Iterable[str], explained: set[str] | None) -> list[str]:
    """The clauses that are not in `explained`, to which they are added."""
    untold = [clause for clause in clauses if clause not in (explained or ())]
    if explained is not None:
        explained.update(untold)
    return untold


def _hosts(timeline: Timeline) -> list[str]:
    """In the order of the topology, as its links' ends and interfaces are."""
    points = [point.host for point in timeline.recording.points]
    return list(dict.fromkeys(points or [run.host for run in timeline.programs]))


def _rungs(timeline: Timeline) -> list[Rung]:
    place = {host: number for number, host in enumerate(_hosts(timeline))}
    segment_of = {
        segment.crossing: segment
        for conversation in timeline.conversations
        for segment in conversation.segments
    }
    # The client's port tells connections apart; a lone one needs no mark.
    connection_of = {
        segment.crossing: f"{conversation.flow.a.port}: "
        for conversation in timeline.conversations
        for segment in conversation.segments
        if len(timeline.conversations) > 1
    }
    return rungs_of(
        timeline.crossings,
        segment_of,
        lambda crossing: place[crossing.sender] < place[crossing.receiver],
        {crossing.number: f"{crossing.id} " for crossing in timeline.crossings},
        connection_of,
    )


def _heads(timeline: Timeline) -> Lanes:
    looped = {c.sender for c in timeline.crossings if c.sender == c.receiver}
    if looped and all(c.sender == c.receiver for c in timeline.crossings):
        both = f"{', '.join(sorted(looped))}, on lo"
        return Lanes(both, both)
    hosts = _hosts(timeline)
    return Lanes(*(_with_address(host, timeline) for host in (hosts[0], hosts[-1])))


def _traced_heads(timeline: Timeline, sides: Sides) -> Lanes:
    """The hosts; where programs of one host stand face to face, the programs."""
    if not sides.programs:
        return _heads(timeline)
    names = [run.name for run in timeline.programs]
    left = ", ".join(name for name in names if name not in sides.programs)
    right = ", ".join(name for name in names if name in sides.programs)
    host = timeline.programs[0].host
    return Lanes(f"{left}, on {host}", f"{right}, on {host}")


def _with_address(host: str, timeline: Timeline) -> str:
    """A host's name with its address on a link, of the version that the step's packets have."""
    packets = (crossing.packet.ip for crossing in timeline.crossings)
    ip = next((ip for ip in packets if ip is not None), None)
    family = timeline.recording.family or Family.IPV4
    if ip is not None:
        family = Family(ip.source.version)
    for seen in timeline.recording.interfaces:
        for address in seen.addresses:
            if seen.host == host and seen.name != "lo" and address.version == family.value:
                return f"{host} {address.ip}"
    return host
