"""Why bytes left late: a cork, or MSG_MORE, held a segment back that was not full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.calls.options import TCP_CORK
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.sockets.endpoint import Endpoint

_HELD_NS = 100_000_000
"""A cork that is drawn sooner does what it is for. Linux draws it after 200 ms (tcp(7))."""
_MSG_MORE = 0x8000


def corked(facts: StepFacts) -> Iterator[Cause]:
    """The sends whose bytes a cork held back for long."""
    for channel, call, left, left_ns in facts.tcp_sends():
        if call.exit_ns is None or left_ns is None or left_ns - call.exit_ns < _HELD_NS:
            continue
        sender = facts.timeline.endpoint_of[channel.sender]
        by, why = _held_by(facts, sender, call, left_ns)
        if by is None or facts.is_over(left_ns):
            continue
        yield Cause(
            "corked",
            f"The {counted(call.moved, 'byte')} of {named(call)} left "
            f"{ms(left_ns - call.exit_ns)} later ({left}): {why}. Then a segment that is not "
            "full is held back until it is, until the cork is drawn, or for 200 ms.",
            sender.program,
            known_ids(by, call, left),
            "tcp(7), TCP_CORK; send(2), MSG_MORE",
            Surprise.HIDDEN,
        )


def _held_by(
    facts: StepFacts, sender: Endpoint, call: SystemCall, left_ns: int
) -> tuple[SystemCall | None, str]:
    """What held a send's bytes back: an option, or the call's own flag."""
    if (call.number("flags") or 0) & _MSG_MORE:
        return call, "it says that more follows (MSG_MORE)"
    option = facts.option_call(sender, TCP_CORK, call.entry_ns)
    if option is None or not option.option_value:
        return None, ""
    drawn = facts.option_call(sender, TCP_CORK, left_ns)
    until = "" if drawn is option or drawn is None else f", until {drawn.id}"
    return option, f"TCP_CORK is set ({option.id}){until}"
