"""The datagrams of UDP: each call that sent one, the crossing that carried it, and its reads."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.correlate.message_channel import MessageWay, Sent
from lab.analysis.correlate.messages import Messages, take_read
from lab.analysis.flows.flow import ends_of, transport_endpoints
from lab.analysis.sockets.flow_ends import is_a_side
from lab.analysis.sockets.socket_calls import by_message, moves_unknown
from lab.model.address import SocketAddress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.correlation import Channel
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow, FlowId
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.sockets.socket_calls import SocketCalls
    from lab.model.address import EndpointAddress


class _Datagram(NamedTuple):
    """A datagram that waits for the calls that sent and read it."""

    crossing: Crossing
    way: MessageWay
    sent: Sent
    source: SocketAddress
    destination: SocketAddress
    reached: SocketAddress
    """The destination as the receiver has it: other than that where a NAT is between."""


def udp_channels(
    flows: Iterable[Flow], endpoints: Iterable[Endpoint], calls: SocketCalls
) -> Iterator[Channel]:
    """Both ways of each UDP flow that a traced program had a part in.

    Sends of which nothing left and reads of what was not seen arriving are in the channel of
    their endpoint's only flow, or in one without a flow; so are sends to elsewhere.
    """
    udp = [endpoint for endpoint in endpoints if endpoint.protocol == "udp"]
    if udp:
        joiner = _Joiner([flow for flow in flows if flow.protocol == "udp"])
        sends = [(call, endpoint) for endpoint in udp for call in calls.sends(endpoint.id)]
        sends.sort(key=lambda each: each[0].entry_ns)
        reads = [(call, endpoint) for endpoint in udp for call in calls.reads(endpoint.id)]
        reads.sort(key=lambda each: each[0].exit_ns or 0)
        joiner.join_sends(_each(each for each in sends if not moves_unknown(each[0])))
        joiner.join_reads(_each(each for each in reads if not moves_unknown(each[0])))
        joiner.set_apart([each for each in sends if moves_unknown(each[0])], is_sender=True)
        joiner.set_apart([each for each in reads if moves_unknown(each[0])], is_sender=False)
        yield from joiner.channels()


def _each(calls: Iterable[tuple[SystemCall, Endpoint]]) -> Iterator[tuple[SystemCall, Endpoint]]:
    """The calls, once for each message that they moved."""
    return ((each, endpoint) for call, endpoint in calls for each in by_message([call]))


class _Joiner:
    """A step's datagrams while they are being joined."""

    def __init__(self, flows: Iterable[Flow]) -> None:
        self.flows = {flow.id: flow for flow in flows}
        self.ways: dict[tuple[FlowId | str, bool], MessageWay] = {}
        """By flow and whether its `a` sends; what has no flow by endpoint."""
        self.datagrams = [each for flow in self.flows.values() for each in self._datagrams(flow)]

    def _datagrams(self, flow: Flow) -> Iterator[_Datagram]:
        id = flow.id
        for crossing in flow.crossings:
            ends, as_sent = ends_of(crossing), transport_endpoints(crossing.packet)
            assert ends is not None, "a flow's packets have endpoints"
            assert as_sent is not None, "a flow's packets have endpoints"
            way = self.ways.setdefault((id, ends[0] == flow.a), MessageWay(id))
            sent = Sent(None, crossing.id, _length(crossing))
            way.messages.append(sent)
            yield _Datagram(crossing, way, sent, *as_sent, ends[1])

    def join_sends(self, sends: Iterable[tuple[SystemCall, Endpoint]]) -> None:
        left = [each for each in self.datagrams if each.crossing.sent_ns is not None]
        waiting: defaultdict[str, Messages[_Datagram]] = defaultdict(Messages)
        for each in sorted(left, key=lambda each: each.crossing.number):
            queue = waiting[each.crossing.sender]
            queue.add(_length(each.crossing), each.crossing.packet.payload, each)
        for call, endpoint in sends:
            destination = _destination(call, endpoint)
            fits = partial(_could_be, endpoint.local, destination)
            found = waiting[endpoint.host].take(call.moved, call.data, fits)
            if found is None:
                way = self._way_of(endpoint, True, destination)
                way.messages.append(Sent(call, None, call.moved))
            else:
                found.sent.call = call
                found.way.sender = found.way.sender or endpoint.id

    def join_reads(self, reads: Iterable[tuple[SystemCall, Endpoint]]) -> None:
        came = [each for each in self.datagrams if each.crossing.received_ns is not None]
        came.sort(key=attrgetter("crossing.received_ns", "crossing.number"))
        arrived: defaultdict[tuple[str, int | None], list[_Datagram]] = defaultdict(list)
        for each in came:
            for port in (None, each.reached.port):
                arrived[each.crossing.receiver, port].append(each)
        waiting: dict[str, Messages[_Datagram]] = {}
        for call, endpoint in reads:
            if endpoint.id not in waiting:
                here = arrived[endpoint.host, _port(endpoint.local)]
                waiting[endpoint.id] = _queue(here)
            found = take_read(waiting[endpoint.id], call)
            if found is None:
                self._way_of(endpoint, False).strays.append(call)
            else:
                found.sent.reads.append(call)
                found.way.receiver = found.way.receiver or endpoint.id

    def set_apart(self, several: Iterable[tuple[SystemCall, Endpoint]], *, is_sender: bool) -> None:
        """Mark the ways on which a call may have moved several datagrams at once.

        The socket is named where only one can have moved what no other call accounts for.
        """
        first = {endpoint.id: (call, endpoint) for call, endpoint in reversed([*several])}
        owners: defaultdict[MessageWay, set[str]] = defaultdict(set)
        for call, endpoint in first.values():
            moved = _may_have_sent if is_sender else _may_have_read
            for each in self.datagrams:
                if moved(call, endpoint, each):
                    each.way.uncounted = each.way.uncounted or call.id
                    owners[each.way].add(endpoint.id)
        for way, ids in owners.items():
            owner = ids.pop() if len(ids) == 1 else ""
            if is_sender:
                way.sender = way.sender or owner
            else:
                way.receiver = way.receiver or owner

    def _way_of(
        self, endpoint: Endpoint, is_sender: bool, destination: EndpointAddress | None = None
    ) -> MessageWay:
        """Where to put what no datagram is joined with; `destination` is None where unknown."""
        flow = self.flows.get(endpoint.flow) if endpoint.flow is not None else None
        if flow is not None and not any(_is_same(destination, end) for end in (flow.a, flow.b)):
            flow = None
        key: tuple[FlowId | str, bool] = (endpoint.id, is_sender)
        if flow is not None:
            key = (flow.id, is_a_side(endpoint, flow) == is_sender)
        way = self.ways.setdefault(key, MessageWay(None if flow is None else flow.id))
        if is_sender:
            way.sender = way.sender or endpoint.id
        else:
            way.receiver = way.receiver or endpoint.id
        return way

    def channels(self) -> Iterator[Channel]:
        arrived: defaultdict[int, int] = defaultdict(int)
        for each in self.datagrams:
            if each.crossing.received_ns is not None:
                arrived[id(each.way)] += _length(each.crossing)
        for way in self.ways.values():
            if way.sender or way.receiver:
                yield way.channel(arrived[id(way)])


