from __future__ import annotations

from dataclasses import replace
from functools import cache
from ipaddress import ip_address

import nat_packets as n
import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.crossings import join_crossings
from lab.analysis.flows.flow import group_flows
from lab.analysis.flows.journeys import join_journeys
from lab.analysis.timeline import Timeline
from lab.checks.networks.nat import (
    changes_one_end_alone,
    gives_each_its_own_port,
    keeps_the_unsolicited_out,
    shows_no_address_from_inside,
)
from lab.model.claim import Claim, Outcome, Verdict
from lab.records import CapturePoint, Direction, Frame

ALL = (
    changes_one_end_alone,
    gives_each_its_own_port,
    keeps_the_unsolicited_out,
    shows_no_address_from_inside,
)
HOLDS, BROKEN, UNDECIDED, SKIPPED = Outcome
VERSIONS = pytest.mark.parametrize("version", [4, 6])
POINTS = tuple(
    CapturePoint(f"{host}/{link}", host, link, link, 0, 0)
    for link, hosts in (("h1", ("h1", "nat")), ("h2", ("h2", "nat")), ("out", ("nat", "server")))
    for host in hosts
)


def over(start_ns: int, link: str, *ends: str, packet: bytes) -> list[Frame]:
    """A packet that takes 1 ns over a link."""
    data = n.framed(packet)
    return [
        Frame(start_ns + number, f"{host}/{link}", direction, data, len(data))
        for number, (host, direction) in enumerate(
            zip(ends, (Direction.OUT, Direction.IN), strict=True)
        )
    ]


def through(start_ns: int, host: str, inside: bytes, outside: bytes) -> list[Frame]:
    """From inside to the server."""
    return [
        *over(start_ns, host, host, "nat", packet=inside),
        *over(start_ns + 2, "out", "nat", "server", packet=outside),
    ]


def answered(start_ns: int, host: str, outside: bytes, inside: bytes) -> list[Frame]:
    return [
        *over(start_ns, "out", "server", "nat", packet=outside),
        *over(start_ns + 2, host, "nat", host, packet=inside),
    ]


@cache
def any_timeline() -> Timeline:
    (timeline,) = build_timelines(r.recorded(4))
    return timeline


def verdict(claim: Claim, version: int, *frames: list[Frame]) -> Verdict:
    """What it says of a step with these frames, of two clients, a NAT and a server."""
    links = join_crossings([frame for some in frames for frame in some], POINTS)
    addresses = (*n.CLIENTS[version], n.OUTSIDE[version], n.SERVER[version])
    owners = dict(zip(map(ip_address, addresses), ("h1", "h2", "nat", "server"), strict=True))
    crossings = join_journeys(links, (), ("nat",), owners, ("nat",)).crossings
    timeline = any_timeline()
    recording = replace(
        timeline.recording, nats=("nat",), routers=("nat",), outside=("nat/out",), points=POINTS
    )
    changed = replace(
        timeline, recording=recording, crossings=crossings, flows=group_flows(crossings)
    )
    found = claim.check(changed)
    assert isinstance(found, Verdict)
    return found


def parties(version: int) -> tuple[n.End, n.End, n.End, n.End, n.End]:
    """Two clients with one port, as whom they leave, and the server."""
    one, two = ((client, n.SAME) for client in n.CLIENTS[version])
    outer = n.OUTSIDE[version]
    return one, two, (outer, n.FIRST), (outer, n.SECOND), (n.SERVER[version], n.PORT)


def good(version: int) -> list[list[Frame]]:
    """Both clients ask and are answered; then a stranger writes to the first one's port."""
    one, two, first, second, server = parties(version)
    stranger = server[0], 9
    unsolicited = n.datagram(stranger, first, b"hello")
    return [
        through(10, "h1", n.datagram(one, server), n.datagram(first, server, ttl=63)),
        through(20, "h2", n.datagram(two, server), n.datagram(second, server, ttl=63)),
        answered(30, "h1", n.datagram(server, first), n.datagram(server, one, ttl=63)),
        answered(40, "h2", n.datagram(server, second), n.datagram(server, two, ttl=63)),
        over(50, "out", "server", "nat", packet=unsolicited),
        over(52, "out", "nat", "server", packet=n.unreachable(first[0], server[0], unsolicited)),
    ]


