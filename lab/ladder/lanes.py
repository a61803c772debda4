"""Which lanes a step has, and in which of them everything stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import field

from lab.analysis.calls.address import socket_address
from lab.analysis.calls.system_call import SystemCall
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import Flow, FlowId, transport_endpoints
from lab.analysis.sockets.flow_ends import find_sides
from lab.analysis.timeline import Timeline
from lab.frozen import frozen
from lab.ladder.hops import hosts_with_a_part
from lab.ladder.model import Lane
from lab.model.address import EndpointAddress
from lab.model.family import Family
from lab.records import SocketState

LOOPBACK = "lo"


@frozen
class Placing:
    """A step's lanes, and the place in them of hosts, programs and sockets."""

    lanes: tuple[Lane, ...]
    hosts: Mapping[str, int]
    """Lanes by host."""
    programs: Mapping[str, int] = field(default_factory=dict)
    """Lanes by program, where the programs of one host have lanes of their own; else empty."""
    sockets: Mapping[tuple[bool, EndpointAddress | None], str] = field(default_factory=dict)
    """Programs by whether it is its socket's own address and that address, or else its peer's;
    empty where programs have no lanes of their own."""
    is_one_host: bool = False
    """Whether the lanes face each other on one host: its programs, or the two ends of its lo."""
    forward: Mapping[int, bool] = field(default_factory=dict)
    """By the number of a frame that never left its host, whether the flow's side that stands
    first sent it, where known."""

    def of_call(self, call: SystemCall) -> int:
        """The lane of the call's program."""
        return self.programs.get(call.program, self.of_host(call.host))

    def of_host(self, host: str) -> int:
        """The host's lane; the first if the host is unknown."""
        return self.hosts.get(host, 0)

    def of_state(self, state: SocketState, host: str) -> int:
        """The lane of a TCP socket's program, else that of its host."""
        if not self.sockets:
            return self.of_host(host)
        # A socket that is not bound yet has no port: its peer's address identifies it.
        is_bound = bool(state.local_port)
        end = (
            (state.local_address, state.local_port)
            if is_bound
            else (state.remote_address, state.remote_port)
        )
        program = self.sockets.get((is_bound, socket_address(*end)))
        return self.of_host(host) if program is None else self.programs[program]

    def of_frame(self, crossing: Crossing) -> tuple[int, int, bool]:
        """The lanes that a frame leaves and goes to, and whether it goes forward."""
        source = self.of_host(crossing.sender)
        if crossing.sender != crossing.receiver:
            target = self.of_host(crossing.receiver)
            return source, target, source < target
        is_forward = self.forward.get(crossing.number, True)
        if self.is_one_host:
            return (0, 1, True) if is_forward else (1, 0, False)
        return source, source, is_forward


def place(timeline: Timeline) -> Placing:
    """The lanes of a step: its hosts, in the order of the topology.

    Where all programs are on one host and talk to each other, the lanes are theirs: those that
    serve stand last. Where every frame stays on one host's lo, the lanes are its two ends.
    """
    hosts = _hosts(timeline)
    serving = _serving(timeline) if _is_between_programs_of_one_host(timeline) else frozenset()
    if serving:
        return _by_program(timeline, hosts, serving)
    of_host = {host: number for number, host in enumerate(hosts)}
    lanes = tuple(_host_lane(host, timeline) for host in hosts)
    is_forward = _left_first_side(timeline, {})
    looped = {crossing.sender for crossing in timeline.crossings}
    on_loopback = all(crossing.sender == crossing.receiver for crossing in timeline.crossings)
    if not looped or not on_loopback or len(hosts) > 2:
        return Placing(lanes, of_host, forward=is_forward)
    name = f"{', '.join(sorted(looped))}, on {LOOPBACK}"
    programs = [*(each.programs for each in lanes), ()][:2]
    ends = tuple(Lane(name, min(looped), (), each) for each in programs)
    return Placing(ends, of_host, is_one_host=True, forward=is_forward)


def lane_connections(timeline: Timeline, placing: Placing) -> dict[FlowId, str]:
    """The client's port by flow, of connections that share their lanes with another."""
    lanes_of = {
        each.flow.id: frozenset(placing.of_frame(each.flow.crossings[0])[:2])
        for each in timeline.conversations
    }
    counts = Counter(lanes_of.values())
    return {
        each.flow.id: str(each.flow.a.port)
        for each in timeline.conversations
        if counts[lanes_of[each.flow.id]] > 1
    }


