"""One way of a conversation in messages, while it is being joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.correlate.correlation import Channel, ReadPart, SentPart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.flows.flow import FlowId
    from lab.model.event import EventId


class Sent:
    """A message: the call that sent it, the crossing that carried it, the calls that read it."""

    __slots__ = ("call", "crossing", "length", "reads")

    def __init__(self, call: SystemCall | None, crossing: EventId | None, length: int) -> None:
        self.call = call
        self.crossing = crossing
        self.length = length
        self.reads: list[SystemCall] = []


class MessageWay:
    """The messages of one way."""

    __slots__ = ("flow", "messages", "receiver", "sender", "strays", "uncounted")

    def __init__(self, flow: FlowId | None = None) -> None:
        self.flow = flow
        self.sender = ""
        self.receiver = ""
        self.messages: list[Sent] = []
        self.strays: list[SystemCall] = []
        """Reads of what nothing was seen to bring."""
        self.uncounted: EventId | None = None
        """A call that moved several of these messages, or may have. Which ones is not
        known, and so it is not certain of any other call either."""

    def channel(self, carried: int | None) -> Channel:
        """The way, joined; `carried` are the bytes that arrived, None where there is no wire."""
        calls = [each.call for each in self.messages if each.call is not None]
        reads = [*(read for each in self.messages for read in each.reads), *self.strays]
        return Channel(
            sender=self.sender,
            receiver=self.receiver,
            flow=self.flow,
            parts=() if self.uncounted else tuple(self._parts()),
            sent=sum(call.moved for call in calls),
            carried=carried,
            read=sum(read.moved for read in reads),
            sends=len(calls),
            segments=sum(each.crossing is not None for each in self.messages),
            reads=len(reads),
            read_parts=() if self.uncounted else tuple(self._read_parts()),
            unsent=() if self.uncounted else tuple(self._unsent()),
            unbrought=() if self.uncounted else tuple(r.id for r in self.strays if r.moved),
            uncounted=self.uncounted,
        )

    def _unsent(self) -> Iterator[EventId]:
        for each in self.messages if self.sender else ():
            if each.call is None and each.crossing is not None:
                yield each.crossing

    def _parts(self) -> list[SentPart]:
        return [
            SentPart(
                each.call.id,
                start,
                start + each.length,
                () if each.crossing is None else (each.crossing,),
                tuple(read.id for read in each.reads),
            )
            for start, each in self._placed()
            if each.call is not None
        ]

    def _read_parts(self) -> list[ReadPart]:
        return [
            ReadPart(read.id, start, start + min(read.moved, each.length), each.crossing)
            for start, each in self._placed()
            for read in each.reads
        ]

    def _placed(self) -> list[tuple[int, Sent]]:
        placed: list[tuple[int, Sent]] = []
        at = 0
        for each in self.messages:
            placed.append((at, each))
            at += each.length
        return placed
