from __future__ import annotations

from dataclasses import replace

from summaries import summary

from lab.report.sweeps.terminal_table import draw_sweep
from lab.report.terminal.drawing.style import Style
from lab.sweep.summary import SweepSummary


def lines(made: SweepSummary) -> list[str]:
    return [text.plain for text in draw_sweep(made, Style(width=100, ascii_only=False))]


def test_each_combination_is_a_line_with_its_medians() -> None:
    head, first, second, note = lines(summary("loss=0,5", "congestion=reno"))
    assert head.split() == [
        "loss", "runs", "hold", "lasted,", "ms", "sent", "again", "goodput,", "kbit/s",
    ]  # fmt: skip
    assert first.split()[:6] == ["0", "7", "7", "300", "[0", "600]"]
    assert second.split()[0] == "5"
    assert "95 % intervals by order statistics" in note


def test_runs_that_could_not_be_made_are_said() -> None:
    made = summary("loss=0,5")
    first, second = made.combinations
    less = replace(made, combinations=(replace(first, not_made=2), replace(second, medians={})))
    assert "5 of 7" in lines(less)[1]
    assert lines(less)[2].split() == ["5", "7", "7"]


def test_a_sweep_without_parameters_has_a_line_by_its_scenario() -> None:
    assert lines(summary())[1].split()[0] == "tcp"


def test_a_long_summary_is_cut_where_a_file_has_the_rest() -> None:
    made = summary("loss=" + ",".join(map(str, range(99))))
    assert len(lines(made)) == 1 + 60 + 2
    assert "39 more are in summary.csv" in lines(made)[-1]
