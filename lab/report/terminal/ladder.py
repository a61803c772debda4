"""The sequence ladder: time, client lane, wire, server lane, a line for each crossing.

0.041 SYN-SENT     ──SYN seq=0 win=64240──────────────────────▶       LISTEN
0.050 SYN-SENT     ◀──────────SYN ACK seq=0 ack=1 win=65160──── SYN-RECEIVED
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from lab.analysis.story import EXPLANATIONS, Phase
from lab.report.terminal.rungs import Rung, below, colour_of, draw_arrow, fits, label_of, states_of
from lab.report.terminal.style import Style

TIME_COLUMNS = 9
STATE_COLUMNS = 12
EDGES = 3  # the spaces between the four columns


@dataclass(frozen=True, slots=True)
class Lanes:
    """Who stands left and right."""

    left: str
    right: str


def draw_ladder(
    rungs: Sequence[Rung],
    lanes: Lanes,
    phase_of: Mapping[int, Phase],
    style: Style,
    legend: Iterable[Text] = (),
) -> Iterator[Text]:
    """The ladder's lines; a heading where a phase begins, explained the first time.

    `legend` stands below the lanes' names.
    """
    if not rungs:
        return
    wire = style.width - TIME_COLUMNS - 2 * STATE_COLUMNS - EDGES
    zero_ns = rungs[0].crossing.time_ns
    yield from lane_heads(lanes, style)
    yield from legend
    phase: Phase | None = None
    explained: set[Phase] = set()
    for rung in rungs:
        if phase_of.get(rung.crossing.number, phase) is not phase:
            phase = phase_of[rung.crossing.number]
            yield Text()
            yield style.heading(phase.value)
            if phase not in explained:
                yield Text(f"  {EXPLANATIONS[phase]}", "italic")
                explained.add(phase)
        yield _draw_rung(rung, zero_ns, wire, style)
        cut = [] if fits(rung, wire, style) else [label_of(rung)]
        for note in (*cut, *below(rung, wire)):
            for line in style.wrap(note, wire):
                yield Text(" " * (TIME_COLUMNS + STATE_COLUMNS + 4) + line, "dim")


def lane_heads(lanes: Lanes, style: Style) -> Iterator[Text]:
    """Both names on one line, or on two where that is too short for them."""
    room = style.width - TIME_COLUMNS - 1
    left, right = style.cut(lanes.left, room), style.cut(lanes.right, room)
    head = Text(f"{'ms':>{TIME_COLUMNS}} ", "dim")
    head.append(left, "bold")
    gap = room - cell_len(left) - cell_len(right)
    if gap < 1:
        yield head
        head, gap = Text(" " * (TIME_COLUMNS + 1)), room - cell_len(right)
    head.append(" " * gap)
    head.append(right, "bold")
    yield head


def elapsed(time_ns: int, zero_ns: int) -> str:
    """Milliseconds since `zero_ns`, as precise as they fit into TIME_COLUMNS."""
    elapsed_ms = (time_ns - zero_ns) / 1e6
    shown = (f"{elapsed_ms:.3f}", f"{elapsed_ms:.0f}", f"{elapsed_ms:.1e}")
    return next(s for s in shown if len(s) <= TIME_COLUMNS)


def _draw_rung(rung: Rung, zero_ns: int, wire: int, style: Style) -> Text:
    left, right = states_of(rung)
    line = Text(f"{elapsed(rung.crossing.time_ns, zero_ns):>{TIME_COLUMNS}} ", "dim")
    line.append(f"{left:<{STATE_COLUMNS}} ", "dim italic")
    line.append(draw_arrow(label_of(rung), rung, wire, style), colour_of(rung))
    line.append(f" {right:>{STATE_COLUMNS}}", "dim italic")
    return line
