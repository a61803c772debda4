"""Claims of TCP and a smaller link on its way, of recorded runs and with something otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from network_steps import BROKEN, HOLDS, UNDECIDED, outcome, printing, step_of
from timeline_edits import edited

from lab.analysis.calls.transcript import PrintedCall
from lab.analysis.flows.crossing import Crossing
from lab.analysis.packets.packet import Icmp, IPv4, Packet
from lab.analysis.timeline import Timeline
from lab.checks.networks.path_mtu import (
    counts_what_was_too_large,
    forbids_to_cut_it,
    is_told_nothing,
    knows_the_mtu,
    sends_less_once_told,
    times_out_again_and_again,
    tries_less_untold,
)
from lab.checks.networks.sizes import names_the_mtu
from lab.checks.networks.too_big import ip_bytes, too_big_messages
from lab.model.claim import Claim

NAMES = pytest.mark.parametrize("name", ["pmtu4", "pmtu6"])
TOLD = (names_the_mtu, sends_less_once_told, knows_the_mtu)
BLACK_HOLE = (is_told_nothing, times_out_again_and_again, tries_less_untold)
CLAIMS = [
    *(("told", claim) for claim in (*TOLD, forbids_to_cut_it, counts_what_was_too_large)),
    *(
        ("black-hole", claim)
        for claim in (*BLACK_HOLE, forbids_to_cut_it, counts_what_was_too_large)
    ),
]


def is_message(crossing: Crossing) -> bool:
    return crossing.packet.icmp is not None and bool(crossing.packet.icmp.quoted)


def is_copy(timeline: Timeline, crossing: Crossing) -> bool:
    """Whether it has bytes of the client's behind the first message."""
    first = too_big_messages(timeline)[0].number
    return crossing.sender == "client" and crossing.number > first and bool(crossing.packet.payload)


def naming(packet: Packet, mtu: int) -> Packet:
    layers = (replace(each, mtu=mtu) if isinstance(each, Icmp) else each for each in packet.layers)
    return replace(packet, layers=tuple(layers))


def arriving(crossing: Crossing) -> Crossing:
    return replace(crossing, received_ns=crossing.time_ns + 1000)


def asked(call: PrintedCall, option: str, value: int) -> PrintedCall:
    """A getsockopt() of that option that got another value."""
    if call.name != "getsockopt" or not str(call.argument(2)).endswith(option):
        return call
    return replace(call, arguments=(*call.arguments[:3], [value], *call.arguments[4:]))


@NAMES
@pytest.mark.parametrize(("step", "claim"), CLAIMS)
def test_it_holds_of_a_recorded_run(name: str, step: str, claim: Claim) -> None:
    assert outcome(claim, step_of(name, step)) is HOLDS


@NAMES
@pytest.mark.parametrize("claim", [*TOLD, *BLACK_HOLE])
def test_where_nothing_was_too_large_nothing_is_decided(name: str, claim: Claim) -> None:
    timeline = step_of(name, "told")
    whole = edited(
        timeline, lambda c: None if is_message(c) else arriving(c) if c.lost else c
    )  # fmt: skip
    assert outcome(claim, whole) is UNDECIDED


def test_a_segment_that_may_be_cut_breaks_it() -> None:
    def cuttable(crossing: Crossing) -> Crossing:
        layers = (
            replace(each, dont_fragment=False) if isinstance(each, IPv4) else each
            for each in crossing.packet.layers
        )
        return replace(crossing, packet=replace(crossing.packet, layers=tuple(layers)))

    assert outcome(forbids_to_cut_it, edited(step_of("pmtu4", "told"), cuttable)) is BROKEN


def test_a_fragment_breaks_it() -> None:
    six = step_of("fragments6", "allowed").crossings
    told = step_of("pmtu6", "told")
    cut = replace(told, crossings=(*told.crossings, *six))
    assert outcome(forbids_to_cut_it, cut) is BROKEN


