from __future__ import annotations

import csv
from dataclasses import replace

from summaries import summary

from lab.report.sweeps.csv_file import summary_csv
from lab.sweep.summary import MEASURES


def test_each_combination_is_a_line_with_medians_and_intervals() -> None:
    made = summary("loss=0,5", "congestion=reno,cubic")
    rows = list(csv.DictReader(summary_csv(made).splitlines()))
    assert [(row["loss"], row["congestion"]) for row in rows] == [
        ("0", "reno"),
        ("0", "cubic"),
        ("5", "reno"),
        ("5", "cubic"),
    ]
    first = rows[0]
    assert (first["scenario"], first["runs"], first["holds"]) == ("tcp", "7", "7")
    assert [first[f"lost{end}"] for end in ("", "_low", "_high")] == ["0.3", "0", "0.6"]
    assert len(first) == 3 + 5 + 3 * len(MEASURES)


def test_where_there_is_no_interval_and_no_median_cells_are_empty() -> None:
    few = summary("loss=0", runs=2)
    (row,) = csv.DictReader(summary_csv(few).splitlines())
    assert (row["lost"], row["lost_low"]) == ("0.05", "")
    (each,) = few.combinations
    bare = replace(few, combinations=(replace(each, medians={}),))
    (row,) = csv.DictReader(summary_csv(bare).splitlines())
    assert row["lost"] == row["took_s"] == ""
