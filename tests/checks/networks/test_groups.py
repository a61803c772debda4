"""Claims of datagrams to several hosts, of recorded runs and with something otherwise."""

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

from lab.analysis.calls.transcript import PrintedCall
from lab.analysis.flows.crossing import Crossing
from lab.analysis.messages.membership import membership_of
from lab.analysis.packets.dissect import dissect
from lab.analysis.timeline import Timeline
from lab.checks.networks.groups import (
    asks_for_permission_first,
    goes_to_the_groups_hardware_address,
    is_flooded_without_snooping,
    is_not_forwarded_by_a_router,
    is_read_by_members_alone,
    reaches_everybody_on_the_link,
    reports_the_membership,
)
from lab.model.claim import Claim

BROADCAST = (
    asks_for_permission_first,
    reaches_everybody_on_the_link,
    is_not_forwarded_by_a_router,
)
MULTICAST = (
    reports_the_membership,
    goes_to_the_groups_hardware_address,
    is_flooded_without_snooping,
    is_read_by_members_alone,
)
OF = [
    *(("broadcast4", claim) for claim in BROADCAST),
    *((name, claim) for name in ("multicast4", "multicast6") for claim in MULTICAST),
]
GROUPS = pytest.mark.parametrize("name", ["multicast4", "multicast6"])
MESSAGES = (b"Is anybody there?\n", b"To all who are in it.\n")


def is_to_several(crossing: Crossing) -> bool:
    return crossing.packet.payload in MESSAGES


def otherwise(name: str, call: str, **change: object) -> Timeline:
    """Its programs' calls of that name have something else in them."""

    def edit(printed: PrintedCall) -> PrintedCall:
        return replace(printed, **change) if printed.name == call else printed  # type: ignore[arg-type]

    return printing(step_of(name), edit)


@pytest.mark.parametrize(("name", "claim"), OF)
def test_it_holds_of_a_recorded_run(name: str, claim: Claim) -> None:
    assert outcome(claim, step_of(name)) is HOLDS


@pytest.mark.parametrize(
    ("name", "claim"),
    [each for each in OF if each[1] not in (asks_for_permission_first, reports_the_membership)],
)
def test_where_nothing_was_sent_to_several_there_is_nothing_to_judge(
    name: str, claim: Claim
) -> None:
    assert outcome(claim, without(step_of(name), is_to_several)) is SKIPPED


def test_a_broadcast_that_needs_no_permission_or_gets_none_breaks_it() -> None:
    allowed = otherwise("broadcast4", "sendto", result=18, error="")
    assert outcome(asks_for_permission_first, allowed) is BROKEN
    other = printing(
        step_of("broadcast4"),
        lambda call: replace(call, error="EPERM") if call.error else call,
    )
    assert outcome(asks_for_permission_first, other) is BROKEN
    seen_less = without(step_of("broadcast4"), is_to_several)
    assert outcome(asks_for_permission_first, seen_less) is BROKEN
    silent = printing(step_of("broadcast4"), lambda _: None)
    assert outcome(asks_for_permission_first, silent) is UNDECIDED


@pytest.mark.parametrize("host", ["h2", "router"])
def test_who_does_not_get_it_breaks_the_broadcast(host: str) -> None:
    lost = edited(
        step_of("broadcast4"),
        lambda c: replace(c, received_ns=None) if is_to_several(c) and c.receiver == host else c,
    )
    assert outcome(reaches_everybody_on_the_link, lost) is BROKEN


@pytest.mark.parametrize("name", ["broadcast4", "multicast4", "multicast6"])
def test_another_hardware_address_breaks_it(name: str) -> None:
    def elsewhere(crossing: Crossing) -> Crossing:
        if not is_to_several(crossing):
            return crossing
        frame = crossing.packet.frame
        frame = replace(frame, data=bytes((2, 0, 0, 0, 0, 9)) + frame.data[6:])
        return replace(crossing, packet=dissect(frame))

    changed = edited(step_of(name), elsewhere)
    claims = (reaches_everybody_on_the_link, goes_to_the_groups_hardware_address)
    of_groups = SKIPPED if name == "broadcast4" else BROKEN
    assert [outcome(claim, changed) for claim in claims] == [BROKEN, of_groups]


def test_a_router_that_forwards_it_breaks_it() -> None:
    timeline = step_of("broadcast4")
    one = next(filter(is_to_several, timeline.crossings))
    beyond = replace(one, number=99, sender="router", receiver="far")
    forwarded = replace(timeline, crossings=(*timeline.crossings, beyond))
    assert outcome(is_not_forwarded_by_a_router, forwarded) is BROKEN
    read = otherwise("broadcast4", "recvfrom", arguments=(3, MESSAGES[0]))
    assert outcome(is_not_forwarded_by_a_router, read) is BROKEN


def test_where_nobody_beyond_can_be_reached_nothing_is_decided() -> None:
    away = without(step_of("broadcast4"), lambda c: c.receiver == "far")
    assert outcome(is_not_forwarded_by_a_router, away) is UNDECIDED


@GROUPS
def test_a_report_of_nobody_and_one_of_who_did_not_join_break_it(name: str) -> None:
    def is_report(crossing: Crossing) -> bool:
        return membership_of(crossing.packet) is not None

    quiet = without(step_of(name), is_report)
    assert outcome(reports_the_membership, quiet) is BROKEN
    strange = edited(
        step_of(name),
        lambda c: replace(c, sender="h4") if is_report(c) and c.sender == "h3" else c,
    )
    assert outcome(reports_the_membership, strange) is BROKEN
    timeline = step_of(name)
    one = next(filter(is_report, timeline.crossings))
    more = replace(timeline, crossings=(*timeline.crossings, replace(one, sender="h1")))
    assert outcome(reports_the_membership, more) is BROKEN
    silent = printing(timeline, lambda _: None)
    assert outcome(reports_the_membership, silent) is UNDECIDED


@GROUPS
def test_a_switch_that_leaves_somebody_out_breaks_the_flooding(name: str) -> None:
    missed = edited(
        step_of(name),
        lambda c: replace(c, received_ns=None) if is_to_several(c) and c.receiver == "h4" else c,
    )
    assert outcome(is_flooded_without_snooping, missed) is BROKEN


@GROUPS
def test_a_reader_who_did_not_join_and_a_member_who_reads_nothing_break_it(name: str) -> None:
    everybody = otherwise(name, "recvfrom", arguments=(3, MESSAGES[1]))
    assert outcome(is_read_by_members_alone, everybody) is BROKEN
    nobody = otherwise(name, "recvfrom", arguments=(3, b"This is for you alone.\n"))
    assert outcome(is_read_by_members_alone, nobody) is BROKEN
    silent = printing(step_of(name), lambda c: None if c.name == "setsockopt" else c)
    assert outcome(is_read_by_members_alone, silent) is BROKEN
