"""What was seen in a trial of the sheet udp_transfer, for its checks and its misconceptions."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from udp_transfer_peers import HEADER, taken_apart

from lab.api import Seen, Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

PORT = 4242
FAR_PORT = 4343
PEERS_PORT = 5001
SILENT_PORT = 5002
SOON_S = 0.05
"""No timer of 100 ms ends before that, however busy the machine is: it may only be late."""


def said(seen: Seen, which: str) -> dict[str, Any]:
    """What one of the peers has returned: "receiving" or "sending"."""
    assert isinstance(seen.value, dict)
    found: dict[str, Any] = seen.value[which]
    return found


def came(seen: Seen) -> list[dict[str, Any]]:
    """The datagrams that the sender's peer has got."""
    found: list[dict[str, Any]] = said(seen, "receiving")["came"]
    return found


def step(seen: Seen, name: str) -> dict[str, Any]:
    """What the receiver's peer was answered. Raises AssertionError where it was not made."""
    for each in said(seen, "sending")["steps"]:
        if each["step"] == name:
            found: dict[str, Any] = each
            return found
    raise AssertionError("DATA 0 was sent, and nothing came back: its peer sent no more")


def delivered(seen: Seen, name: str) -> bytes:
    """What a receiver has written out."""
    return seen.program(name).output


def arrived(seen: Seen, port: int) -> set[bytes]:
    """What the server's host has got in datagrams to that UDP port, without their headers."""
    return {
        payload[HEADER.size :]
        for _, crossing, payload in _datagrams(seen)
        if crossing.sender == "client"
        and crossing.packet.udp.destination_port == port
        and crossing.received_ns is not None
    }


def ended(seen: Seen, name: str) -> str:
    """How a program has ended by itself: "0", "1", "signal 11"; "" if it did not."""
    run = seen.program(name)
    if run.stopped_ns is not None:
        return ""
    return str(run.exit_status) if run.exit_status >= 0 else f"signal {-run.exit_status}"


def sent_to(seen: Seen, port: int) -> list[tuple[tuple[int, int], dict[str, Any]]]:
    """What the client's host has sent to that UDP port: between when, in ns, and the datagram.

    The first of all may leave later than it is sent: it waits for its neighbour's address.
    """
    return [
        (timeline.sent_between(crossing), taken_apart(payload))
        for timeline, crossing, payload in _datagrams(seen)
        if crossing.sender == "client" and crossing.packet.udp.destination_port == port
    ]


def answered_from(seen: Seen, port: int) -> list[tuple[int, bytes]]:
    """What the server's host has sent from that UDP port: to which port, and what."""
    return [
        (crossing.packet.udp.destination_port, payload)
        for _, crossing, payload in _datagrams(seen)
        if crossing.sender == "server" and crossing.packet.udp.source_port == port
    ]


def too_soon(seen: Seen, port: int) -> int | None:
    """The number of a DATA that was sent again at once, with nothing between; None if none was."""
    for ((before_ns, _), one), ((_, after_ns), other) in pairwise(sent_to(seen, port)):
        if one["raw"] == other["raw"] and after_ns - before_ns < SOON_S * 1e9:
            return int(other["number"])
    return None


def _datagrams(seen: Seen) -> Iterator[tuple[Timeline, Any, bytes]]:
    for timeline in seen.run.timelines:
        for crossing in timeline.crossings:
            if crossing.packet.udp is not None:
                yield timeline, crossing, bytes(crossing.packet.payload)
