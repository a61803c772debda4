"""What beats of a ladder have in common: by that, repetition is found."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from lab.analysis.calls.call_text import entered, returned
from lab.analysis.calls.system_call import SystemCall
from lab.analysis.order.events import EventPart
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.story import Phase, describe_packet, describe_segment
from lab.model.event import EventId
from lab.report.terminal.beats import Beat
from lab.report.terminal.repetition import Look
from lab.report.terminal.rungs import Rung


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks of one step's calls and frames."""

    calls: Mapping[EventId, SystemCall]
    rungs: Mapping[EventId, Rung]
    phase_of: Mapping[int, Phase]
    always_drawn: frozenset[EventId]
    """Events that something is to be said of."""

    def of(self, beat: Beat) -> Look:
        """How a beat looks; states, queues and drops are always drawn.

        Reads and sends look like others of their socket, segments like others that carry
        bytes or carry none; all else only like what tells the same.
        """
        event = beat.event.id
        if event in self.calls:
            kind, text = self._call(beat, self.calls[event])
        elif event in self.rungs:
            kind, text = self._frame(self.rungs[event])
        else:
            return Look(None, str(event))
        whole = (beat.event.part, beat.is_whole, kind)
        return Look(None if event in self.always_drawn else whole, text)

    def _call(self, beat: Beat, call: SystemCall) -> tuple[Hashable, str]:
        if beat.is_whole:
            text = f"{call.text} = {call.returned}"
        else:
            text = returned(call) if beat.event.part is EventPart.EXIT else entered(call)
        shown = (call.name, call.descriptor) if call.moved else text
        return (call.program, call.tid, call.socket, shown), text

    def _frame(self, rung: Rung) -> tuple[Hashable, str]:
        segment, number = rung.segment, rung.crossing.number
        if segment is None:
            text = describe_packet(rung.crossing.packet)
            return (rung.rightward, rung.crossing.lost, text), f"{text} {rung.payload!r}"
        kind = (
            rung.connection,
            rung.rightward,
            rung.crossing.lost,
            int(segment.flags & ~TcpFlags.PSH),
            segment.length > 0,
            frozenset(segment.notes),
            self.phase_of.get(number),
        )
        return kind, f"{describe_segment(segment)} {rung.payload!r}"
