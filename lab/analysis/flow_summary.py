"""A flow of a capture file in a row of a table; and flows chosen by their names."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from lab.analysis.flows.flow import Flow, FlowId, transport_endpoints
from lab.analysis.tcp.segment import in_order
from lab.errors import UsageError
from lab.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.analysis.flows.crossing import Crossing, Protocol
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Note
    from lab.model.address import SocketAddress

Named = TypeVar("Named", Flow, FlowId)
"""A flow, or what it is called by."""

NO_FLOW = "none"
"""What frames of no flow are chosen by."""

_MOST_RANGES = 10


@frozen
class FlowSummary:
    """What a table says of a flow."""

    name: str
    """As it is asked for: "tcp:7" is tshark's tcp.stream 7."""
    protocol: Protocol
    a: SocketAddress
    """The side that began."""
    b: SocketAddress
    began_ns: int
    """Of its first frame, since 1970."""
    lasted_ns: int
    """From its first frame to its last."""
    frames: int
    """ICMP errors about it and fragments included."""
    bytes_there: int
    """Payload from `a` to `b`: of TCP each byte once, of UDP that of all datagrams."""
    bytes_back: int
    end: str
    """How a TCP conversation ended, as far as it was captured; "" of UDP."""
    notes: tuple[tuple[Note, int], ...]
    """How many segments are remarkable for what."""


class Choice(NamedTuple, Generic[Named]):
    """What of a file is to be drawn."""

    flows: tuple[Named, ...]
    others: bool
    """Whether frames of no flow are."""


def summarise(flow: Flow, conversation: TcpConversation | None) -> FlowSummary:
    """The flow's row; `conversation` is what it is as TCP."""
    frames = frames_of(flow)
    first, last = frames[0].time_ns, frames[-1].time_ns
    if conversation is None:
        there, back = _datagram_bytes(flow)
        end = ""
        notes: Counter[Note] = Counter()
    else:
        there = conversation.client_to_server.length
        back = conversation.server_to_client.length
        end = conversation.teardown.value
        notes = Counter(note for segment in conversation.segments for note in segment.notes)
    return FlowSummary(
        name_of(flow),
        flow.protocol,
        flow.a,
        flow.b,
        first,
        last - first,
        len(frames),
        there,
        back,
        end,
        tuple((note, notes[note]) for note in in_order(notes)),
    )


def frames_of(flow: Flow) -> list[Crossing]:
    """All that is drawn of a flow, in the order of the file."""
    every = (*flow.crossings, *flow.errors, *flow.parts)
    return sorted(every, key=lambda each: each.number)


def frames_of_none(crossings: Iterable[Crossing], flows: Iterable[Flow]) -> list[Crossing]:
    """The frames that belong to none of the flows."""
    in_flows = {each.number for flow in flows for each in frames_of(flow)}
    return [crossing for crossing in crossings if crossing.number not in in_flows]


def frames_shown(shown: int, every: int) -> str:
    """ "10", or "3 of 10" where not every frame is shown."""
    return str(every) if shown == every else f"{shown} of {every}"


def moment(time_ns: int) -> str:
    """A time since 1970 as date and time of day in UTC, to the microsecond."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest // 1000:06d}"


def name_of(flow: Flow | FlowId) -> str:
    """What a flow is asked for by: "tcp:7"."""
    return f"{flow.protocol}:{flow.number}"


def choose(names: Iterable[str], flows: Sequence[Named]) -> Choice[Named]:
    """The flows of these names, in the order of the file; `none` stands for frames of no flow.

    Raises UsageError for a name that no flow has, and says which there are.
    """
    wanted = set(names)
    known = {name_of(flow) for flow in flows}
    if unknown := sorted(wanted - known - {NO_FLOW}):
        there_are = _ranges(flows) or "none at all"
        raise UsageError(f"no flow {', '.join(unknown)} in this file; there are: {there_are}")
    return Choice(tuple(flow for flow in flows if name_of(flow) in wanted), NO_FLOW in wanted)


def _ranges(flows: Sequence[Flow | FlowId]) -> str:
    """Their names, as short as can be: "tcp:0 to tcp:6, udp:1"."""
    ranges: list[list[int]] = []
    protocols: list[str] = []
    for flow in sorted(flows, key=lambda each: (each.protocol, each.number)):
        if ranges and protocols[-1] == flow.protocol and ranges[-1][1] == flow.number - 1:
            ranges[-1][1] = flow.number
        else:
            ranges.append([flow.number, flow.number])
            protocols.append(flow.protocol)
    told = [
        f"{protocol}:{first}" + (f" to {protocol}:{last}" if last > first else "")
        for protocol, (first, last) in zip(protocols, ranges, strict=True)
    ]
    more = len(told) - _MOST_RANGES
    return ", ".join(told[:_MOST_RANGES]) + (f", and {more} more ranges" if more > 0 else "")


def _datagram_bytes(flow: Flow) -> tuple[int, int]:
    """Payload of its datagrams from `a` to `b`, and back."""
    there = back = 0
    for crossing in flow.crossings:
        udp = crossing.packet.udp
        ends = transport_endpoints(crossing.packet)
        if udp is None or ends is None:
            continue
        if ends[0] == flow.a:
            there += udp.payload_bytes
        else:
            back += udp.payload_bytes
    return there, back
