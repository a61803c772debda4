"""Claims of packets that die on their way, of a recorded run and with something otherwise."""

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

from lab.analysis.calls.transcript import PrintedCall, parse_transcript
from lab.analysis.flows.crossing import Crossing
from lab.checks.networks.traceroute import (
    answers_where_the_ttl_ends,
    is_answered_by_the_host,
    reads_the_error_queue,
)
from lab.model.claim import Claim

STEPS = pytest.mark.parametrize("step", ["by-hand", "scapy", "system"])
ALL = (answers_where_the_ttl_ends, is_answered_by_the_host)


def is_error(crossing: Crossing) -> bool:
    return crossing.packet.icmp is not None and bool(crossing.packet.icmp.quoted)


@STEPS
@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.name)
def test_it_holds_of_a_recorded_run(step: str, claim: Claim) -> None:
    assert outcome(claim, step_of("traceroute4", step)) is HOLDS


def test_what_the_program_read_of_its_error_queue_is_what_came() -> None:
    assert outcome(reads_the_error_queue, step_of("traceroute4", "by-hand")) is HOLDS
    silent = printing(step_of("traceroute4", "by-hand"), lambda _: None)
    assert outcome(reads_the_error_queue, silent) is UNDECIDED


@pytest.mark.parametrize("place", [3, 4, 5])
def test_an_error_from_elsewhere_than_read_breaks_it(place: int) -> None:
    def otherwise(call: PrintedCall) -> PrintedCall:
        if call.name != "recvmsg":
            return call
        words: list[object] = list(call.arguments)
        words[place] = "other"
        return replace(call, arguments=tuple(words))

    changed = printing(step_of("traceroute4", "by-hand"), otherwise)
    assert outcome(reads_the_error_queue, changed) is BROKEN


def test_an_error_that_no_packet_brought_breaks_the_error_queue() -> None:
    changed = without(step_of("traceroute4", "by-hand"), is_error)
    assert outcome(reads_the_error_queue, changed) is BROKEN


@STEPS
def test_a_router_that_keeps_silent_breaks_it(step: str) -> None:
    changed = without(step_of("traceroute4", step), is_error)
    assert outcome(answers_where_the_ttl_ends, changed) is BROKEN


@STEPS
def test_an_answer_of_somebody_else_breaks_it(step: str) -> None:
    def otherwise(crossing: Crossing) -> Crossing:
        is_answer = crossing.packet.icmp is not None and crossing.sender != "h1"
        return replace(crossing, sender="h9") if is_answer else crossing

    changed = edited(step_of("traceroute4", step), otherwise)
    assert outcome(answers_where_the_ttl_ends, changed) is BROKEN
    assert outcome(is_answered_by_the_host, changed) is BROKEN


@STEPS
def test_a_packet_that_goes_another_number_of_hops_breaks_it(step: str) -> None:
    def further(crossing: Crossing) -> Crossing:
        hops = crossing.hops
        return replace(crossing, hops=(*hops, hops[-1])) if crossing.lost else crossing

    changed = edited(step_of("traceroute4", step), further)
    assert outcome(answers_where_the_ttl_ends, changed) is BROKEN


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.name)
def test_without_probes_there_is_nothing_to_judge(claim: Claim) -> None:
    none = replace(step_of("traceroute4", "system"), crossings=())
    assert outcome(claim, none) is SKIPPED
    (run,) = none.programs
    lacking = replace(run, stdout="access('traceroute', X_OK) = -1 ENOENT\n")
    verdict = claim(replace(none, calls={run.name: parse_transcript(lacking)}))
    assert verdict.outcome is SKIPPED
    assert verdict.why == "there is no traceroute on this machine"
