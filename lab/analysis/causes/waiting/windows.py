"""Why sending stands still: the receiver's buffer is full, and who does not read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.standing import READS, SENDS, WAITS, Standing
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import DISCARDED, Note, Segment
from lab.frozen import frozen
from lab.model.counted import counted
from lab.model.event import EventId, frame_id

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.tcp.conversation import TcpConversation

_SYN, _FIN, _RST = int(TcpFlags.SYN), int(TcpFlags.FIN), int(TcpFlags.RST)
_LONG_NS = 1_000_000_000
"""A window that is shut for a shorter time is how a slow reader slows its peer down."""


@frozen
class _Shut:
    """A time for which one side had no room."""

    first: Segment
    """The side's first segment that says so."""
    opened: Segment | None
    """The one that says that there is room again; None where none did."""
    from_ns: int
    to_ns: int


def windows(facts: StepFacts) -> Iterator[Cause]:
    """The windows that were shut for long, of each connection the longest one."""
    for talk in facts.timeline.opened.values():
        found = [
            (shut, is_client)
            for is_client in (True, False)
            for shut in _shut_windows(facts, talk, is_client)
            if shut.to_ns - shut.from_ns >= _LONG_NS
        ]
        if not found:
            continue
        shut, is_client = max(found, key=lambda each: each[0].to_ns - each[0].from_ns)
        reader, writer = (
            Standing(facts, talk, side, shut.to_ns) for side in (is_client, not is_client)
        )
        others = [each for each, side in found if side != is_client]
        if others and reader.is_sending and writer.is_sending:
            yield _both_send(shut, others[0], reader, writer)
        else:
            yield _does_not_read(shut, reader, writer)


def _shut_windows(facts: StepFacts, talk: TcpConversation, is_client: bool) -> Iterator[_Shut]:
    """The times for which a side's window was 0, as its own segments say."""
    first: Segment | None = None
    for segment in talk.segments:
        is_said = not int(segment.flags) & (_SYN | _RST) and not segment.notes & DISCARDED
        if segment.from_client != is_client or not is_said:
            continue
        left_ns = facts.departure_ns(segment)
        if segment.window_bytes == 0:
            first = first or segment
        elif first is not None and not facts.is_over(left_ns):
            yield _Shut(first, segment, facts.departure_ns(first), left_ns)
            first = None
    if first is None:
        return
    begun_ns = facts.departure_ns(first)
    ends = [
        facts.departure_ns(each)
        for each in talk.segments
        if each.crossing > first.crossing and int(each.flags) & _RST
    ]
    ends += [run.ended_ns for run in facts.timeline.programs] if not ends else []
    ends = [each for each in (*ends, facts.stopped_ns) if each and each > begun_ns]
    yield _Shut(first, None, begun_ns, min(ends, default=begun_ns))


def _does_not_read(shut: _Shut, reader: Standing, writer: Standing) -> Cause:
    facts = reader.facts
    said = frame_id(shut.first.crossing)
    lasted = ms(shut.to_ns - shut.from_ns)
    if shut.opened is None:
        until = ", until the lab ended it" if facts.is_over(shut.to_ns) else ""
    else:
        until = f", until {frame_id(shut.opened.crossing)} opens it"
    waits = _waiting_send(shut, writer)
    if waits is not None:
        waited = f" {writer.name} waits in {named(waits)}."
    else:
        waited = f" What {writer.name} sends waits in its send buffer."
    probes = [
        each
        for each in writer.segments
        if Note.ZERO_WINDOW_PROBE in each.notes and each.crossing > shut.first.crossing
    ]
    asked = counted(len(probes), "time")
    asks = f" Its kernel asks {asked} whether there is room." if probes else ""
    evidence = known_ids(
        waits, said, *(frame_id(each.crossing) for each in probes[:3]), reader.last,
        None if shut.opened is None else frame_id(shut.opened.crossing),
    )  # fmt: skip
    return Cause(
        "zero-window",
        f"The receive buffer of {reader.name} is full: from {said} on its window is 0, for {lasted}"
        f"{until}.{_what_it_does(shut, reader, writer)}{waited}{asks}",
        reader.name,
        evidence,
        "RFC 9293, 3.8.6; tcp(7), SO_RCVBUF",
        Surprise.ELSEWHERE,
        facts.counted(reader.host, "TcpExtTCPToZeroWindowAdv"),
    )


def _what_it_does(shut: _Shut, reader: Standing, writer: Standing) -> str:
    """What the reader's program did in place of reading."""
    facts = reader.facts
    if not facts.is_traced:
        return f" {counted(writer.came, 'byte')} had come by then."
    if reader.socket is None:
        return f" Nobody has accepted the connection: {counted(writer.came, 'byte')} wait with it."
    came = f" Of the {counted(writer.came, 'byte')} that came it had read {reader.read}"
    before = [each for each in reader.calls if each.exit_ns and each.exit_ns < shut.from_ns]
    inside = [
        each for each in reader.calls if each.entry_ns > shut.from_ns and each.name in READS | WAITS
    ]
    if inside or reader.is_reading:
        first = inside[0] if inside else reader.call
        assert first is not None
        return f"{came} until {named(first)}."
    last = before[-1] if before else reader.last
    since = "" if last is None else f" since {named(last)}"
    return f"{came}, and has made no call on the connection{since}."


def _waiting_send(shut: _Shut, writer: Standing) -> SystemCall | None:
    """The send that lasted as long as the window was shut, or longer."""
    for call in writer.calls:
        lasted_ns = (call.exit_ns or shut.to_ns) - max(call.entry_ns, shut.from_ns)
        if call.name in SENDS and lasted_ns > (shut.to_ns - shut.from_ns) // 2:
            return call
    return None


def _both_send(one: _Shut, other: _Shut, reader: Standing, writer: Standing) -> Cause:
    assert reader.call is not None
    assert writer.call is not None
    said: tuple[EventId, ...] = tuple(frame_id(each.first.crossing) for each in (one, other))
    return Cause(
        "both-send",
        f"Both sides send, and neither reads: {reader.name} in {named(reader.call)} and "
        f"{writer.name} in {named(writer.call)}. Both receive buffers are full ({said[0]} and "
        f"{said[1]} say a window of 0), so that neither send can end.",
        str(reader.talk.flow.id),
        known_ids(reader.call, writer.call, *said),
        "RFC 9293, 3.8.6; send(2)",
        Surprise.ELSEWHERE,
    )
