"""Summaries of sweeps that nobody has run."""

from __future__ import annotations

from typing import Any

from lab.sweep.parameter import parameters_of
from lab.sweep.summary import MEASURES, SweepSummary, summary_of


def summary(*over: str, runs: int = 7, scenarios: tuple[str, ...] = ("tcp",)) -> SweepSummary:
    """Of rows whose measures grow with the places of their values."""
    parameters = parameters_of(over, {})
    rows: list[dict[str, Any]] = [{"scenario": name, "place": 0} for name in scenarios]
    for each in parameters:
        rows = [
            {**row, each.name: value, "place": row["place"] + place}
            for row in rows
            for place, value in enumerate(each.values)
        ]
    every = [
        {**row, "outcome": "HOLDS", **dict.fromkeys(MEASURES, row["place"] + n / 10)}
        for row in rows
        for n in range(runs)
    ]
    return summary_of(scenarios, parameters, every)
