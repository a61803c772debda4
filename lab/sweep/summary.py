"""A sweep's rows put together: for each combination of values, medians and their intervals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

from lab.frozen import frozen
from lab.sweep.median import MedianInterval, median_of
from lab.sweep.parameter import FAMILY, TRACE, Parameter, ParameterValue

SCENARIO = "scenario"
MEASURES = (
    "goodput_bps", "lasted_s", "handshake_s", "retransmissions", "lost", "frames", "wire_bytes",
    "payload_bytes", "took_s",
)  # fmt: skip
"""Columns of which there is a median."""


@frozen
class Combination:
    """What the runs of one combination of values came to."""

    values: Mapping[str, ParameterValue]
    """By column, what they have in common: the scenario, and a value of each parameter."""
    runs: int
    """How many there are."""
    not_made: int
    """How many of them could not be made; they are counted nowhere else."""
    outcomes: Mapping[str, int]
    """How many were HOLDS, BROKEN and UNDECIDED."""
    medians: Mapping[str, MedianInterval]
    """Of MEASURES, those that any run has."""


@frozen
class SweepSummary:
    """A sweep's combinations, in the order of their values."""

    parameters: Mapping[str, tuple[ParameterValue, ...]]
    """By column, the values: of the scenario first, then of each parameter."""
    combinations: tuple[Combination, ...]
    words: Mapping[str, str] = field(default_factory=dict)
    """By column, what a parameter is called with its unit, where it has one."""
    why_not_made: tuple[tuple[str, int], ...] = ()
    """Each reason for which runs could not be made, with how many of them; most of them first."""

    @property
    def varied(self) -> dict[str, tuple[ParameterValue, ...]]:
        """Those of the parameters that have several values."""
        return {name: values for name, values in self.parameters.items() if len(values) > 1}

    def differing(self, measures: Sequence[str]) -> list[str]:
        """Those of the measures whose medians are not all the same."""
        found = []
        for name in measures:
            medians = {c.medians[name].median for c in self.combinations if name in c.medians}
            if len(medians) > 1:
                found.append(name)
        return found


def summary_of(
    scenarios: Sequence[str], parameters: Sequence[Parameter], rows: Iterable[Mapping[str, Any]]
) -> SweepSummary:
    """The summary of rows as SweepStore has them; those with other values are left out."""
    columns: dict[str, tuple[ParameterValue, ...]] = {SCENARIO: tuple(scenarios)}
    columns |= {each.name: _as_in_rows(each) for each in parameters}
    found: defaultdict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    reasons: Counter[str] = Counter()
    for row in rows:
        values = tuple(row[name] for name in columns)
        if all(value in columns[name] for name, value in zip(columns, values, strict=True)):
            found[values].append({name: row[name] for name in ("outcome", *MEASURES)})
            if not row["outcome"]:
                reasons[row["failure"].partition("\n")[0]] += 1
    order = {name: {value: n for n, value in enumerate(v)} for name, v in columns.items()}
    ordered = sorted(
        found, key=lambda values: [order[n][v] for n, v in zip(columns, values, strict=True)]
    )
    combinations = [
        _combination(dict(zip(columns, values, strict=True)), found[values]) for values in ordered
    ]
    words = {each.name: each.words for each in parameters}
    return SweepSummary(columns, tuple(combinations), words, tuple(reasons.most_common()))


def _combination(
    values: Mapping[str, ParameterValue], rows: Sequence[Mapping[str, Any]]
) -> Combination:
    made = [row for row in rows if row["outcome"]]
    outcomes = dict.fromkeys(("HOLDS", "BROKEN", "UNDECIDED"), 0)
    for row in made:
        outcomes[row["outcome"]] += 1
    medians = {}
    for name in MEASURES:
        if measured := [row[name] for row in made if row[name] is not None]:
            medians[name] = median_of(measured)
    return Combination(values, len(rows), len(rows) - len(made), outcomes, medians)


def _as_in_rows(parameter: Parameter) -> tuple[ParameterValue, ...]:
    """Its values as its column has them: of one type."""
    values = parameter.values
    if parameter.name in (FAMILY, TRACE) or not any(isinstance(v, str) for v in values):
        return values
    return tuple(map(str, values))
