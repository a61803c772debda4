"""A sweep's summary as CSV: a line for each combination of values."""

from __future__ import annotations

import csv
import io

from lab.sweep.summary import MEASURES, SweepSummary


def summary_csv(summary: SweepSummary) -> str:
    """The file's text. Each measure has three columns; a cell is empty where there is none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    measured = [name for name in MEASURES for _ in range(3)]
    ends = ["", "_low", "_high"] * len(MEASURES)
    counts = ["runs", "not_made", "holds", "broken", "undecided"]
    heads = [f"{name}{end}" for name, end in zip(measured, ends, strict=True)]
    writer.writerow([*summary.parameters, *counts, *heads])
    for each in summary.combinations:
        cells: list[object] = [*each.values.values(), each.runs, each.not_made]
        cells += each.outcomes.values()
        for name in MEASURES:
            median = each.medians.get(name)
            values = (median.median, median.low, median.high) if median else (None,) * 3
            cells += ["" if value is None else f"{value:.9g}" for value in values]
        writer.writerow(cells)
    return text.getvalue()
