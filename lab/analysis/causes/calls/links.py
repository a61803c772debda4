"""Why nothing leaves: the interface is down. Source: packet(7), ENETDOWN; ip-link(8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.causes.calls.why import MOVES
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.calls.why import Why


def _is_down(facts: StepFacts, call: SystemCall) -> Cause | None:
    """ENETDOWN; or ENETUNREACH, where a program of the run had set the interface down."""
    found = facts.link_down_at(call.host, call.entry_ns)
    socket = facts.timeline.endpoint_of.get(call.socket)
    is_said = call.error == "ENETDOWN" and socket is not None and socket.domain == "AF_PACKET"
    if found is None and not is_said:
        return None
    if found is None:
        why = f"the interface of {call.host} that its socket is bound to is down"
    else:
        why = f"{found.name} of {call.host} is down, as {named(found.down)} set it"
        if call.error == "ENETUNREACH":
            why += ", which takes the routes over it as well"
        if found.up is not None:
            why += f", until {named(found.up)} sets it up again"
    return Cause(
        "interface-down",
        f"{named(call)} fails with {call.error}, and nothing leaves: {why}.",
        call.program,
        known_ids(None if found is None else found.down, call, found.up if found else None),
        "packet(7), ENETDOWN; ip-link(8); rtnetlink(7)",
        Surprise.HIDDEN if found is None else Surprise.ELSEWHERE,
    )


WHY: dict[tuple[str, str], Why] = {
    (name, error): _is_down for name in ("connect", *MOVES) for error in ("ENETDOWN", "ENETUNREACH")
}
