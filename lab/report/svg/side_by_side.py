"""Ladders beside each other to one scale: what the same takes each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lab.report.svg.ladder import state_group
from lab.report.svg.marks import arrow, box, cross, line, text_at, titled
from lab.report.svg.visible import cut
from lab.scene.model import FrameArrow, Scene

PANEL, PANEL_GAP, EDGE, HEAD = 222, 14, 26, 76
HEIGHT = 900
"""Of the longest of them."""
LABEL = 14
"""Texts stand at least that far apart; those that do not fit are tooltips alone."""
COLUMN_WIDTH = 6.95


def draw_side_by_side(steps: Sequence[tuple[str, str, Scene]]) -> str:
    """A panel for each step, with its title and what is said of it; a pixel is as long in each.

    Each shows the exchange alone: when a server got ready, and how long a program took to end, is
    beside the matter.
    """
    spans = [_span(scene) for _, _, scene in steps]
    longest = max((end - start for start, end in spans), default=1) or 1
    scale = HEIGHT / longest
    width = len(steps) * (PANEL + PANEL_GAP) + 60
    height = HEAD + HEIGHT + 30
    pieces: list[str] = []
    for step in range(5):
        y = HEAD + HEIGHT * step / 4
        pieces.append(line(50, y, width - 8, y, "grid"))
        pieces.append(text_at(44, y + 4, f"{longest * step / 4 / 1e6:.2f}", "time", "end"))
    pieces.append(text_at(44, 22, "ms", "time", "end"))
    for number, ((title, said, scene), (start, _)) in enumerate(zip(steps, spans, strict=True)):
        left = 64 + number * (PANEL + PANEL_GAP)
        pieces.append(text_at(left, 18, title, "title"))
        pieces.append(text_at(left, 35, cut(said, PANEL // 7), "muted"))
        pieces += _draw_panel(scene, left, start, scale)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" '
        'aria-label="The ladders beside each other, to one scale">\n'
        + "\n".join(pieces)
        + "\n</svg>\n"
    )


def _span(scene: Scene) -> tuple[int, int]:
    """When the exchange begins and ends: its frames, or what moved without one.

    With them the first lane's calls that were under way then, and that belong to them.
    """
    moved = [arrow_.start for arrow_ in scene.arrows] + [each.slot for each in scene.transfers]
    moved += [arrow_.end for arrow_ in scene.arrows]
    mine = [call for call in scene.calls if call.lane == 0]
    if not moved:
        moved = [slot for call in mine for slot in (call.start, call.end)]
    slots = [*moved]
    for call in mine:
        if moved and call.start <= max(moved) and call.end >= min(moved):
            slots += (call.start, call.end)
    times = [time for slot in slots if (time := scene.slots[slot].time_ns) is not None]
    return min(times, default=scene.zero_ns), max(times, default=scene.zero_ns)


def _draw_panel(scene: Scene, left: float, start: int, scale: float) -> Iterator[str]:
    edges = [left + EDGE + place.share * (PANEL - 2 * EDGE) for place in scene.places]

    def y_of(slot: int) -> float:
        time_ns = scene.slots[slot].time_ns
        return HEAD + min(max((time_ns or start) - start, 0) * scale, HEIGHT)

    for lane, edge, place in zip(scene.lanes, edges, scene.places, strict=True):
        anchor = "start" if place.inward > 0 else "end"
        yield text_at(edge, 55, lane.name, "lane", anchor)
        yield line(edge, HEAD, edge, HEAD + HEIGHT + 12, "rail")
    for ribbon in scene.ribbons:
        if ribbon.column == 0:
            x = edges[ribbon.lane] - scene.places[ribbon.lane].inward * 5 - 2.5
            top, end = y_of(ribbon.start), y_of(ribbon.end)
            strip = box(x, top, 5, max(end - top, 1), state_group(ribbon.state))
            yield titled(ribbon.state, strip)
    for call in scene.calls:
        top, end = y_of(call.start), y_of(call.end)
        if end > HEAD and top < HEAD + HEIGHT:
            inward = scene.places[call.lane].inward
            x = edges[call.lane] - inward * (13 + 7 * call.column) - 2.5
            mark = box(x, top, 5, max(end - top, 2), "bracket", 1.5)
            yield titled(f"{call.label} {call.text} {call.outcome}", mark)
    yield from _draw_frames(scene, edges, y_of)
    if not scene.arrows:
        middle = left + PANEL / 2
        yield text_at(middle, HEAD + 60, "not one frame", "nothing", "middle")
        yield text_at(middle, HEAD + 80, "the bytes stay in the kernel", "muted", "middle")


def _draw_frames(
    scene: Scene, edges: Sequence[float], y_of: Callable[[int], float]
) -> Iterator[str]:
    labels: list[str] = []
    taken = -float(LABEL)
    for each in scene.arrows:
        x1, x2 = edges[each.source], edges[each.target]
        y1, y2 = y_of(each.start), y_of(each.end)
        if each.is_lost:
            x2, y2 = (x1 + x2) / 2, (y1 + y2) / 2
            yield cross(x2, y2, "rst")
        yield titled(each.label, arrow(x1, y1, x2, y2, each.kind.value))
        if y1 - taken >= LABEL:
            taken = y1
            labels.append(_label(each, x1, x2, y1 - 3))
    yield from labels


def _label(each: FrameArrow, x1: float, x2: float, y: float) -> str:
    way, anchor = (8, "start") if x2 > x1 else (-8, "end")
    columns = int(abs(x2 - x1) / COLUMN_WIDTH) - 2
    return text_at(x1 + way, y, cut(each.label, columns), f"halo on {each.kind.value}", anchor)
