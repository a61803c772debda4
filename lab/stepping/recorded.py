"""A recorded step as a sequence of moments, and what is shown of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, NamedTuple

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.flows.crossing import Crossing
from lab.analysis.story import describe_segment
from lab.analysis.timeline import Timeline
from lab.frozen import frozen
from lab.records import ProgramRun
from lab.stepping.call_text import shown, waits_for
from lab.stepping.frame_text import RelativeNumbers, frame_text, kind_of, payload_text
from lab.stepping.scene import (
    CallShown,
    FrameShown,
    HostShown,
    ProgramShown,
    SocketShown,
    StepScene,
)

MOST_PAST = 200


class PlayedMoment(NamedTuple):
    """Something that happened."""

    time_ns: int
    kind: Literal["sent", "came", "lost", "enter", "exit", "begin", "end"]
    place: int
    """Of the crossing, call or program among the timeline's."""


@frozen
class Played:
    """A recorded step that is played."""

    timeline: Timeline
    moments: tuple[PlayedMoment, ...]
    name: str

    @property
    def hosts(self) -> tuple[str, ...]:
        """Those that send frames or have programs: who speaks first is the first."""
        hosts = [crossing.sender for crossing in self.timeline.crossings]
        hosts += [run.host for run in self.timeline.programs]
        return tuple(dict.fromkeys(each for each in hosts if each))


def played(timeline: Timeline, name: str) -> Played:
    """The moments of a step, in order of time."""
    return Played(timeline, tuple(sorted(_moments(timeline))), name)


def _moments(timeline: Timeline) -> Iterator[PlayedMoment]:
    struck = {each.id: each.strike.time_ns for each in timeline.struck}
    for place, crossing in enumerate(timeline.crossings):
        if crossing.sent_ns is not None or crossing.received_ns is None:
            yield PlayedMoment(crossing.time_ns, "sent", place)
        if crossing.received_ns is not None:
            yield PlayedMoment(crossing.received_ns, "came", place)
        elif crossing.strikes:
            ends = [struck[each] for each in crossing.strikes if each in struck]
            yield PlayedMoment(max(ends, default=crossing.time_ns), "lost", place)
        else:
            yield PlayedMoment(crossing.time_ns, "lost", place)
    for place, call in enumerate(timeline.system_calls):
        yield PlayedMoment(call.entry_ns, "enter", place)
        if call.exit_ns is not None:
            yield PlayedMoment(call.exit_ns, "exit", place)
    for place, run in enumerate(timeline.programs):
        yield PlayedMoment(run.started_ns, "begin", place)
        yield PlayedMoment(run.ended_ns, "end", place)


def next_frame(run: Played, at: int) -> str:
    """The kind of the frame that is sent next, behind that moment; "nothing" if none is."""
    for moment in run.moments[at + 1 :]:
        if moment.kind == "sent":
            return _kind(run.timeline.crossings[moment.place])
    return "nothing"


def sends(run: Played, at: int) -> bool:
    """Whether that moment is one at which a frame is sent."""
    return at < len(run.moments) and run.moments[at].kind == "sent"


def played_scene(run: Played, at: int) -> StepScene:
    """What is shown when everything up to that moment has happened."""
    timeline = run.timeline
    past = run.moments[: at + 1]
    sent = [m.place for m in past if m.kind == "sent" or (m.kind == "came" and _is_made(run, m))]
    gone = {m.place for m in past if m.kind in ("came", "lost")}
    left, right = _pair(run, sent)
    numbers = RelativeNumbers(crossing.packet.frame.data for crossing in timeline.crossings)
    texts = _segment_texts(timeline)
    frames: list[FrameShown] = []
    before: list[FrameShown] = []
    for place in sent:
        crossing = timeline.crossings[place]
        if {crossing.sender, crossing.receiver} - {left, right, ""}:
            continue
        shown_frame = _frame(crossing, left, numbers, texts, is_gone=place in gone)
        (before if place in gone else frames).append(shown_frame)
    time_ns = past[-1].time_ns if past else 0
    first_ns = run.moments[0].time_ns if run.moments else 0
    status = f"event {len(past)} of {len(run.moments)}, {(time_ns - first_ns) / 1e9:.6f} s"
    return StepScene(
        f"{run.name}: {timeline.step}",
        _host(run, left, past),
        _host(run, right, past),
        tuple(frames),
        tuple(before[-MOST_PAST:]),
        status,
    )


