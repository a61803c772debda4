"""What the hosts' kernels counted: not read, not to the last step, or another number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lab.records import CountersSeen, Recording
from tests.blind.disturbance import Disturbed, Manner, Name, other_values, spread

MOST = 40
"""As many counters of each host are made false: those that claims ask for among them."""


def disturbed(recording: Recording) -> Iterator[Disturbed]:
    """All of them, the last steps, one host of one step, and one number at a time."""
    seen = recording.counters

    def put(seen: tuple[CountersSeen, ...]) -> Recording:
        return replace(recording, counters=seen)

    yield Disturbed(Name.NETSTAT, Manner.GONE, "not read", put(()))
    steps = list(dict.fromkeys(each.step for each in seen))
    left = steps[: len(steps) // 2]
    yield Disturbed(
        Name.NETSTAT,
        Manner.CUT,
        "not read in the last steps",
        put(tuple(each for each in seen if each.step in left)),
        frozenset(steps) - frozenset(left),
    )
    for place, each in enumerate(seen):
        before, after = seen[:place], seen[place + 1 :]
        where = f"{each.host} in {each.step}"
        yield Disturbed(Name.NETSTAT, Manner.FALSE, f"{where}: missing", put((*before, *after)))
        renamed = replace(each, host=each.host + "x")
        what = f"{where}: host"
        yield Disturbed(Name.NETSTAT, Manner.FALSE, what, put((*before, renamed, *after)))
        for _, (name, change) in spread(tuple(each.changes.items()), MOST):
            for value in (*other_values(change), 0):
                assert isinstance(value, int)
                others = replace(each, changes=each.changes | {name: value})
                what = f"{where}: {name} {value}"
                yield Disturbed(Name.NETSTAT, Manner.FALSE, what, put((*before, others, *after)))