def _hosts(timeline: Timeline) -> list[str]:
    """In the order of the topology, as its interfaces, its links' ends and its programs are.

    Of a network with switches or routers those alone that have a part in the step.
    """
    recording = timeline.recording
    interfaces = [seen.host for seen in recording.interfaces]
    points = [point.host for point in recording.points]
    every = dict.fromkeys([*interfaces, *points, *(run.host for run in timeline.programs)])
    parts = hosts_with_a_part(timeline) if recording.switches or recording.routers else frozenset()
    return [host for host in every if host in parts] if parts else list(every)


def _host_lane(host: str, timeline: Timeline) -> Lane:
    programs = tuple(run.name for run in timeline.programs if run.host == host)
    return Lane(host, host, _addresses(host, timeline), programs)


def _addresses(host: str, timeline: Timeline) -> tuple[str, ...]:
    """Those on links, of the version that the step's packets have."""
    packets = (crossing.packet.ip for crossing in timeline.crossings)
    ip = next((ip for ip in packets if ip is not None), None)
    family = timeline.recording.family or Family.IPV4
    version = family.value if ip is None else ip.source.version
    return tuple(
        str(address.ip)
        for seen in timeline.recording.interfaces
        if seen.host == host and seen.name != LOOPBACK
        for address in seen.addresses
        if address.version == version and not address.is_link_local
    )


def _by_program(timeline: Timeline, hosts: list[str], serving: frozenset[str]) -> Placing:
    """Two lanes of one host: the programs that serve, and before them the others."""
    host = timeline.programs[0].host
    names = [run.name for run in timeline.programs]
    groups = (
        tuple(name for name in names if name not in serving),
        tuple(name for name in names if name in serving),
    )
    sockets: dict[tuple[bool, EndpointAddress | None], str] = {}
    for endpoint in timeline.endpoints:
        for is_own, address in ((True, endpoint.local), (False, endpoint.remote)):
            if address is not None:
                sockets.setdefault((is_own, address), endpoint.program)
    programs = {name: number for number, group in enumerate(groups) for name in group}
    return Placing(
        tuple(Lane(f"{', '.join(group)}, on {host}", host, (), group) for group in groups),
        {each: int(each == hosts[-1] and len(hosts) > 1) for each in hosts},
        programs,
        sockets,
        is_one_host=True,
        forward=_left_first_side(timeline, programs),
    )


def _left_first_side(timeline: Timeline, programs: Mapping[str, int]) -> dict[int, bool]:
    """For frames that never left their host, whether the flow's side in the first lane sent them.

    That is the side whose program stands there, else the one that began the flow.
    """
    looped = [each for each in timeline.flows if _stays(each.crossings[0])]
    ends = find_sides(looped, timeline.endpoints) if programs else {}
    found: dict[int, bool] = {}
    for flow in looped:
        a, b = (ends.get((flow.id, is_a)) for is_a in (True, False))
        is_a_first = not programs[a.program] if a else bool(programs[b.program]) if b else True
        for crossing in flow.crossings:
            found[crossing.number] = _left_a(crossing, flow) is is_a_first
        for error in flow.errors:  # what they quote came from the side that began, as a rule
            found[error.number] = not is_a_first
    return found


def _stays(crossing: Crossing) -> bool:
    return crossing.sender == crossing.receiver


def _left_a(crossing: Crossing, flow: Flow) -> bool:
    ends = transport_endpoints(crossing.packet)
    return ends is not None and ends[0] == flow.a


def _is_between_programs_of_one_host(timeline: Timeline) -> bool:
    if len({run.host for run in timeline.programs}) != 1:
        return False
    program_of = {endpoint.id: endpoint.program for endpoint in timeline.endpoints}
    return any(
        program_of[endpoint.peer] != endpoint.program
        for endpoint in timeline.endpoints
        if endpoint.peer in program_of
    )


def _serving(timeline: Timeline) -> frozenset[str]:
    """The programs that listen, or else signalled that they were ready.

    Empty where all programs do, or none.
    """
    everyone = frozenset(run.name for run in timeline.programs)
    listening = frozenset(end.program for end in timeline.endpoints if end.listening)
    ready = frozenset(run.name for run in timeline.programs if run.ready_ns is not None)
    for some in (listening, ready):
        if some and some != everyone:
            return some
    return frozenset()
