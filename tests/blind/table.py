"""The table of claim × instrument: in each cell what became of the claim, in every manner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from tests.blind.disturbance import Manner, Name
from tests.blind.matrix import Found, Trial

SIGNS = {
    Found.BLIND: "u",
    Found.KEPT: "=",
    Found.UNTELLABLE: "~",
    Found.WRONG: "!",
    Found.UNTRIED: "?",
}
UNTRIED = "·"
LEGEND = (
    "Of each instrument: gone, cut short, late, one field false. Of all trials the worst:",
    "u  undecided or skipped, always",
    "=  at least once decided as before: what decides it was not touched",
    "~  at least once decided otherwise, where nothing could have told",
    "!  decided wrongly, or by what was not there any more",
    "?  a recording has something of this, and nothing disturbed it",
    "·  no recording has anything of this to disturb",
)
_ORDER = list(Found)


class Table:
    """What trials found, a row for each claim and a column for each instrument."""

    def __init__(self) -> None:
        self.trials = 0
        self.untellable: Counter[str] = Counter()
        self.wrong: dict[tuple[str, Name, Manner, str], Trial] = {}
        self._worst: dict[str, dict[tuple[Name, Manner], Found]] = {}
        self._tried: set[str] = set()

    def add(self, trials: Iterable[Trial]) -> None:
        """Count trials in."""
        for trial in trials:
            self.trials += trial.found is not Found.UNTRIED
            at = trial.instrument, trial.manner
            self._count(trial.claim, at, trial.found)
            self._tried.add(trial.subject)
            if trial.found is Found.UNTELLABLE:
                self.untellable[trial.cannot_be_told] += 1
            if trial.found in (Found.WRONG, Found.UNTRIED):
                self.wrong.setdefault((trial.claim, *at, trial.what), trial)

    def merge(self, other: Table) -> None:
        """Count in what another counted."""
        self.trials += other.trials
        self.untellable += other.untellable
        self.wrong |= other.wrong
        self._tried |= other._tried
        for claim, cells in other._worst.items():
            for at, found in cells.items():
                self._count(claim, at, found)

    def _count(self, claim: str, at: tuple[Name, Manner], found: Found) -> None:
        cells = self._worst.setdefault(claim, {})
        cells[at] = max(cells.get(at, Found.BLIND), found, key=_ORDER.index)

    def cell(self, claim: str, name: Name) -> str:
        """Its signs, one for each manner."""
        cells = self._worst[claim]
        return "".join(
            SIGNS[cells[name, manner]] if (name, manner) in cells else UNTRIED for manner in Manner
        )

    def lines(self) -> Iterator[str]:
        """The table, what the signs say, and what went wrong."""
        yield from LEGEND
        yield ""
        wide = max(map(len, self._worst))
        columns = [(name, max(len(name), len(Manner))) for name in Name]
        yield " ".join([" " * wide, *(name.ljust(width) for name, width in columns)]).rstrip()
        for claim in self._worst:
            cells = [self.cell(claim, name).ljust(width) for name, width in columns]
            yield " ".join([claim.ljust(wide), *cells]).rstrip()
        yield ""
        for why, times in self.untellable.items():
            yield f"~ {why}: {times} trials"
        for trial in self.wrong.values():
            was, now = trial.before.outcome.value, trial.after.outcome.value
            said = f"{was}, then {now}: {trial.after.why}"
            if trial.found is Found.UNTRIED:
                yield f"? {trial.subject}: {trial.claim}, {trial.instrument}: {trial.what}"
                continue
            yield f"! {trial.subject}: {trial.claim}, {trial.instrument} ({trial.what}): {said}"
        yield (
            f"{len(self._worst)} claims, {len(self._tried)} runs, {self.trials} trials; "
            f"{len(self.wrong)} wrong"
        )
