"""Timelines assembled from a recording.

Apart from timeline.py because this dissects: a scenario can be loaded, and its run begun, before
what that needs is imported.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.analysis.calls.decode import decode, of_step
from lab.analysis.calls.epoll import machine_of
from lab.analysis.calls.lives import doubtful_lives
from lab.analysis.calls.transcript import parse_transcript
from lab.analysis.correlate.correlate import correlate
from lab.analysis.correlate.drops import find_untaken, join_drops
from lab.analysis.correlate.evidence import gather_evidence
from lab.analysis.correlate.kernel_states import with_kernel_states
from lab.analysis.flows.bracket import Bracket, find_brackets
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.crossings import join_crossings
from lab.analysis.flows.flow import group_flows
from lab.analysis.flows.journeys import join_journeys
from lab.analysis.flows.strikes import join_strikes, strike_doubts, unmatched
from lab.analysis.order.happens_before import order_events
from lab.analysis.packets.fragments import piece_of
from lab.analysis.remarks import find_remarks
from lab.analysis.sockets.endpoints import find_endpoints
from lab.analysis.sockets.held import held_of_step
from lab.analysis.sockets.states import select_states
from lab.analysis.sockets.unix_queues import find_queues
from lab.analysis.tcp.conversation import analyse_tcp
from lab.analysis.timeline import Timeline
from lab.model.counted import counted
from lab.records import Direction, InterfaceSeen, Recording
from lab.syscalls.descriptors import follow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.order.events import Order
    from lab.analysis.packets.packet import IPAddress

_NAMED = 3
"""One is enough to show that an instrument is broken."""


def build_timelines(recording: Recording) -> tuple[Timeline, ...]:
    """A timeline for each step of a recording; the same for the same recording, always.

    Crossings are numbered through, so that "f7" names one frame of the run.
    """
    timelines: list[Timeline] = []
    first = 1
    for bracket in find_brackets(recording):
        timelines.append(_build_timeline(recording, bracket, first))
        first += len(timelines[-1].crossings)
    return tuple(timelines)


def _build_timeline(recording: Recording, bracket: Bracket, first: int) -> Timeline:
    strikes = tuple(each for each in recording.wire_strikes if each.step == bracket.step)
    links = join_crossings(bracket.frames, recording.points, first, strikes)
    journeys = join_journeys(
        links,
        recording.switches,
        recording.routers,
        _owners(recording.interfaces),
        recording.nats,
        [each for each in recording.translations if each.step == bracket.step],
    )
    crossings = journeys.crossings
    # A run captures whole frames: one that is cut was damaged, and is no evidence of a flow.
    flows = tuple(flow for flow in group_flows(crossings) if flow.crossings)
    programs = tuple(run for run in recording.programs if run.step == bracket.step)
    trace = of_step(recording.trace, bracket.step)
    struck = join_strikes(strikes, recording.wire_rules, crossings)
    drops = join_drops(trace.drops, crossings, recording.points)
    untaken = find_untaken(drops)
    conversations = tuple(analyse_tcp(flow, untaken) for flow in flows if flow.protocol == "tcp")
    followed = follow(trace)
    system_calls = decode(trace, followed, programs, machine_of(recording.kernel))
    endpoints, owners = find_endpoints(trace, followed, system_calls, programs, flows)
    states = select_states(trace.states, owners, flows, endpoints)
    slack_ns = _slack_ns(recording)
    conversations = with_kernel_states(conversations, states, slack_ns)
    evidence = gather_evidence(
        crossings=crossings,
        flows=flows,
        conversations=conversations,
        system_calls=system_calls,
        endpoints=endpoints,
        states=states,
        queues=find_queues(trace, system_calls),
        drops=drops,
        struck=struck,
        held=held_of_step(recording, bracket.step),
        tasks=trace.tasks,
    )
    correlation = correlate(evidence)
    order = order_events(evidence, correlation, slack_ns)
    incomplete = (
        *bracket.incomplete,
        *_reversed(links),
        *_never_left(links, recording),
        *journeys.doubts,
        *_unseen(recording),
        *_faults(recording, order),
        *(_headers_cut(links) if bracket.cut else ()),
        *unmatched(recording.wire_rules, bracket.step),
        *doubtful_lives(trace),
        *strike_doubts(strikes, recording.wire_rules, bracket.step, links)[:_NAMED],
    )
    return Timeline(
        recording=recording,
        step=bracket.step,
        bracket=replace(bracket, incomplete=incomplete),
        crossings=crossings,
        flows=flows,
        conversations=conversations,
        programs=programs,
        calls={run.name: parse_transcript(run) for run in programs},
        system_calls=system_calls,
        endpoints=endpoints,
        states=evidence.states,
        drops=evidence.drops,
        struck=struck,
        queues=evidence.queues,
        order=order,
        correlation=replace(correlation, remarks=find_remarks(evidence, correlation)),
        sockets=tuple(seen for seen in recording.sockets if seen.step == bracket.step),
    )


def _owners(interfaces: Iterable[InterfaceSeen]) -> dict[IPAddress, str]:
    """The hosts by those of their addresses that no other host has."""
    return {
        address.ip: seen.host
        for seen in interfaces
        for address in seen.addresses
        if not (address.is_loopback or address.is_link_local)
    }


def _unseen(recording: Recording) -> list[str]:
    """Interfaces that were captured and not seen by the witness, where routers are joined by it.

    Whose an address is says which packets are for a router itself.
    """
    if not recording.routers:
        return []
    seen = {(each.host, each.name) for each in recording.interfaces}
    return [
        f"{point.name} was captured, and not seen among the interfaces"
        for point in recording.points
        if (point.host, point.interface) not in seen and point.host not in recording.switches
    ][:_NAMED]


def _slack_ns(recording: Recording) -> int:
    return max((each.slack_ns for each in recording.instruments), default=0)


def _faults(recording: Recording, order: Order) -> list[str]:
    """What makes the times of this step, or the calls of this run, doubtful."""
    faults = [f"instrument error: {each}" for each in order.violations[:_NAMED]]
    more = len(order.violations) - len(faults)
    if more:
        faults.append(f"instrument error: {counted(more, 'more effect')} seen before the cause")
    if recording.wire_lost:
        faults.append(f"a link's wire itself lost {counted(recording.wire_lost, 'frame')}")
    if recording.trace.lost:
        faults.append(f"the tracer lost {counted(recording.trace.lost, 'event')}")
    return faults


def _headers_cut(crossings: tuple[Crossing, ...]) -> list[str]:
    """Where not even the headers are known of frames that were cut, as was asked.

    So it is of fragments, whose datagram is not put together. What a wire did is unknown too:
    it names frames by all of their bytes (strike_doubts).
    """
    within = 0
    for packet in (crossing.packet for crossing in crossings if not crossing.is_plain):
        if packet.frame.wire_bytes > len(packet.frame.data):
            within += packet.malformed is not None or piece_of(packet) is not None
    return [f"{counted(within, 'frame')} cut within their headers"] if within else []


def _reversed(crossings: tuple[Crossing, ...]) -> list[str]:
    """Frames that arrived before they left: an error of the lab, or of who edited the recording."""
    arrived = {
        (crossing.receiver, crossing.data): crossing
        for crossing in reversed(crossings)
        if crossing.sent_ns is None and not crossing.is_made
    }
    found: list[str] = []
    for crossing in crossings if arrived else ():
        if not crossing.lost:
            continue
        before = arrived.get((crossing.receiver, crossing.data))
        if before is not None and before.number < crossing.number:
            found.append(
                f"a frame was seen arriving ({before.id}) before it left "
                f"({crossing.id}): these times cannot be trusted"
            )
    return found


def _never_left(crossings: tuple[Crossing, ...], recording: Recording) -> list[str]:
    """Frames that arrived and that nothing saw leaving, though their link's points were there.

    A link loses frames and makes none: one of its points is wrong. (What a program sends past
    the taps, packet(7), PACKET_QDISC_BYPASS, looks so as well, and is no better known.)
    """
    came = [each for each in crossings if each.sent_ns is None and not each.is_made]
    if not came:
        return []
    link_of = {point.name: point.link for point in recording.points}
    asked = {(link_of[each.packet.frame.point], each.data) for each in came}
    # One that left just before the opening canary came is no frame of the step. Each other of the
    # same bytes that left has arrived, or was lost in the step, and excuses none.
    left: Counter[tuple[str, bytes]] = Counter()
    for frame in recording.frames:
        if (key := (link_of[frame.point], frame.data)) in asked:
            left[key] += (frame.direction is Direction.OUT) - (frame.direction is Direction.IN)
    for each in crossings:
        if (key := (link_of[each.packet.frame.point], each.data)) in asked:
            left[key] += (each.sent_ns is None) - each.lost
    found: list[str] = []
    for crossing in came:
        frame = crossing.packet.frame
        link = link_of[frame.point]
        if left[link, frame.data] > 0:
            left[link, frame.data] -= 1
            continue
        others = [name for name in link_of if link_of[name] == link and name != frame.point]
        found.append(
            f"{crossing.id} was seen arriving at {frame.point} and not leaving "
            f"{' or '.join(others) or 'there'}: one of the two is wrong"
        )
    more = len(found) - _NAMED
    return found[:_NAMED] + ([f"{counted(more, 'more frame')} arrived so"] if more > 0 else [])
