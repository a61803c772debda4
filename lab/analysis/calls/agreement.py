"""What a program printed of its calls, beside what a tracer saw of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.analysis.calls.printed_calls import SYSTEM_CALLS, pair_printed, system_calls_of
from lab.analysis.calls.transcript import READ_CALLS, SEND_CALLS
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.calls.transcript import PrintedCall

_TRANSFERS = tuple(
    frozenset(each for name in names for each in SYSTEM_CALLS.get(name, {name}))
    for names in (SEND_CALLS, READ_CALLS)
)


_MOST_MISSING = 20
"""So many are enough: what a program printed behind them is not compared."""


@frozen
class Agreement:
    """One program's printed calls, each with the traced one that it can be."""

    program: str
    pairs: tuple[tuple[PrintedCall, SystemCall], ...]
    """In order. A program need not print all of its calls."""
    untraced: tuple[tuple[PrintedCall, SystemCall | None], ...]
    """Printed calls that no traced one can be, each with the traced call in its place, which has
    its name and its descriptor; None where there is none."""
    unprinted: tuple[SystemCall, ...]
    """Traced calls that sent or read, or failed to, and were not printed, though the program
    printed others that did."""

    @property
    def prints_its_calls(self) -> bool:
        """Whether its output is a witness: any program may print lines that look like calls."""
        return bool(self.pairs)

    def why_untraced(self) -> str:
        """What was printed and not traced: the first call."""
        call = self.untraced[0][0]
        return f"{call.said}, and no such call was traced: one of the two is wrong"

    def why_unprinted(self) -> str:
        """What was traced and not printed: the first call."""
        call = self.unprinted[0]
        return (
            f"{self.program} did not print {call.text} = {call.returned}, which was traced: one of "
            "the two is wrong"
        )

    @property
    def is_whole(self) -> bool:
        """Whether two instruments say the same of all that it sent and read."""
        return self.prints_its_calls and not (self.untraced or self.unprinted)


def compare(
    program: str, printed: Sequence[PrintedCall], traced: Sequence[SystemCall]
) -> Agreement:
    """One program's calls as it printed them, and as they were traced."""
    places = {call.id: place for place, call in enumerate(traced)}
    pairs: list[tuple[PrintedCall, SystemCall]] = []
    missing: list[tuple[PrintedCall, int]] = []
    at = 0
    for call, same in pair_printed(printed, traced):
        if same is not None:
            pairs.append((call, same))
            at = places[same.id] + 1
            continue
        missing.append((call, at))
        if len(missing) == _MOST_MISSING:
            break
    found = {places[same.id] for _, same in pairs}
    untraced: list[tuple[PrintedCall, SystemCall | None]] = []
    for call, after in missing:
        until = next((place for place in range(after, len(traced)) if place in found), len(traced))
        instead = (each for each in traced[after:until] if _is_in_its_place(call, each))
        untraced.append((call, next(instead, None)))
    printed_names = {each.name for _, each in pairs}
    names = {name for names in _TRANSFERS if names & printed_names for name in names}
    is_all = len(missing) < _MOST_MISSING
    unprinted = tuple(
        each
        for place, each in enumerate(traced)
        if is_all and place not in found and each.name in names and each.result is not None
    )
    return Agreement(program, tuple(pairs), tuple(untraced), unprinted)


def _is_in_its_place(printed: PrintedCall, traced: SystemCall) -> bool:
    is_same = traced.name in system_calls_of(printed)
    return is_same and traced.descriptor == printed.argument(0)
