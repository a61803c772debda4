"""Why a datagram never left although its send succeeded: nobody answered who has the address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.neighbours import unanswered
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.analysis.sockets.socket_calls import is_send
from lab.model.address import SocketAddress
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.sockets.endpoint import Endpoint

_LATEST_NS = 1 << 63


def unsent_datagrams(facts: StepFacts) -> Iterator[Cause]:
    """The sends whose datagram waited for a neighbour that is not there. Source: arp(7)."""
    sent = {call.id for call in facts.sent_by.values()}
    for endpoint in facts.timeline.endpoints:
        if endpoint.protocol != "udp":
            continue
        for call in facts.evidence.calls.sends(endpoint.id):
            if call.id not in sent and is_send(call) and call.moved:
                cause = _waits(facts, endpoint, call)
                if cause is not None:
                    yield cause


def _waits(facts: StepFacts, endpoint: Endpoint, call: SystemCall) -> Cause | None:
    given = call.argument("dest_addr")
    target = endpoint.remote if given is None or given.address is None else given.address
    if not isinstance(target, SocketAddress):
        return None
    asked = [
        each
        for each in unanswered(facts, call.host, 0, _LATEST_NS)
        if each.target == target.address
    ]
    if not asked:
        return None
    return Cause(
        "no-neighbour",
        f"{named(call)} succeeds, and its datagram never leaves {call.host}: nobody on the link "
        f"answers who has {target.address}, which it asked {counted(len(asked), 'time')} (from "
        f"{asked[0].frame} on).",
        call.program,
        known_ids(call, *[each.frame for each in asked]),
        "arp(7); RFC 826" if target.address.version == 4 else "RFC 4861, 7.2.2",
        Surprise.ELSEWHERE,
    )
