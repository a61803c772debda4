"""A scene as JSON types: what the page's ladder is drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.model.event import EventId
from lab.report.svg.ladder import state_group
from lab.report.svg.visible import visible, visible_bytes
from lab.scene.model import FrameArrow, Scene, SlotKind

PAYLOAD_BYTES = 48
KINDS = list(SlotKind)


def scene_document(scene: Scene, number_of: Mapping[EventId, int]) -> dict[str, Any]:
    """The scene; events are named by their numbers in the page's list of them.

    Times are nanoseconds since `zero_ns`: JavaScript has no exact numbers beyond 2^53.
    """
    return {
        "lanes": [
            {
                "name": visible(lane.name),
                "addresses": visible(", ".join(lane.addresses)),
                "programs": visible(", ".join(lane.programs)),
                "place": round(place.share, 4),
                "inward": place.inward,
            }
            for lane, place in zip(scene.lanes, scene.places, strict=True)
        ],
        "kinds": [kind.value for kind in KINDS],
        "slots": [
            [
                KINDS.index(slot.kind),
                None if slot.time_ns is None else slot.time_ns - scene.zero_ns,
                -1 if slot.event is None else number_of.get(slot.event, -1),
                int(slot.is_concurrent),
                -1 if slot.fold is None else slot.fold,
            ]
            for slot in scene.slots
        ],
        "calls": [
            {
                "event": number_of.get(call.event, -1),
                "lane": call.lane,
                "column": call.column,
                "slots": [call.start, call.end],
                "closed": call.is_closed,
                "label": visible(call.label),
                "text": visible(call.text),
                "outcome": visible(call.outcome),
                "ns": call.duration_ns,
                "fault": call.is_fault,
            }
            for call in scene.calls
        ],
        "arrows": [
            {
                "event": number_of.get(arrow.event, -1),
                "from": arrow.source,
                "to": arrow.target,
                "slots": [arrow.start, arrow.end],
                "kind": arrow.kind.value,
                "label": visible(arrow.label),
                "payload": _preview(arrow),
                "lost": arrow.is_lost,
                "dropped": visible(arrow.dropped),
                "notes": list(arrow.notes),
            }
            for arrow in scene.arrows
        ],
        "transfers": [
            {
                "event": number_of.get(transfer.read, -1),
                "from": transfer.source,
                "to": transfer.target,
                "slot": transfer.slot,
                "moved": transfer.moved,
            }
            for transfer in scene.transfers
        ],
        "ribbons": [
            {
                "lane": ribbon.lane,
                "column": ribbon.column,
                "connection": ribbon.connection,
                "state": ribbon.state,
                "group": state_group(ribbon.state),
                "slots": [ribbon.start, ribbon.end],
                "measured": ribbon.is_measured,
            }
            for ribbon in scene.ribbons
        ],
        "tags": [
            {
                "event": number_of.get(tag.event, -1),
                "kind": tag.kind.value,
                "lane": tag.lane,
                "slot": tag.slot,
                "text": visible(tag.text),
            }
            for tag in scene.tags
        ],
        "notes": [
            {"lane": note.lane, "slot": note.slot, "text": visible(note.text)}
            for note in scene.notes
        ],
        "headings": [
            {"slot": each.slot, "title": each.phase.value, "text": each.explanation}
            for each in scene.headings
        ],
        "folds": [
            {"slot": fold.slot, "last": fold.last, "text": fold.text, "lane": fold.lane}
            for fold in scene.folds
        ],
    }


def _preview(arrow: FrameArrow) -> str:
    """What its payload says in words, or the first of its bytes."""
    shown = visible_bytes(arrow.payload, PAYLOAD_BYTES) if arrow.payload else ""
    return visible(arrow.says) or shown