@NAMES
def test_a_router_that_says_nothing_of_a_segment_breaks_it(name: str) -> None:
    timeline = step_of(name, "told")
    silent = edited(timeline, lambda c: None if is_message(c) else c)
    assert outcome(names_the_mtu, silent) is BROKEN


@NAMES
def test_copies_that_do_not_fit_or_do_not_come_break_it(name: str) -> None:
    timeline = step_of(name, "told")
    small = edited(
        timeline,
        lambda c: replace(c, packet=naming(c.packet, 1000)) if is_message(c) else c,
    )
    assert outcome(sends_less_once_told, small) is BROKEN
    none = edited(timeline, lambda c: None if is_copy(timeline, c) else c)
    assert outcome(sends_less_once_told, none) is BROKEN
    lost = edited(timeline, lambda c: replace(c, received_ns=None) if is_copy(timeline, c) else c)
    assert outcome(sends_less_once_told, lost) is BROKEN
    first = next(c.number for c in timeline.crossings if is_copy(timeline, c))
    half = edited(timeline, lambda c: None if c.number == first else c)
    assert outcome(sends_less_once_told, half) is BROKEN


@NAMES
def test_a_kernel_that_knows_another_mtu_breaks_it(name: str) -> None:
    timeline = step_of(name, "told")
    stays = printing(timeline, lambda call: asked(call, "MTU", 1500))
    assert outcome(knows_the_mtu, stays) is BROKEN
    as_before = printing(timeline, lambda call: asked(call, "TCP_MAXSEG", 1228))
    assert outcome(knows_the_mtu, as_before) is BROKEN
    silent = printing(timeline, lambda call: None if call.name == "getsockopt" else call)
    assert outcome(knows_the_mtu, silent) is UNDECIDED


@NAMES
def test_a_message_that_comes_or_an_mtu_that_changes_breaks_it(name: str) -> None:
    timeline = step_of(name, "black-hole")
    told = edited(timeline, lambda c: arriving(c) if is_message(c) else c)
    assert outcome(is_told_nothing, told) is BROKEN
    assert outcome(tries_less_untold, told) is UNDECIDED
    last = [
        call.id for calls in timeline.calls.values() for call in calls if call.name == "getsockopt"
    ][-2]
    changed = printing(timeline, lambda call: asked(call, "MTU", 1280) if call.id == last else call)
    assert outcome(is_told_nothing, changed) is BROKEN


@NAMES
def test_waits_that_do_not_double_break_it(name: str) -> None:
    timeline = step_of(name, "black-hole")
    last = [c.number for c in timeline.crossings if c.lost and c.sender == "client"][-1]

    def later(crossing: Crossing) -> Crossing:
        if crossing.number != last or crossing.sent_ns is None:
            return crossing
        return replace(crossing, sent_ns=crossing.sent_ns + 300_000_000)

    assert outcome(times_out_again_and_again, edited(timeline, later)) is BROKEN
    counters = tuple(
        replace(each, changes=each.changes | {"TcpExtTCPTimeouts": 7})
        for each in timeline.recording.counters
    )
    miscounted = replace(timeline, recording=replace(timeline.recording, counters=counters))
    assert outcome(times_out_again_and_again, miscounted) is UNDECIDED


@NAMES
def test_a_sender_that_never_tries_less_breaks_it(name: str) -> None:
    timeline = step_of(name, "black-hole")
    first = next(
        c.number
        for c in timeline.crossings
        if is_copy(timeline, c) and not c.lost and ip_bytes(c.packet) < 1280
    )
    none = edited(timeline, lambda c: None if c.number >= first else c)
    assert outcome(tries_less_untold, none) is BROKEN
    sysctls = tuple(
        replace(each, value="500") if each.name == "net.ipv4.tcp_base_mss" else each
        for each in timeline.recording.sysctls
    )
    other = replace(timeline, recording=replace(timeline.recording, sysctls=sysctls))
    assert outcome(tries_less_untold, other) is BROKEN
    unset = replace(timeline, recording=replace(timeline.recording, sysctls=()))
    assert outcome(tries_less_untold, unset) is UNDECIDED
