"""A run's ladders as one SVG picture, which adapts to light and dark by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from lab.analysis.calls.call_text import SHOWN_NS, duration
from lab.report.svg.geometry import (
    BRACKET,
    COLUMN_WIDTH,
    GUTTER,
    HEAD,
    INSET,
    MOST_RIBBONS,
    RIBBON,
    SLOT,
    Geometry,
)
from lab.report.svg.marks import arrow, box, cross, line, spans_at, text_at, titled
from lab.report.svg.visible import cut, visible, visible_bytes
from lab.scene.model import CallBracket, EventTag, FrameArrow, Scene, SceneSlot

SLOPE = 6.0
"""How far an arrow goes down within one slot: nothing arrives when it leaves."""
PAYLOAD_BYTES = 32
LOST_AT, LEAST_LOST_AT = 0.62, 0.25
"""Where a lost frame's arrow ends, of its way: nearer to its sender where that has room for why."""
TOP = 34

STATE_GROUPS = {
    "LISTEN": "listen",
    "SYN_SENT": "opening",
    "SYN_RECV": "opening",
    "SYN_RECEIVED": "opening",
    "ESTABLISHED": "established",
    "FIN_WAIT1": "closing",
    "FIN_WAIT2": "closing",
    "FIN_WAIT_1": "closing",
    "FIN_WAIT_2": "closing",
    "CLOSE_WAIT": "closing",
    "LAST_ACK": "closing",
    "CLOSING": "closing",
    "TIME_WAIT": "waiting",
}
"""By state, in Linux's and in the RFC's spelling, with _ for -."""


def state_group(state: str) -> str:
    """What a state is coloured by."""
    return STATE_GROUPS.get(state.replace("-", "_"), "closed")


def draw_svg(title: str, steps: Sequence[tuple[str, Scene]], *, with_style: bool = True) -> str:
    """The picture of a run: its title, and the ladder of each step below the one before.

    Without its style it is for a page that has `colours` and `ladder_style`.
    """
    style = f"<style>{colours()}{ladder_style()}</style>\n" if with_style else ""
    pieces: list[str] = []
    top, width = float(TOP), 0.0
    for name, scene in steps:
        if len(steps) > 1:
            pieces.append(text_at(12, top + 16, name, "heading"))
            top += 22
        geometry = Geometry(scene, top)
        pieces += _draw_scene(scene, geometry, top)
        top, width = geometry.bottom, max(width, geometry.width)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {top:.0f}" '
        f'width="{width:.0f}" height="{top:.0f}" role="img">\n'
        f"<title>{escape(visible(title))}</title>\n"
        + style
        + "\n".join([text_at(12, 22, cut(title, 130), "title"), *pieces, "</svg>\n"])
    )


def colours() -> str:
    """A style sheet that names the colours, for light and dark; paper is always light.

    The element `html` has its own way with data-theme="light" or "dark".
    """
    dark = _asset("dark.css")
    return (
        f"{_asset('colours.css')}@media screen and (prefers-color-scheme: dark) {{\n"
        f':root:not([data-theme="light"]) {{\n{dark}}}\n}}\n'
        f'@media screen {{ :root[data-theme="dark"] {{\n{dark}}} }}\n'
    )


def ladder_style() -> str:
    """The style sheet of a picture of ladders, by those names."""
    return _asset("ladder.css")


