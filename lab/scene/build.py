"""Ladder → Scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lab.ladder.model import (
    CallRow,
    DropRow,
    ElisionRow,
    FrameRow,
    Ladder,
    NoteRow,
    Part,
    PhaseRow,
    QueueRow,
    Row,
    StateRow,
    StrikeRow,
    TransferRow,
)
from lab.model.event import EventId
from lab.scene.lane_places import lane_places
from lab.scene.model import (
    CallBracket,
    EventTag,
    FrameArrow,
    Scene,
    SceneFold,
    SceneHeading,
    SceneNote,
    SceneSlot,
    SlotKind,
    TransferArrow,
)
from lab.scene.ribbons import state_ribbons


def build_scene(ladder: Ladder) -> Scene:
    """The ladder, with a slot for each of its rows, those that it leaves out in a fold."""
    builder = _Builder()
    for row in ladder.rows:
        builder.add(row)
    last = max(len(builder.slots) - 1, 0)
    return Scene(
        lanes=ladder.lanes,
        places=lane_places(len(ladder.lanes)),
        slots=tuple(builder.slots),
        calls=tuple(builder.closed_calls(last)),
        arrows=tuple(builder.arrows_with_drops()),
        transfers=tuple(builder.transfers),
        ribbons=state_ribbons(builder.placed, last),
        tags=tuple(builder.tags),
        notes=tuple(builder.notes),
        headings=tuple(builder.headings),
        folds=tuple(builder.folds),
        zero_ns=ladder.zero_ns,
    )


class _Builder:
    """Places one row after the other."""

    def __init__(self) -> None:
        self.slots: list[SceneSlot] = []
        self.placed: list[tuple[int, Row]] = []
        self.calls: dict[EventId, CallBracket] = {}
        self.arrows: dict[tuple[EventId, int], FrameArrow] = {}
        """By their frames, and which link of a frame's way it is."""
        self.transfers: list[TransferArrow] = []
        self.tags: list[EventTag] = []
        self.notes: list[SceneNote] = []
        self.headings: list[SceneHeading] = []
        self.folds: list[SceneFold] = []
        self.dropped: dict[EventId, str] = {}
        self.open: dict[int, dict[EventId, int]] = {}
        """By lane the calls that have not returned yet, and their columns."""

    def add(self, row: Row, fold: int | None = None) -> None:
        """Give the row the next slot."""
        slot = len(self.slots)
        self.placed.append((slot, row))
        match row:
            case PhaseRow():
                self.slots.append(SceneSlot(SlotKind.HEADING, None, None, fold=fold))
                self.headings.append(SceneHeading(slot, row.phase, row.explanation))
            case ElisionRow():
                self.slots.append(SceneSlot(SlotKind.FOLD, None, None))
                for each in row.rows:
                    self.add(each, slot)
                last = len(self.slots) - 1
                self.folds.append(SceneFold(slot, last, row.text, row.lane))
            case TransferRow():
                self._slot(SlotKind.TRANSFER, None, row.read, fold)
                self.transfers.append(
                    TransferArrow(row.source, row.target, slot, row.read, row.writes, row.moved)
                )
            case NoteRow():
                self._slot(SlotKind.NOTE, None, row.event, fold)
                self.notes.append(SceneNote(row.event, row.lane, slot, row.text))
            case CallRow():
                self._slot(SlotKind.CALL, row.time_ns, row.event, fold, row.is_concurrent)
                self._add_call(row, slot)
            case FrameRow():
                self._slot(SlotKind.FRAME, row.time_ns, row.event, fold, row.is_concurrent)
                self._add_frame(row, slot)
            case StateRow() | QueueRow() | DropRow() | StrikeRow():
                kind = _KINDS[type(row)]
                self._slot(kind, row.time_ns, row.event, fold, row.is_concurrent)
                self.tags.append(EventTag(row.event, kind, row.lane, slot, row.text))
                if isinstance(row, DropRow):
                    self.dropped[row.frame] = row.reason
                elif isinstance(row, StrikeRow) and row.is_end and row.frame is not None:
                    self.dropped[row.frame] = f"the wire: {row.rule}"

    def _slot(
        self,
        kind: SlotKind,
        time_ns: int | None,
        event: EventId,
        fold: int | None,
        is_concurrent: bool = False,
    ) -> None:
        self.slots.append(SceneSlot(kind, time_ns, event, is_concurrent, fold))

    def _add_call(self, row: CallRow, slot: int) -> None:
        open_here = self.open.setdefault(row.lane, {})
        begun = self.calls.get(row.event)
        if row.part is Part.END and begun is not None:
            open_here.pop(row.event, None)
            self.calls[row.event] = replace(
                begun,
                end=slot,
                is_closed=not row.is_unfinished,
                outcome=row.text,
                duration_ns=row.duration_ns,
                is_fault=row.is_fault,
                label=_label(row),
            )
            return
        taken = set(open_here.values())
        column = next(number for number in range(len(taken) + 1) if number not in taken)
        if row.part is Part.START:
            open_here[row.event] = column
        is_end = row.part is Part.END
        is_told_first = row.part is Part.START and row.duration_ns is not None
        self.calls[row.event] = CallBracket(
            event=row.event,
            lane=row.lane,
            column=column,
            start=slot,
            end=slot,
            is_closed=(row.part is not Part.START or is_told_first) and not row.is_unfinished,
            label=_label(row),
            text="" if is_end else row.text,
            outcome=row.text if is_end else row.result,
            is_told_first=is_told_first,
            duration_ns=row.duration_ns,
            is_fault=row.is_fault,
        )

    def closed_calls(self, last: int) -> Iterator[CallBracket]:
        """The calls; one whose return is nowhere in the ladder goes on to its end."""
        still_open = {event for lane in self.open.values() for event in lane}
        for event, call in self.calls.items():
            yield replace(call, end=last) if event in still_open else call

    def _add_frame(self, row: FrameRow, slot: int) -> None:
        if row.closes is not None and (call := self.calls.get(row.closes.event)) is not None:
            self.open[call.lane].pop(call.event, None)
            self.calls[call.event] = replace(call, end=slot)
        begun = self.arrows.get((row.event, row.hop))
        if row.part is Part.END and begun is not None:
            self.arrows[row.event, row.hop] = replace(begun, end=slot)
            return
        self.arrows[row.event, row.hop] = FrameArrow(
            event=row.event,
            source=row.source,
            target=row.target,
            start=slot,
            end=slot,
            is_forward=row.is_forward,
            kind=row.kind,
            label=row.label,
            payload=row.payload,
            says=row.says,
            is_lost=row.is_lost,
            dropped="",
            notes=tuple(note.value for note in row.notes),
        )

    def arrows_with_drops(self) -> Iterator[FrameArrow]:
        """The arrows, with the reasons for which the kernel dropped what they brought."""
        for arrow in self.arrows.values():
            reason = self.dropped.get(arrow.event, "")
            yield replace(arrow, dropped=reason) if reason else arrow


def _label(row: CallRow) -> str:
    """Its number, and which connection it is on where its lane has several.

    A call of connect(2) or accept(2) has one only once it has returned.
    """
    return f"{row.label} {row.connection}:" if row.connection else str(row.label)


_KINDS: dict[type, SlotKind] = {
    StateRow: SlotKind.STATE,
    QueueRow: SlotKind.QUEUE,
    DropRow: SlotKind.DROP,
    StrikeRow: SlotKind.STRIKE,
}