@VERSIONS
@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.name)
def test_what_a_nat_should_do_holds(claim: Claim, version: int) -> None:
    found = verdict(claim, version, *good(version))
    assert found.outcome is HOLDS
    assert found.evidence


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.name)
def test_where_nothing_was_translated_there_is_nothing_to_judge(claim: Claim) -> None:
    one = parties(4)[0]
    (packet,) = [over(10, "h1", "h1", "nat", packet=n.datagram(one, (n.OUTSIDE[4], 9)))]
    assert verdict(claim, 4, packet).outcome is SKIPPED


@VERSIONS
def test_a_connection_that_changes_its_port_at_the_nat_is_broken(version: int) -> None:
    one, _, first, second, server = parties(version)
    found = verdict(
        changes_one_end_alone,
        version,
        through(10, "h1", n.datagram(one, server), n.datagram(first, server, ttl=63)),
        through(20, "h1", n.datagram(one, server), n.datagram(second, server, ttl=63)),
    )
    assert found.outcome is BROKEN
    assert [event.number for event in found.evidence] == [1, 2]


@VERSIONS
def test_a_nat_that_changes_where_a_packet_goes_to_is_broken(version: int) -> None:
    one, _, first, _, server = parties(version)
    found = verdict(
        changes_one_end_alone,
        version,
        through(10, "h1", n.datagram(one, first), n.datagram(one, server, ttl=63)),
    )
    assert (found.outcome, found.why) == (BROKEN, "nat changed destination of f1")


@VERSIONS
def test_a_packet_that_came_to_a_nat_and_did_not_go_on_decides_nothing(version: int) -> None:
    one, _, _, _, server = parties(version)
    stopped = over(60, "h1", "h1", "nat", packet=n.datagram(one, server, b"gone"))
    found = verdict(changes_one_end_alone, version, *good(version), stopped)
    assert found.outcome is UNDECIDED


@VERSIONS
def test_two_that_are_given_one_port_are_broken(version: int) -> None:
    one, two, first, _, server = parties(version)
    found = verdict(
        gives_each_its_own_port,
        version,
        through(10, "h1", n.datagram(one, server), n.datagram(first, server, ttl=63)),
        through(20, "h2", n.datagram(two, server), n.datagram(first, server, ttl=63)),
    )
    assert found.outcome is BROKEN
    assert found.why.startswith("two have the same: ")


@VERSIONS
def test_one_client_alone_tells_nothing_of_two(version: int) -> None:
    assert verdict(gives_each_its_own_port, version, good(version)[0]).outcome is SKIPPED


@VERSIONS
def test_an_address_from_inside_that_is_seen_outside_is_broken(version: int) -> None:
    one, _, _, _, server = parties(version)
    leaked = n.datagram(one, server, b"leak")
    found = verdict(
        shows_no_address_from_inside,
        version,
        *good(version),
        through(60, "h1", leaked, n.datagram(one, server, b"leak", ttl=63)),
    )
    assert (found.outcome, found.why) == (BROKEN, f"{one[0]} is in f7 on out")


@VERSIONS
def test_one_that_an_error_quotes_is_seen_as_well(version: int) -> None:
    one, _, _, _, server = parties(version)
    error = n.unreachable(server[0], n.OUTSIDE[version], n.datagram(one, server))
    found = verdict(
        shows_no_address_from_inside,
        version,
        *good(version),
        over(60, "out", "server", "nat", packet=error),
    )
    assert found.outcome is BROKEN


@VERSIONS
def test_an_unsolicited_packet_that_is_delivered_is_broken(version: int) -> None:
    one, _, first, _, server = parties(version)
    stranger = server[0], 9
    delivered = answered(
        60,
        "h1",
        n.datagram(stranger, first, b"hello"),
        n.datagram(stranger, one, b"hello", ttl=63),
    )
    found = verdict(keeps_the_unsolicited_out, version, *good(version)[:4], delivered)
    assert found.outcome is BROKEN
    assert "which nat sent on to h1" in found.why


@VERSIONS
def test_what_comes_to_a_port_that_nobody_was_given_shows_nothing(version: int) -> None:
    _, _, first, _, server = parties(version)
    other = n.datagram((server[0], 9), (first[0], 9), b"hello")
    packet = over(60, "out", "server", "nat", packet=other)
    assert (
        verdict(keeps_the_unsolicited_out, version, *good(version)[:4], packet).outcome is SKIPPED
    )


@VERSIONS
@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.name)
def test_a_recorded_nat_does_as_it_should(claim: Claim, version: int) -> None:
    timelines = build_timelines(r.recording_of(f"nat{version}"))
    outcomes = [claim.check(timeline).outcome for timeline in timelines]
    assert set(outcomes) <= {HOLDS, SKIPPED}
    assert HOLDS in outcomes
