"""Claims of datagrams too large for a link, of recorded runs and with something otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from network_steps import (
    BROKEN,
    HOLDS,
    SKIPPED,
    UNDECIDED,
    edited,
    outcome,
    printing,
    step_of,
    without,
)

from lab.analysis.flows.crossing import Crossing
from lab.analysis.packets.fragments import piece_of
from lab.analysis.packets.packet import Icmp, IPv4, Packet
from lab.checks.networks.sizes import (
    fragments_at_the_source,
    fragments_where_it_is_too_large,
    names_the_mtu,
    reads_it_whole,
    refuses_what_may_not_be_cut,
)
from lab.model.claim import Claim

NAMES = pytest.mark.parametrize("name", ["fragments4", "fragments6"])
ALLOWED = (fragments_where_it_is_too_large, fragments_at_the_source, reads_it_whole)
FORBIDDEN = (names_the_mtu, refuses_what_may_not_be_cut)
CLAIMS = [
    *(("allowed", claim) for claim in ALLOWED),
    *(("forbidden", claim) for claim in FORBIDDEN),
]


def is_error(crossing: Crossing) -> bool:
    return crossing.packet.icmp is not None and bool(crossing.packet.icmp.quoted)


def forbidding(packet: Packet) -> Packet:
    """The packet with DF set."""
    layers = tuple(
        replace(layer, dont_fragment=True) if isinstance(layer, IPv4) else layer
        for layer in packet.layers
    )
    return replace(packet, layers=layers)


def naming(packet: Packet, mtu: int) -> Packet:
    """The message with another MTU in it."""
    layers = tuple(
        replace(layer, mtu=mtu) if isinstance(layer, Icmp) else layer for layer in packet.layers
    )
    return replace(packet, layers=layers)


@NAMES
@pytest.mark.parametrize(("step", "claim"), CLAIMS)
def test_it_holds_of_a_recorded_run(name: str, step: str, claim: Claim) -> None:
    assert outcome(claim, step_of(name, step)) is HOLDS


def test_of_a_datagram_that_a_router_cut_there_is_one_journey() -> None:
    timeline = step_of("fragments4", "allowed")
    large = [each for each in timeline.crossings if len(each.packet.payload) == 1400]
    assert [(each.sender, each.receiver, each.lost) for each in large] == [
        ("client", "server", False)
    ] * 2
    assert [len(each.hops) for each in large] == [5, 5]
    (flow,) = timeline.flows
    assert len(flow.crossings) == 3 and not flow.parts


@NAMES
def test_where_no_datagram_was_seen_there_is_nothing_to_judge(name: str) -> None:
    none = replace(step_of(name, "allowed"), crossings=())
    assert outcome(fragments_where_it_is_too_large, none) is SKIPPED
    assert outcome(fragments_at_the_source, none) is SKIPPED
    assert outcome(reads_it_whole, none) is UNDECIDED
    assert outcome(names_the_mtu, none) is UNDECIDED


def test_a_router_that_cuts_what_it_may_not_breaks_it() -> None:
    forbidden = edited(
        step_of("fragments4", "allowed"),
        lambda c: replace(c, packet=forbidding(c.packet)),
    )
    assert outcome(fragments_where_it_is_too_large, forbidden) is BROKEN
    lost = edited(step_of("fragments4", "allowed"), lambda c: replace(c, received_ns=None))
    assert outcome(fragments_where_it_is_too_large, lost) is BROKEN
    uncut = without(step_of("fragments4", "allowed"), lambda c: len(c.hops) > 3)
    assert outcome(fragments_where_it_is_too_large, uncut) is UNDECIDED


def test_a_router_that_cuts_ipv6_breaks_it() -> None:
    def by_router(crossing: Crossing) -> Crossing:
        return replace(crossing, sender="r1") if piece_of(crossing.packet) else crossing

    changed = edited(step_of("fragments6", "allowed"), by_router)
    assert outcome(fragments_where_it_is_too_large, changed) is BROKEN


def test_a_source_that_cuts_before_it_is_told_or_where_it_need_not_breaks_it() -> None:
    untold = without(step_of("fragments6", "allowed"), is_error)
    assert outcome(fragments_at_the_source, untold) is BROKEN
    too_large = edited(
        step_of("fragments6", "allowed"),
        lambda c: replace(c, packet=naming(c.packet, 1000)) if is_error(c) else c,
    )
    assert outcome(fragments_at_the_source, too_large) is BROKEN
    six = next(c for c in step_of("fragments6", "allowed").crossings if piece_of(c.packet))
    four = step_of("fragments4", "allowed")
    cut = replace(four, crossings=(*four.crossings, six))
    assert outcome(fragments_at_the_source, cut) is BROKEN


@NAMES
def test_a_datagram_that_nobody_read_whole_breaks_it(name: str) -> None:
    unread = printing(
        step_of(name, "allowed"), lambda call: None if call.name == "recvfrom" else call
    )
    assert outcome(reads_it_whole, unread) is UNDECIDED
    less = printing(
        step_of(name, "allowed"),
        lambda call: replace(call, arguments=(3, b"1")) if call.name == "recvfrom" else call,
    )
    assert outcome(reads_it_whole, less) is BROKEN


@NAMES
def test_a_router_that_says_nothing_or_names_another_mtu_breaks_it(name: str) -> None:
    silent = without(step_of(name, "forbidden"), is_error)
    assert outcome(names_the_mtu, silent) is BROKEN
    large = edited(
        step_of(name, "forbidden"),
        lambda c: replace(c, packet=naming(c.packet, 1500)) if is_error(c) else c,
    )
    assert outcome(names_the_mtu, large) is BROKEN
    assert outcome(refuses_what_may_not_be_cut, large) is BROKEN
    assert outcome(refuses_what_may_not_be_cut, silent) is UNDECIDED


@NAMES
def test_a_kernel_that_does_not_refuse_breaks_it(name: str) -> None:
    granted = printing(
        step_of(name, "forbidden"),
        lambda call: replace(call, error="", result=1400) if call.error else call,
    )
    assert outcome(refuses_what_may_not_be_cut, granted) is BROKEN
    refused = next(
        call
        for printed in step_of(name, "forbidden").calls.values()
        for call in printed
        if call.error == "EMSGSIZE"
    )
    timeline = step_of(name, "forbidden")
    large = next(c for c in timeline.crossings if len(c.packet.payload) == 1400)
    sent_all_the_same = printing(
        timeline,
        lambda call: (
            replace(call, arguments=(3, large.packet.payload)) if call.id == refused.id else call
        ),
    )
    assert outcome(refuses_what_may_not_be_cut, sent_all_the_same) is BROKEN
    silent = printing(timeline, lambda _: None)
    assert outcome(refuses_what_may_not_be_cut, silent) is UNDECIDED