def _could_be(
    local: EndpointAddress | None, destination: EndpointAddress | None, datagram: _Datagram
) -> bool:
    """Whether a datagram was sent from and to there; None is anywhere."""
    return _is_same_port(local, datagram.source) and _is_same(destination, datagram.destination)


def _may_have_sent(call: SystemCall, endpoint: Endpoint, datagram: _Datagram) -> bool:
    """Whether a call of sendmmsg(2) may have sent a datagram, or others of its way."""
    left_ns = datagram.crossing.sent_ns
    return (
        datagram.crossing.sender == endpoint.host
        and datagram.way.sender in ("", endpoint.id)
        and _could_be(endpoint.local, endpoint.remote, datagram)
        and left_ns is not None
        and call.entry_ns < left_ns
    )


def _may_have_read(call: SystemCall, endpoint: Endpoint, datagram: _Datagram) -> bool:
    """Whether a call of recvmmsg(2) may have read a datagram, or others of its way."""
    return (
        datagram.crossing.receiver == endpoint.host
        and datagram.way.receiver in ("", endpoint.id)
        and _is_same_port(endpoint.local, datagram.reached)
        and datagram.crossing.received_ns is not None
    )


def _queue(datagrams: Iterable[_Datagram]) -> Messages[_Datagram]:
    queue: Messages[_Datagram] = Messages()
    for each in datagrams:
        queue.add(_length(each.crossing), each.crossing.packet.payload, each)
    return queue


def _length(crossing: Crossing) -> int:
    udp = crossing.packet.udp
    assert udp is not None, "a UDP flow has datagrams only"
    return udp.payload_bytes


def _destination(call: SystemCall, endpoint: Endpoint) -> EndpointAddress | None:
    """Where the call sent to; None if unknown."""
    given = call.argument("dest_addr")
    return endpoint.remote if given is None or given.address is None else given.address


def _port(address: EndpointAddress | None) -> int | None:
    return address.port if isinstance(address, SocketAddress) else None


def _is_same_port(given: EndpointAddress | None, seen: SocketAddress) -> bool:
    return given is None or _port(given) == seen.port


def _is_same(given: EndpointAddress | None, seen: SocketAddress) -> bool:
    """Whether a socket's address may be a datagram's; of a wildcard only the port counts."""
    if isinstance(given, SocketAddress) and given.is_wildcard:
        return given.port == seen.port
    return given is None or given == seen
