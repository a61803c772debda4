"""Claims of a host with two links, of a recorded run and with something otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from network_steps import BROKEN, HOLDS, UNDECIDED, edited, outcome, printing, step_of

from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import group_flows
from lab.analysis.packets.packet import IPv4, Packet
from lab.analysis.timeline import Timeline
from lab.checks.networks.two_homed import (
    answers_by_its_own_way,
    goes_by_the_destination,
    has_the_address_of_its_way,
)

NAME = "two-homed4"


def chosen() -> Timeline:
    return step_of(NAME, "chosen")


def bound() -> Timeline:
    return step_of(NAME, "bound")


def grouped(timeline: Timeline) -> Timeline:
    return replace(timeline, flows=group_flows(timeline.crossings))


def is_from(crossing: Crossing, host: str) -> bool:
    return crossing.packet.udp is not None and crossing.sender == host


def by_another_way(crossing: Crossing) -> Crossing:
    """It went by the other router."""
    other = {"r1": "r2", "r2": "r1"}
    hops = [
        replace(
            hop,
            sender=other.get(hop.sender, hop.sender),
            receiver=other.get(hop.receiver, hop.receiver),
        )
        for hop in crossing.hops
    ]
    return replace(crossing, hops=tuple(hops))


def from_elsewhere(packet: Packet, address: str) -> Packet:
    """With another source."""
    layers = tuple(
        replace(layer, source=type(layer.source)(address)) if isinstance(layer, IPv4) else layer
        for layer in packet.layers
    )
    return replace(packet, layers=layers)


def test_all_hold_of_a_recorded_run() -> None:
    assert outcome(has_the_address_of_its_way, chosen()) is HOLDS
    assert outcome(goes_by_the_destination, chosen(), bound()) is HOLDS
    assert outcome(answers_by_its_own_way, bound()) is HOLDS


def test_an_address_of_the_other_interface_breaks_the_choice() -> None:
    assert outcome(has_the_address_of_its_way, bound()) is BROKEN


def test_one_interface_alone_decides_nothing() -> None:
    first = replace(chosen(), flows=chosen().flows[:1])
    assert outcome(has_the_address_of_its_way, first) is UNDECIDED


def test_another_way_than_before_breaks_the_destinations_claim() -> None:
    changed = edited(bound(), lambda c: by_another_way(c) if is_from(c, "home") else c)
    assert outcome(goes_by_the_destination, chosen(), grouped(changed)) is BROKEN


def test_where_every_address_is_its_interfaces_nothing_is_decided() -> None:
    assert outcome(goes_by_the_destination, chosen(), chosen()) is UNDECIDED
    assert outcome(answers_by_its_own_way, replace(bound(), flows=())) is UNDECIDED


def test_an_answer_that_comes_back_by_the_same_way_breaks_it() -> None:
    assert outcome(answers_by_its_own_way, chosen()) is BROKEN


@pytest.mark.parametrize("address", ["198.18.3.2", "198.18.0.9"])
def test_an_answer_from_another_address_breaks_it(address: str) -> None:
    changed = edited(
        bound(),
        lambda c: (
            replace(c, packet=from_elsewhere(c.packet, address)) if is_from(c, "server") else c
        ),
    )
    assert outcome(answers_by_its_own_way, changed) is BROKEN


def test_an_answer_that_is_gone_breaks_it_and_one_that_nobody_printed_does_not() -> None:
    gone = edited(bound(), lambda c: None if is_from(c, "server") else c)
    assert outcome(answers_by_its_own_way, gone) is BROKEN
    unread = printing(bound(), lambda call: None if call.name == "recvfrom" else call)
    assert outcome(answers_by_its_own_way, unread) is UNDECIDED
