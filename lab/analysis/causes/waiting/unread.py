"""Where bytes are that were sent and never read: with a program that read no more."""

from __future__ import annotations

from collections.abc import Iterator

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.standing import Standing, sides_at
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.analysis.causes.waiting.given_up import given_up
from lab.model.counted import counted
from lab.model.event import EventId, frame_id


def unread(facts: StepFacts) -> Iterator[Cause]:
    """The bytes that waited in a receive queue when the lab ended the program that had them.

    Those that close(2), or a program's end, threw away show by a RST; those for which
    somebody waited in vain have causes of their own.
    """
    now_ns = facts.stopped_ns
    if now_ns is None or not facts.is_traced:
        return
    waited = {moment.waits.talk.flow.id for moment in given_up(facts)}
    for talk in facts.timeline.opened.values():
        sides = None if talk.flow.id in waited else sides_at(facts, talk, now_ns)
        if sides is None or any(side.has_reset for side in sides):
            continue
        for writer, reader in (sides, sides[::-1]):
            if reader.socket is not None and not reader.has_ended and writer.came > reader.read:
                yield _left(writer, reader)


def _left(writer: Standing, reader: Standing) -> Cause:
    frame: EventId = frame_id(writer.data[-1].crossing)
    last = reader.reads[-1] if reader.reads else reader.last
    had = f"had read {reader.read}" if reader.read else "had read none"
    since = "" if last is None else f", and made no read after {named(last)}"
    rest = writer.came - reader.read
    verb = "waits" if rest == 1 else "wait"
    return Cause(
        "left-unread",
        f"{reader.name} {had} of the {counted(writer.came, 'byte')} that came from {writer.name} "
        f"(the last in {frame}){since}: {rest} {verb} in its receive queue, acknowledged by the "
        "kernel, until the lab ended it. An ACK says that they came, not that they were read.",
        reader.name,
        known_ids(last, frame),
        "RFC 9293, 3.8.6; recv(2)",
        Surprise.ELSEWHERE,
    )
