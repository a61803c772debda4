"""Accept queues: how many connections waited in one, and which SYNs it was too full for."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.flows.bracket import FOREVER_NS
from lab.analysis.flows.flow import ends_of
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.sockets.facts import takes
from lab.analysis.sockets.held import full_accept_queue
from lab.model.event import frame_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.analysis.correlate.correlation import Correlation
    from lab.analysis.correlate.evidence import Evidence
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.model.address import SocketAddress
    from lab.model.event import EventId
    from lab.records import HeldSocket

_SYN, _ACK = int(TcpFlags.SYN), int(TcpFlags.ACK)


class IgnoredSyn(NamedTuple):
    """A SYN that met a full accept queue. Source: listen(2); Linux's sk_acceptq_is_full()."""

    syn: EventId
    waiting: int
    """The connections in the queue when it came: more than `limit`."""
    limit: int
    """As the kernel had it; as listen() was asked for it where the kernel was not seen."""
    seen_ns: int | None = None
    """When the kernel was asked for both; None where they follow from calls and frames."""


def ignored_by_full_queues(
    evidence: Evidence, correlation: Correlation, held: Sequence[HeldSocket] = ()
) -> Iterator[IgnoredSyn]:
    """The first SYNs that were not answered while more connections waited than listen() allows.

    `held` are the step's sockets as the kernel had them: what it was seen to have counts before
    what follows from calls.
    """
    ignored = [talk for talk in evidence.conversations.values() if _is_ignored(talk)]
    if not ignored:
        return
    came, taken = _moves(evidence, correlation)
    for talk in ignored:
        syn, place = frame_id(talk.segments[0].crossing), _server(talk)
        arrived_ns = evidence.arrival_ns(syn)
        if arrived_ns is None or place is None:
            continue
        host, until_ns = talk.flow.crossings[0].receiver, _answered_ns(evidence, talk)
        full = full_accept_queue(held, host, place, arrived_ns, until_ns)
        if full is not None:
            assert full.receive_queue is not None
            assert full.send_queue is not None
            yield IgnoredSyn(syn, full.receive_queue, full.send_queue, full.time_ns)
            continue
        backlog = _backlog(evidence, talk, place)
        if backlog is None:
            continue
        waiting = bisect_left(came[place], arrived_ns) - bisect_left(taken[place], arrived_ns)
        if waiting > backlog:
            yield IgnoredSyn(syn, waiting, backlog)


def _is_ignored(talk: TcpConversation) -> bool:
    """Whether its first segment is a SYN that nothing answered before it came again."""
    first, *others = talk.segments[:2]
    is_syn = bool(int(first.flags) & _SYN) and not int(first.flags) & _ACK
    return is_syn and all(each.from_client and int(each.flags) & _SYN for each in others)


def _answered_ns(evidence: Evidence, talk: TcpConversation) -> int:
    """When the first answer to it left; FOREVER_NS where there was none."""
    answers = (frame_id(each.crossing) for each in talk.segments if not each.from_client)
    left_ns = evidence.departure_ns(next(answers, None))
    return FOREVER_NS if left_ns is None else left_ns


def _moves(
    evidence: Evidence, correlation: Correlation
) -> tuple[defaultdict[SocketAddress, list[int]], defaultdict[SocketAddress, list[int]]]:
    """By a server's address when connections came to its queue, and when accept() took them."""
    came: defaultdict[SocketAddress, list[int]] = defaultdict(list)
    taken: defaultdict[SocketAddress, list[int]] = defaultdict(list)
    accepted = {each.flow: evidence.calls.by_id[each.call] for each in correlation.accepted}
    for talk in evidence.conversations.values():
        place = _server(talk)
        if place is None or talk.handshake is None:
            continue
        arrived_ns = evidence.arrival_ns(frame_id(talk.handshake.ack))
        if arrived_ns is None:
            continue
        came[place].append(arrived_ns)
        call = accepted.get(talk.flow.id)
        if call is not None and call.exit_ns is not None:
            taken[place].append(call.exit_ns)
    for times in (*came.values(), *taken.values()):
        times.sort()
    return came, taken


def _server(talk: TcpConversation) -> SocketAddress | None:
    ends = ends_of(talk.flow.crossings[0])
    return None if ends is None else ends[talk.segments[0].from_client]


def _backlog(evidence: Evidence, talk: TcpConversation, place: SocketAddress) -> int | None:
    """What listen() was called with for the socket that takes what comes to that address."""
    host = talk.flow.crossings[0].receiver
    for endpoint in evidence.endpoints.values():
        if endpoint.listening and endpoint.host == host and takes(endpoint.local, place):
            calls = evidence.calls.on(endpoint.id)
            return next((c.number("backlog") for c in calls if c.name == "listen"), None)
    return None
