"""What the families of causes ask of a step: its sockets by host, their lives, and their calls."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from lab.analysis.calls.constants import error_name
from lab.analysis.calls.options import SO_ERROR
from lab.analysis.causes.facts.cause import Counted
from lab.analysis.causes.facts.links import LinkDown, downs
from lab.analysis.flows.flow import ends_of
from lab.analysis.sockets.socket_calls import hiding
from lab.model.event import EventId
from lab.records import InstrumentKind

if TYPE_CHECKING:
    from lab.analysis.calls.options import Option
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.correlation import Channel, Correlation, Dropped
    from lab.analysis.correlate.evidence import Evidence
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import FlowId
    from lab.analysis.flows.strikes import Struck
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Segment
    from lab.analysis.timeline import Timeline
    from lab.model.address import SocketAddress
    from lab.records import DropNotice, KernelEvent, TaskEvent

_SIGPIPE = 13
_SENDS_LOOKED_AT = 100
"""So many show what a program's sends do, however long a run is."""
_RESET_SENT = "tcp:tcp_send_reset"


class StepFacts:
    """A step, as the families look at it."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.evidence: Evidence = timeline.evidence
        self.correlation: Correlation = timeline.correlation

    @cached_property
    def is_traced(self) -> bool:
        """Whether every call of the programs was seen, so that one not seen was not made."""
        recording = self.timeline.recording
        kinds = {each.kind for each in recording.instruments if each.obtained is not None}
        traced = InstrumentKind.CALLS in kinds and bool(self.timeline.system_calls)
        return traced and next(hiding(self.timeline.system_calls), None) is None

    @cached_property
    def links_down(self) -> dict[str, tuple[LinkDown, ...]]:
        """Of each host when programs had set its interface down."""
        hosts = {each.host for each in self.timeline.recording.interfaces}
        return {host: tuple(downs(self.timeline, host)) for host in hosts}

    def link_down_at(self, host: str, time_ns: int) -> LinkDown | None:
        """How the host's interface had been set down, at that time; None where it was not."""
        found = (each for each in self.links_down.get(host, ()) if each.lasts_at(time_ns))
        return next(found, None)

    @cached_property
    def stopped_ns(self) -> int | None:
        """When the lab began to end programs; None where all ended by themselves.

        What happens from then on is no program's doing.
        """
        stopped = (run.stopped_ns for run in self.timeline.programs)
        return min((each for each in stopped if each is not None), default=None)

    def is_over(self, time_ns: int) -> bool:
        """Whether the lab had begun to end programs by that time."""
        return self.stopped_ns is not None and time_ns >= self.stopped_ns

    @cached_property
    def tasks(self) -> tuple[TaskEvent, ...]:
        """Its programs' processes and threads beginning and ending, in order of time."""
        tasks = self.timeline.recording.trace.tasks
        found = (each for each in tasks if each.step == self.timeline.step)
        return tuple(sorted(found, key=lambda each: each.time_ns))

    @cached_property
    def channel_into(self) -> dict[tuple[FlowId, str], Channel]:
        """By flow and receiving endpoint what came to it."""
        return {
            (each.flow, each.receiver): each
            for each in self.correlation.channels
            if each.flow is not None and each.receiver
        }

    @cached_property
    def sent_by(self) -> dict[EventId, SystemCall]:
        """By frame the call whose bytes, or the first of them, it carried."""
        calls = self.timeline.call_of
        found: dict[EventId, SystemCall] = {}
        for channel in self.correlation.channels:
            for part in channel.parts:
                for frame in part.segments:
                    found.setdefault(frame, calls[part.call])
        return found

    @cached_property
    def resets_sent(self) -> dict[tuple[str, str], list[KernelEvent]]:
        """The kernels' own reports of RSTs, by sender and receiver: "198.51.100.1 4242"."""
        found: dict[tuple[str, str], list[KernelEvent]] = {}
        for event in self.timeline.recording.trace.events:
            if event.name == _RESET_SENT and event.step == self.timeline.step:
                ends = str(event.fields.get("saddr")), str(event.fields.get("daddr"))
                found.setdefault(ends, []).append(event)
        return found

    @cached_property
    def was_read(self) -> frozenset[EventId]:
        """The frames that brought what a call read."""
        channels = self.correlation.channels
        return frozenset(
            part.segment for each in channels for part in each.read_parts if part.segment
        )

    def tcp_sends(self) -> Iterator[tuple[Channel, SystemCall, EventId | None, int | None]]:
        """Of each direction of a TCP connection its first sends, and the frame that left by each.

        With the time at which that left; both None where nothing did.
        """
        for channel in self.correlation.channels:
            sender = self.timeline.endpoint_of.get(channel.sender)
            if sender is None or sender.protocol != "tcp" or channel.flow is None:
                continue
            for part in channel.parts[:_SENDS_LOOKED_AT]:
                left = next(iter(part.segments), None)
                left_ns = self.evidence.departure_ns(left)
                yield channel, self.timeline.call_of[part.call], left, left_ns

    @cached_property
    def drops_are_told(self) -> bool:
        """Whether the kernel said what it threw away, so that what it did not say, it did not."""
        instruments = self.timeline.recording.instruments
        return any(i.kind is InstrumentKind.DROPS and i.obtained is not None for i in instruments)

    def dropped_during(self, call: SystemCall) -> Iterator[DropNotice]:
        """What the kernel of the call's host threw away between its entry and its exit."""
        for notice in self.timeline.recording.trace.drops:
            is_there = notice.step == self.timeline.step and notice.host == call.host
            if is_there and call.entry_ns <= notice.time_ns <= (call.exit_ns or 0):
                yield notice

    def sockets(self, host: str, protocol: str) -> Iterator[Endpoint]:
        """A host's sockets of a protocol, "tcp" or "udp"."""
        for endpoint in self.timeline.endpoints:
            if endpoint.host == host and endpoint.protocol == protocol:
                yield endpoint

    def calls_on(self, endpoint: Endpoint, *names: str) -> Iterator[SystemCall]:
        """Its calls of these names that succeeded, in order."""
        for call in self.evidence.calls.on(endpoint.id):
            if call.name in names and not call.error:
                yield call

    def option_call(
        self, endpoint: Endpoint, option: Option, before_ns: int | None = None
    ) -> SystemCall | None:
        """The setsockopt(2) by which it has the option at a time, at last where that is None.

        An accepted socket has what its listener had when the handshake ended. Source: socket(7).
        """
        found = self._option_set(endpoint, option, before_ns)
        listener = self.timeline.endpoint_of.get(endpoint.listener)
        if found is not None or listener is None:
            return found
        for accepted in self.correlation.accepted:
            if endpoint.id in self.timeline.call_of[accepted.call].made:
                opened_ns = self.evidence.arrival_ns(accepted.ack)
                return self._option_set(listener, option, opened_ns)
        return None

    def _option_set(
        self, endpoint: Endpoint, option: Option, before_ns: int | None
    ) -> SystemCall | None:
        found = None
        for call in self.calls_on(endpoint, "setsockopt"):
            if call.option == option and (before_ns is None or call.entry_ns < before_ns):
                found = call
        return found

    def listen_call(self, endpoint: Endpoint) -> SystemCall | None:
        """The first listen(2) on it that succeeded."""
        return next(self.calls_on(endpoint, "listen"), None)

    def last_close(self, endpoint: Endpoint) -> SystemCall | None:
        """The last close(2) on it, whichever process made it."""
        return next(iter(reversed([*self.calls_on(endpoint, "close")])), None)

    def ended_ns(self, endpoint: Endpoint) -> int:
        """When it was gone: at its last close(2), or when the program ended."""
        closed = self.last_close(endpoint)
        if closed is not None:
            return closed.entry_ns
        ends = [run.ended_ns for run in self.timeline.programs if run.name == endpoint.program]
        return max(ends, default=0)

    @cached_property
    def carried(self) -> dict[int, tuple[TcpConversation, Segment]]:
        """By a crossing's number its segment, and the connection that it is of."""
        return {
            segment.crossing: (talk, segment)
            for talk in self.timeline.conversations
            for segment in talk.segments
        }

    @cached_property
    def dropped(self) -> dict[EventId, Dropped]:
        """By frame the notice that its receiver's kernel threw it away."""
        return {each.frame: each for each in self.timeline.drops}

    @cached_property
    def struck(self) -> dict[EventId, Struck]:
        """What wires did, by its id."""
        return {each.id: each for each in self.timeline.struck}

    def crossing(self, segment: Segment) -> Crossing:
        """The frame that carried a segment."""
        return self.timeline.crossing_of[segment.crossing]

    def side(self, talk: TcpConversation, is_client: bool) -> Endpoint | None:
        """The traced socket at one end of a connection; None where there is none."""
        return self.evidence.sides.get((talk.flow.id, is_client))

    def place_of(self, talk: TcpConversation, is_client: bool) -> SocketAddress:
        """The address of one end, as its own host has it."""
        first = talk.segments[0]
        ends = ends_of(talk.flow.crossings[0])
        if ends is None:
            return talk.flow.a if is_client else talk.flow.b
        return ends[0] if first.from_client == is_client else ends[1]

    def host_of(self, talk: TcpConversation, is_client: bool) -> str:
        """The host of one end."""
        first, segment = talk.flow.crossings[0], talk.segments[0]
        return first.sender if segment.from_client == is_client else first.receiver

    def departure_ns(self, segment: Segment) -> int:
        """When its host sent it, or when it was first seen."""
        crossing = self.crossing(segment)
        return crossing.time_ns if crossing.sent_ns is None else crossing.sent_ns

    def arrival_ns(self, segment: Segment) -> int | None:
        """When it reached the other host; None where it was not seen arriving."""
        return self.crossing(segment).received_ns

    def counted(self, host: str, *names: str) -> tuple[Counted, ...]:
        """Those of the counters that rose on the host."""
        counters = self.timeline.counters(host)
        found = ((name, counters[name]) for name in names)
        return tuple(Counted(host, name, change) for name, change in found if change)

    def failing(self, call: SystemCall) -> str:
        """A call that fails, for a sentence: "client#4 (sendto) fails with EPIPE".

        With the signal, where that ended its program. Source: signal(7), SIGPIPE.
        """
        run = next((each for each in self.timeline.programs if each.name == call.program), None)
        text = f"{named(call)} fails with {call.error}"
        if not call.error:
            text = f"SO_ERROR of {named(call)} is {_pending(call)}"
        if call.error == "EPIPE" and run is not None and run.exit_status == -_SIGPIPE:
            text += f", and the signal SIGPIPE, which comes with that, ends {call.program}"
        return text

    def failed_by(
        self, endpoint: Endpoint | None, after_ns: int | None, *errors: str
    ) -> SystemCall | None:
        """The first call on a socket that returned with one of these errors after a time.

        getsockopt(2) of SO_ERROR returns them as that option's value.
        """
        if endpoint is None or after_ns is None:
            return None
        for call in self.evidence.calls.on(endpoint.id):
            error = call.error or _pending(call)
            if error in errors and (call.exit_ns or 0) > after_ns:
                return call
        return None


def _pending(call: SystemCall) -> str:
    """The error that it asked its socket for; "" where there was none. Source: socket(7)."""
    if call.name != "getsockopt" or call.option != SO_ERROR or not call.option_value:
        return ""
    return error_name(call.option_value)


def named(call: SystemCall) -> str:
    """A call as sentences name it: "client#4 (connect)"."""
    return f"{call.id} ({call.title})"


def known_ids(*events: EventId | SystemCall | None) -> tuple[EventId, ...]:
    """The ids of those that there are, in order, each once."""
    found = (each if isinstance(each, EventId) else each.id for each in events if each)
    return tuple(dict.fromkeys(found))


def ms(duration_ns: int) -> str:
    """A duration for a sentence: "0.213 ms", "40 ms", "1.02 s"."""
    milliseconds = duration_ns / 1e6
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.2f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.3f} ms"