def _is_made(run: Played, moment: PlayedMoment) -> bool:
    """Whether a wire made the frame that has come: nobody sent it."""
    crossing = run.timeline.crossings[moment.place]
    return crossing.sent_ns is None


def _pair(run: Played, sent: list[int]) -> tuple[str, str]:
    """The two hosts that are looked at: those of the frame that was sent last."""
    hosts = [*run.hosts, "", ""]
    if not sent:
        return hosts[0], hosts[1]
    last = run.timeline.crossings[sent[-1]]
    ends = [host for host in (last.sender, last.receiver) if host]
    if set(ends) <= set(hosts[:2]):
        return hosts[0], hosts[1]
    pair = [*sorted(set(ends), key=lambda host: hosts.index(host) if host in hosts else 99), ""]
    return pair[0], pair[1]


def _segment_texts(timeline: Timeline) -> dict[int, str]:
    return {
        segment.crossing: describe_segment(segment)
        for talk in timeline.conversations
        for segment in talk.segments
    }


def _frame(
    crossing: Crossing, left: str, numbers: RelativeNumbers, texts: dict[int, str], *, is_gone: bool
) -> FrameShown:
    data = crossing.packet.frame.data
    text = texts.get(crossing.number) or frame_text(data, numbers)
    notes = []
    if is_gone and crossing.lost:
        notes.append("lost")
    if crossing.is_made:
        notes.append("made by the wire")
    elif crossing.strikes:
        notes.append("struck by the wire")
    return FrameShown(
        crossing.number,
        crossing.sender == left,
        text if is_gone else " ".join(filter(None, (text, payload_text(data)))),
        _kind(crossing),
        data,
        ", ".join(notes) if is_gone else "on its way",
        "gone" if is_gone else "waits",
    )


def _kind(crossing: Crossing) -> str:
    return f"{crossing.sender} {kind_of(crossing.packet.frame.data)}"


def _host(run: Played, host: str, past: tuple[PlayedMoment, ...]) -> HostShown:
    timeline = run.timeline
    entered = [m.place for m in past if m.kind == "enter"]
    left = {m.place for m in past if m.kind == "exit"}
    began = {m.place for m in past if m.kind == "begin"}
    ended = {m.place for m in past if m.kind == "end"}
    programs = []
    for place, each in enumerate(timeline.programs):
        if each.host != host:
            continue
        calls = [
            _as_known(timeline.system_calls[at], has_returned=at in left)
            for at in entered
            if timeline.system_calls[at].program == each.name
        ]
        programs.append(_program(run, each, calls, place in began, place in ended))
    return HostShown(host, tuple(programs), tuple(_sockets(timeline, host, past)))


def _as_known(call: SystemCall, *, has_returned: bool) -> SystemCall:
    return call if has_returned else replace(call, exit_ns=None)


def _program(
    run: Played, program: ProgramRun, calls: list[SystemCall], has_begun: bool, has_ended: bool
) -> ProgramShown:
    lines = [run.timeline.line_of[call.id] for call in calls if call.id in run.timeline.line_of]
    state = "runs" if has_begun else "is to start"
    if has_ended:
        state = f"exited with {program.exit_status}"
    texts: tuple[CallShown, ...] = tuple(map(shown, calls))
    return ProgramShown(
        program.name,
        state,
        lines[-1] if lines else None,
        texts,
        "" if has_ended else waits_for(calls),
    )


def _sockets(
    timeline: Timeline, host: str, past: tuple[PlayedMoment, ...]
) -> Iterator[SocketShown]:
    """The states of the host's ends of connections, as its segments leave them."""
    sent = {timeline.crossings[m.place].number for m in past if m.kind == "sent"}
    came = {timeline.crossings[m.place].number for m in past if m.kind == "came"}
    for talk in timeline.conversations:
        for is_client in (True, False):
            state = ""
            for segment in talk.segments:
                crossing = timeline.crossing_of[segment.crossing]
                mine = crossing.sender if segment.from_client == is_client else crossing.receiver
                if mine != host:
                    continue
                if segment.from_client == is_client and segment.crossing in sent:
                    state = segment.sender_state.name
                elif segment.crossing in came and segment.receiver_state is not None:
                    state = segment.receiver_state.name
            if state:
                yield SocketShown(f"{talk.flow.id} {state.replace('_', '-')}", "")