def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _draw_scene(scene: Scene, geometry: Geometry, top: float) -> Iterator[str]:
    yield from _draw_rails(scene, geometry, top)
    headings: list[str] = []
    for heading in scene.headings:
        y = geometry.tops[heading.slot]
        yield box(0, y + 2, geometry.width, SLOT - 3, "band")
        spans = [(heading.phase.value, "heading"), (f"   {heading.explanation}", "prose")]
        headings.append(spans_at(GUTTER, y + 16, spans, "on-band"))
    for slot, each in enumerate(scene.slots):
        if slot not in geometry.hidden:
            yield from _draw_time(each, geometry.middle(slot), scene.zero_ns)
    for ribbon in scene.ribbons:
        if ribbon.column < MOST_RIBBONS:
            side = geometry.sides[ribbon.lane]
            x = side.edge - side.inward * (4 + ribbon.column * RIBBON)
            y, end = geometry.middle(ribbon.start) - 4, geometry.middle(ribbon.end) - 4
            left = x if side.inward < 0 else x - RIBBON + 3
            strip = box(left, y, RIBBON - 3, max(end - y, 4), state_group(ribbon.state), 1.5)
            said = " ".join(filter(None, (ribbon.connection, ribbon.state)))
            yield titled(said, strip)
            if not ribbon.is_measured and ribbon.start not in geometry.hidden:
                x = side.edge - side.inward * (6 + side.outside)
                anchor = "end" if side.inward > 0 else "start"
                yield text_at(x, y + 8, ribbon.state, "muted", anchor)
    for call in scene.calls:
        yield from _draw_call(call, geometry)
    for transfer in scene.transfers:
        x1, x2 = geometry.ends(transfer.source, transfer.target)
        y = geometry.middle(transfer.slot)
        if x1 != x2:
            yield arrow(x1, y - 2, x2, y - 2 + SLOPE, "other", "arrow transfer")
            text = f"{transfer.moved} bytes, through the kernel"
            yield text_at((x1 + x2) / 2, y - 4, text, "halo muted", "middle")
    yield from _draw_arrows(scene.arrows, geometry)
    yield from headings
    for tag in scene.tags:
        yield _draw_tag(tag, geometry)
    for note in scene.notes:
        if note.slot not in geometry.hidden:
            side, y = geometry.sides[note.lane], geometry.middle(note.slot)
            for number, words in enumerate(geometry.texts[note.slot]):
                yield text_at(side.text, y + 15 * number, words, "prose note halo", side.anchor)
    for fold in scene.folds:
        side = geometry.sides[fold.lane or 0]
        yield text_at(side.text, geometry.middle(fold.slot), fold.text, "prose halo", side.anchor)


def _draw_rails(scene: Scene, geometry: Geometry, top: float) -> Iterator[str]:
    yield text_at(GUTTER - 14, top + 20, "ms", "time", "end")
    for lane, side in zip(scene.lanes, geometry.sides, strict=True):
        yield text_at(side.edge, top + 18, lane.name, "lane", side.anchor)
        yield text_at(side.edge, top + 33, ", ".join(lane.addresses), "muted", side.anchor)
        yield line(side.edge, top + HEAD - 6, side.edge, geometry.bottom - 8, "rail")


def _draw_time(slot: SceneSlot, y: float, zero_ns: int) -> Iterator[str]:
    if slot.time_ns is not None:
        mark = "∥ " if slot.is_concurrent else ""
        yield text_at(GUTTER - 14, y, f"{mark}{(slot.time_ns - zero_ns) / 1e6:.3f}", "time", "end")


def _draw_call(call: CallBracket, geometry: Geometry) -> Iterator[str]:
    side = geometry.sides[call.lane]
    x = side.edge - side.inward * (5 + side.ribbons * RIBBON + call.column * BRACKET)
    left = x if side.inward < 0 else x - BRACKET + 3
    y, end = geometry.middle(call.start) - 10, geometry.middle(call.end) + 1
    fault = " fault" if call.is_fault else ""
    yield titled(
        f"{call.label} {call.text}", box(left, y, BRACKET - 3, end - y, f"bracket{fault}", 2)
    )
    # Of a ladder's part: the return of a call may be beyond it, and another event in its last slot.
    told = call.start if call.is_told_first or not call.outcome else call.end
    took = ""
    if call.duration_ns is not None and (call.duration_ns >= SHOWN_NS or call.start != told):
        took = f"  {duration(call.duration_ns)}"
    for slot in dict.fromkeys((call.start, told)):
        if slot in geometry.hidden or slot not in geometry.texts:
            continue
        lines = geometry.texts[slot]
        for number, words in enumerate(lines):
            label = "" if number else visible(call.label)
            spans = [(label, "label"), (words[len(label) :], "fault" if fault else "")]
            if slot == told and number == len(lines) - 1:
                spans.append((took, "muted"))
            y = geometry.middle(slot) + 15 * number
            yield spans_at(side.text, y, spans, "halo", side.anchor)


