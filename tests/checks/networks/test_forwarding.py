from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.crossing import Crossing, Hop
from lab.analysis.packets.dissect import dissect
from lab.analysis.packets.packet import Packet
from lab.analysis.timeline import Timeline
from lab.checks.networks.forwarding import (
    changes_hardware_addresses_only,
    counts_the_ttl_down,
    floods_broadcasts_alone,
    forwards_frames_as_they_are,
)
from lab.model.claim import Claim, Outcome
from lab.records import Direction, Frame

ALL = (
    changes_hardware_addresses_only,
    counts_the_ttl_down,
    floods_broadcasts_alone,
    forwards_frames_as_they_are,
)
HOLDS, BROKEN, SKIPPED = Outcome.HOLDS, Outcome.BROKEN, Outcome.SKIPPED


def packet(
    source: int = 1, destination: int = 2, ttl: int = 64, text: bytes = b"text", host: int = 1
) -> Packet:
    """A datagram between two stations, from 198.18.0.1 to 198.18.1.2."""
    udp = struct.pack("!4H", 1000, 9, 8 + len(text), 0) + text
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 7, 0, ttl, 17, 0)
    head += bytes((198, 18, 0, host, 198, 18, 1, 2))
    to = b"\xff" * 6 if destination == 0xFF else bytes((2, 0, 0, 0, 0, destination))
    data = to + bytes((2, 0, 0, 0, 0, source)) + b"\x08\0" + head + udp
    return dissect(Frame(0, "a/eth0", Direction.OUT, data, len(data)))


def over(device: str, before: Packet, after: Packet) -> Crossing:
    hops = (Hop(before, "client", device, 10, 11), Hop(after, device, "server", 20, 21))
    return Crossing(1, before, "client", "server", 10, 21, hops)


def copy(of: Packet) -> Crossing:
    return Crossing(2, of, "s", "other", 20, 21)


def outcome(claim: Claim, *crossings: Crossing) -> Outcome:
    """What it says of a step in which r is a router and s a switch."""
    (timeline,) = build_timelines(r.recorded(4))
    recording = replace(timeline.recording, switches=("s",), routers=("r",))
    changed = replace(timeline, recording=recording, crossings=crossings)
    check: Callable[[Timeline], object] = claim.check
    verdict = check(changed)
    return verdict.outcome  # type: ignore[attr-defined, no-any-return]


ROUTED = over("r", packet(1, 3), packet(4, 2, ttl=63))
SWITCHED = over("s", packet(), packet())
BROADCAST = over("s", packet(destination=0xFF), packet(destination=0xFF))
BACK = Crossing(3, packet(2, 1), "server", "client", 1, 2)
"""From which the switch learns where the server is."""
FLOODED = copy(packet(destination=0xFF))


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.name)
def test_where_nothing_was_forwarded_there_is_nothing_to_judge(claim: Claim) -> None:
    assert outcome(claim, replace(SWITCHED, hops=())) is SKIPPED


@pytest.mark.parametrize(
    ("claim", "crossings"),
    [
        (counts_the_ttl_down, (ROUTED,)),
        (changes_hardware_addresses_only, (ROUTED,)),
        (forwards_frames_as_they_are, (SWITCHED,)),
        (floods_broadcasts_alone, (BROADCAST, FLOODED, SWITCHED)),
        # A frame for a host that has not sent yet is flooded as well.
        (floods_broadcasts_alone, (BROADCAST, FLOODED, SWITCHED, copy(packet()))),
    ],
)
def test_what_forwards_as_it_should_holds(claim: Claim, crossings: tuple[Crossing, ...]) -> None:
    assert outcome(claim, *crossings) is HOLDS


@pytest.mark.parametrize(
    ("claim", "crossings"),
    [
        (counts_the_ttl_down, (over("r", packet(1, 3), packet(4, 2, ttl=64)),)),
        (counts_the_ttl_down, (over("r", packet(1, 3), packet(4, 2, ttl=62)),)),
        (changes_hardware_addresses_only, (over("r", packet(1, 3), packet(1, 2)),)),
        (changes_hardware_addresses_only, (over("r", packet(1, 3), packet(4, 2, host=9)),)),
        (forwards_frames_as_they_are, (SWITCHED, copy(packet(text=b"gone")))),
        (floods_broadcasts_alone, (BACK, SWITCHED, copy(packet()), FLOODED)),
    ],
)
def test_what_forwards_otherwise_is_broken(claim: Claim, crossings: tuple[Crossing, ...]) -> None:
    assert outcome(claim, *crossings) is BROKEN


@pytest.mark.parametrize("crossings", [(BROADCAST, FLOODED), (SWITCHED,)])
def test_a_broadcast_alone_and_none_at_all_decide_nothing(crossings: tuple[Crossing, ...]) -> None:
    assert outcome(floods_broadcasts_alone, *crossings) is SKIPPED


def test_a_packet_that_a_router_does_not_send_on_as_it_was_decides_nothing() -> None:
    hops = (Hop(packet(1, 3), "client", "r", 10, 11),)
    stopped = Crossing(4, packet(1, 3), "client", "server", 10, None, hops)
    assert outcome(changes_hardware_addresses_only, ROUTED, stopped) is Outcome.UNDECIDED
