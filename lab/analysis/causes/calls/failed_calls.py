"""The causes of a step's failed calls, by the call's name and its errno."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.calls import (
    addresses,
    bind,
    links,
    no_buffers,
    ports,
    rights,
    sizes,
    streams,
    unfinished,
    unix_names,
    unix_queues,
    unreachable,
)

if TYPE_CHECKING:
    from lab.analysis.causes.calls.why import Why
    from lab.analysis.causes.facts.cause import Cause
    from lab.analysis.causes.facts.step_facts import StepFacts

_FAMILIES = (
    *(
        bind.WHY,
        ports.WHY,
        addresses.WHY,
        rights.WHY,
        sizes.WHY,
        links.WHY,
        unreachable.WHY,
        no_buffers.WHY,
    ),
    *(streams.WHY, unfinished.WHY, unix_names.WHY, unix_queues.WHY),
)


def failed_calls(facts: StepFacts) -> Iterator[Cause]:
    """Why calls failed; of a call the first family's that knows."""
    for call in facts.timeline.system_calls:
        for explain in _WHY[call.name, call.error] if call.error else ():
            cause = explain(facts, call)
            if cause is not None:
                yield cause
                break


def _gathered() -> dict[tuple[str, str], tuple[Why, ...]]:
    found: defaultdict[tuple[str, str], tuple[Why, ...]] = defaultdict(tuple)
    for family in _FAMILIES:
        for key, why in family.items():
            found[key] += (why,)
    return found


_WHY = _gathered()
