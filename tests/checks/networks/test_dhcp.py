"""Claims of a host that gets an address, of a recorded run and with something otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest
from network_steps import BROKEN, HOLDS, UNDECIDED, edited, outcome, step_of, without

from lab.analysis.flows.crossing import Crossing
from lab.analysis.messages.dhcp import DhcpMessage
from lab.analysis.messages.message import messages_of
from lab.analysis.packets.packet import Arp, Ethernet, IPv4, Payload, Udp
from lab.analysis.timeline import Timeline
from lab.checks.networks.dhcp import (
    asks_everybody_from_nowhere,
    gets_what_was_offered,
    is_known_by_its_hardware_address,
    speaks_from_its_new_address,
    takes_four_messages,
)
from lab.model.claim import Claim

CLAIMS = (
    asks_everybody_from_nowhere,
    takes_four_messages,
    is_known_by_its_hardware_address,
    gets_what_was_offered,
)
NUMBER, GIVEN, HARDWARE = 4, 16, 28
"""Places in a message: RFC 2131, 2."""


def lease() -> Timeline:
    return step_of("dhcp4", "lease")


def use() -> Timeline:
    return step_of("dhcp4", "use")


def kind(crossing: Crossing) -> int:
    """Its message's; 0 where it has none."""
    said = [each for each in messages_of(crossing.packet) if isinstance(each, DhcpMessage)]
    return said[0].kind if said else 0


def with_layer(crossing: Crossing, type_: type, **fields: Any) -> Crossing:
    layers = tuple(
        replace(each, **fields) if isinstance(each, type_) else each  # type: ignore[type-var]
        for each in crossing.packet.layers
    )
    return replace(crossing, packet=replace(crossing.packet, layers=layers))


def of_kind(wanted: int, change: Callable[[Crossing], Crossing | None]) -> Timeline:
    """The lease with another message of that kind."""
    return edited(lease(), lambda c: change(c) if kind(c) == wanted else c)


def saying(at: int, value: int) -> Callable[[Crossing], Crossing]:
    """Another byte in its message."""

    def change(crossing: Crossing) -> Crossing:
        data = bytearray(crossing.packet.payload)
        data[at] = value
        layers = tuple(
            Payload(each.offset, bytes(data)) if isinstance(each, Payload) else each
            for each in crossing.packet.layers
        )
        return replace(crossing, packet=replace(crossing.packet, layers=layers))

    return change


@pytest.mark.parametrize("claim", CLAIMS)
def test_it_holds_of_a_recorded_run(claim: Claim) -> None:
    assert outcome(claim, lease()) is HOLDS
    assert outcome(speaks_from_its_new_address, lease(), use()) is HOLDS


@pytest.mark.parametrize("claim", CLAIMS)
def test_without_a_message_nothing_is_decided(claim: Claim) -> None:
    assert outcome(claim, without(lease(), kind)) is UNDECIDED
    assert outcome(speaks_from_its_new_address, without(lease(), kind), use()) is UNDECIDED


@pytest.mark.parametrize(
    ("layer", "fields"),
    [
        (IPv4, {"source": IPv4Address("198.51.100.7")}),
        (IPv4, {"destination": IPv4Address("198.51.100.2")}),
        (Udp, {"source_port": 4000}),
        (Ethernet, {"destination": "02:00:00:00:02:01"}),
    ],
)
def test_who_asks_from_somewhere_or_somebody_alone_breaks_it(
    layer: type, fields: dict[str, Any]
) -> None:
    asked = of_kind(3, lambda c: with_layer(c, layer, **fields))
    if layer is Udp:
        # Port 4000 is none of DHCP's: the message is then none.
        assert outcome(takes_four_messages, asked) is BROKEN
    else:
        assert outcome(asks_everybody_from_nowhere, asked) is BROKEN


def test_messages_that_are_not_four_or_not_of_one_talk_break_it() -> None:
    assert outcome(takes_four_messages, of_kind(2, lambda _: None)) is BROKEN
    first = next(c.packet.payload[NUMBER] for c in lease().crossings if kind(c) == 5)
    assert outcome(takes_four_messages, of_kind(5, saying(NUMBER, first ^ 1))) is BROKEN
    lost = of_kind(5, lambda c: replace(c, received_ns=None))
    assert outcome(takes_four_messages, lost) is BROKEN
    nak = of_kind(5, saying(242, 6))
    assert outcome(takes_four_messages, nak) is BROKEN


def test_an_answer_about_another_or_to_one_alone_breaks_it() -> None:
    other = of_kind(5, saying(HARDWARE, 9))
    assert outcome(is_known_by_its_hardware_address, other) is BROKEN
    alone = of_kind(2, lambda c: with_layer(c, IPv4, destination=IPv4Address("198.51.100.100")))
    assert outcome(is_known_by_its_hardware_address, alone) is BROKEN


def test_who_gets_another_address_than_was_offered_breaks_it() -> None:
    assert outcome(gets_what_was_offered, of_kind(5, saying(GIVEN + 3, 7))) is BROKEN
    assert outcome(gets_what_was_offered, of_kind(3, lambda _: None)) is BROKEN
    elsewhere = of_kind(3, saying(254, 7))  # the last byte of the server's identifier
    assert outcome(gets_what_was_offered, elsewhere) is BROKEN


def test_who_speaks_from_it_too_early_or_never_breaks_it() -> None:
    (asked, *_) = [c for c in use().crossings if c.packet.udp]
    early = replace(lease(), crossings=(replace(asked, number=1), *lease().crossings))
    assert outcome(speaks_from_its_new_address, early, use()) is BROKEN
    claimed = edited(
        use(), lambda c: with_layer(c, Arp, sender=IPv4Address("198.51.100.100"))
    ).crossings[0]
    probed = replace(lease(), crossings=(replace(claimed, number=1), *lease().crossings))
    assert outcome(speaks_from_its_new_address, probed, use()) is BROKEN
    silent = without(use(), lambda c: c.packet.udp)
    assert outcome(speaks_from_its_new_address, lease(), silent) is BROKEN
    unanswered = without(use(), lambda c: c.packet.udp and c.sender == "server")
    assert outcome(speaks_from_its_new_address, lease(), unanswered) is BROKEN
    lost = edited(use(), lambda c: replace(c, received_ns=None) if c.sender == "server" else c)
    assert outcome(speaks_from_its_new_address, lease(), lost) is BROKEN