def _draw_tag(tag: EventTag, geometry: Geometry) -> str:
    if tag.slot in geometry.hidden:
        return ""
    side = geometry.sides[tag.lane]
    classes = "fault halo" if tag.kind.value == "drop" else "muted halo"
    text = cut(tag.text, side.columns)
    return text_at(side.text, geometry.middle(tag.slot), text, classes, side.anchor)


def _draw_arrows(arrows: Iterable[FrameArrow], geometry: Geometry) -> Iterator[str]:
    labels: list[str] = []
    for each in arrows:
        if each.start in geometry.hidden and each.end in geometry.hidden:
            continue
        kind = each.kind.value
        x1, x2 = geometry.ends(each.source, each.target)
        y1, y2 = geometry.middle(each.start) + 2, geometry.middle(each.end) + 2
        if each.start == each.end:
            y2 += SLOPE - 2
        if x1 == x2:
            way = geometry.sides[each.source].inward * 60
            yield f'<g class="{kind}"><path class="arrow" d="M{x1:.1f} {y1 - 6:.1f}h{way}"/></g>'
            yield arrow(x1 + way, y1, x1, y2, kind)
            labels.append(text_at(x1 + way * 1.1, y1, each.label, f"halo on {kind}", _far(way)))
            continue
        if each.is_lost:
            why, wide = each.dropped or "lost: seen leaving, not arriving", abs(x2 - x1)
            room = 1 - (len(visible(why)) * COLUMN_WIDTH + 2 * INSET) / wide
            own = (len(", ".join((each.label, *each.notes))) + 4) * COLUMN_WIDTH / wide
            share = LOST_AT if room < LEAST_LOST_AT else min(LOST_AT, max(room, own))
            why = cut(why, int((wide * (1 - share) - 2 * INSET) / COLUMN_WIDTH) + 1)
            x2, y2 = x1 + (x2 - x1) * share, y1 + (y2 - y1) * share
            yield f'<g class="{kind}">{line(x1, y1, x2, y2, "arrow")}</g>'
            yield cross(x2, y2, "rst")
            way = 10 if x2 > x1 else -10
            labels.append(text_at(x2 + way, y2 + 4, why, "halo fault", _far(way)))
        else:
            yield arrow(x1, y1, x2, y2, kind)
            if each.dropped:
                yield cross(x2, y2, "rst")
        side = geometry.sides[each.source]
        # What leaves a lane on the side of its ribbons is named beyond them.
        beyond = side.outside if (x2 > x1) != (side.inward > 0) else 0
        labels.append(_draw_label(each, x1 + beyond * (1 if x2 > x1 else -1), x2, y1 - 4))
    yield from labels


def _draw_label(each: FrameArrow, x1: float, x2: float, y: float) -> str:
    way = 10 if x2 > x1 else -10
    columns = int(abs(x2 - x1) / 6.95) - 3
    text = each.label
    if each.notes:
        text += f"  [{', '.join(each.notes)}]"
    spans = [(cut(text, columns), f"on {each.kind.value}")]
    if (each.says or each.payload) and (left := columns - len(text) - 2) > 8:
        payload = cut(each.says or visible_bytes(each.payload, PAYLOAD_BYTES), left)
        if way > 0:
            spans.append((f"  {payload}", "muted"))
        else:
            spans.insert(0, (f"{payload}  ", "muted"))
    return spans_at(x1 + way, y, spans, "halo", _far(way))


def _far(way: float) -> str:
    return "start" if way > 0 else "end"
