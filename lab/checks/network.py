"""Checks of what switches and routers do to the frames that they forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.packets.packet import Ethernet, IPv4
from lab.model.claim import Verdict, broken, claim, frame_ids, holds, skipped
from lab.model.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.analysis.flows.crossing import Crossing, Hop
    from lab.analysis.packets.packet import Packet
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

GROUP_BIT = 0x01


@claim(
    "A router counts the TTL (hop limit) down by one and keeps the payload.",
    source="RFC 1812, 5.3.1; RFC 8200, 3",
    name="ttl",
)
def counts_the_ttl_down(timeline: Timeline) -> Verdict:
    """Of every packet that a router forwarded, before and after it."""
    seen: list[int] = []
    for crossing, before, after in _forwarded(timeline, timeline.recording.routers):
        old, new = _lifetime(before.packet), _lifetime(after.packet)
        if old is None or new is None or new != old - 1:
            return broken(
                f"{after.sender} made {new} of {old} in {crossing.id}", frame_ids([crossing.number])
            )
        if before.packet.payload != after.packet.payload:
            return broken(
                f"{after.sender} changed the payload of {crossing.id}",
                frame_ids([crossing.number]),
            )
        seen.append(crossing.number)
    if not seen:
        return skipped("no packet was forwarded by a router")
    return holds(f"{counted(len(seen), 'packet')} forwarded so", frame_ids(dict.fromkeys(seen)))


@claim(
    "Hardware addresses change on each link; IP addresses stay the same.",
    source="RFC 1812, 2.2.3; RFC 826",
    name="addresses",
)
def changes_hardware_addresses_only(timeline: Timeline) -> Verdict:
    """What a router forwarded left it from its own address, to the next neighbour's."""
    seen: list[int] = []
    for crossing, before, after in _forwarded(timeline, timeline.recording.routers):
        old, new, one, other = (
            _ethernet(before.packet), _ethernet(after.packet), before.packet.ip, after.packet.ip
        )  # fmt: skip
        evidence = frame_ids([crossing.number])
        if old is None or new is None or one is None or other is None:
            return broken(f"{crossing.id} is no IP packet on Ethernet", evidence)
        if (one.source, one.destination) != (other.source, other.destination):
            return broken(f"{after.sender} changed the IP addresses of {crossing.id}", evidence)
        if {old.source, old.destination} & {new.source, new.destination}:
            return broken(f"{crossing.id} kept a hardware address at {after.sender}", evidence)
        seen.append(crossing.number)
    if not seen:
        return skipped("no packet was forwarded by a router")
    return holds(
        f"{counted(len(seen), 'packet')}: two other hardware addresses, the same IP addresses",
        frame_ids(dict.fromkeys(seen)),
    )


@claim(
    "A switch forwards a frame as it is, not a byte changed.",
    source="IEEE 802.1Q, 6.8; RFC 826",
    name="same-bytes",
)
def forwards_frames_as_they_are(timeline: Timeline) -> Verdict:
    """Of every frame that a switch forwarded, before and after it."""
    seen: list[int] = []
    for crossing, before, after in _forwarded(timeline, timeline.recording.switches):
        if before.packet.frame.data != after.packet.frame.data:
            return broken(f"{after.sender} changed {crossing.id}", frame_ids([crossing.number]))
        seen.append(crossing.number)
    if not seen:
        return skipped("no frame was forwarded by a switch")
    return holds(f"{counted(len(seen), 'frame')} with the same bytes", frame_ids(seen))


@claim(
    "A switch floods a broadcast, and sends what is for one host there alone.",
    source="IEEE 802.1Q, 8.6 and 8.7",
    name="floods",
)
def floods_broadcasts_alone(timeline: Timeline) -> Verdict:
    """Copies that a switch made, of what was sent to a group, and of what was not."""
    switches = timeline.recording.switches
    copies = [crossing for crossing in timeline.crossings if crossing.sender in switches]
    to_one = [each for each in copies if not _is_to_a_group(each.packet)]
    if to_one:
        return broken(f"{to_one[0].sender} sent a copy to {to_one[0].receiver}", _ids(to_one))
    forwarded = [
        crossing for crossing, _, _ in _forwarded(timeline, switches)
        if not _is_to_a_group(crossing.packet)
    ]  # fmt: skip
    if not copies or not forwarded:
        return skipped("no broadcast came to a switch, or nothing else did")
    return holds(
        f"a broadcast went on to {counted(len(copies), 'host')} that it was not about, and none of "
        f"{counted(len(forwarded), 'frame')} for one host did",
        _ids([*copies, *forwarded]),
    )


def _forwarded(timeline: Timeline, devices: Iterable[str]) -> Iterator[tuple[Crossing, Hop, Hop]]:
    """Each frame that one of the devices forwarded, and its links before and after that."""
    known = frozenset(devices)
    for crossing in timeline.crossings:
        for before, after in zip(crossing.hops, crossing.hops[1:], strict=False):
            if after.sender in known:
                yield crossing, before, after


def _lifetime(packet: Packet) -> int | None:
    ip = packet.ip
    return None if ip is None else ip.ttl if isinstance(ip, IPv4) else ip.hop_limit


def _ethernet(packet: Packet) -> Ethernet | None:
    layer = packet.layers[0] if packet.layers else None
    return layer if isinstance(layer, Ethernet) else None


def _is_to_a_group(packet: Packet) -> bool:
    """Whether a frame goes to several stations: broadcast or multicast. Source: IEEE 802, 8.2.2."""
    layer = _ethernet(packet)
    return layer is not None and bool(int(layer.destination[:2], 16) & GROUP_BIT)


def _ids(crossings: Iterable[Crossing]) -> tuple[EventId, ...]:
    return frame_ids(dict.fromkeys(crossing.number for crossing in crossings))
