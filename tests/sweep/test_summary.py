from __future__ import annotations

import random
from typing import Any

from lab.sweep.parameter import parameters_of
from lab.sweep.summary import MEASURES, SweepSummary, summary_of


def row(loss: int, congestion: str, **values: Any) -> dict[str, Any]:
    usual: dict[str, Any] = dict.fromkeys(MEASURES)
    return usual | {"scenario": "tcp", "loss": loss, "congestion": congestion,
                    "outcome": "HOLDS", "failure": "", "lasted_s": 1.0} | values  # fmt: skip


PARAMETERS = parameters_of(["loss=5,0", "congestion=reno,cubic"], {})


def summed(rows: list[dict[str, Any]]) -> SweepSummary:
    return summary_of(("tcp",), PARAMETERS, rows)


def test_combinations_come_in_the_order_in_which_their_values_were_given() -> None:
    rows = [row(loss, name) for loss in (0, 5) for name in ("cubic", "reno")]
    random.Random(1).shuffle(rows)
    summary = summed(rows)
    assert [(c.values["loss"], c.values["congestion"]) for c in summary.combinations] == [
        (5, "reno"),
        (5, "cubic"),
        (0, "reno"),
        (0, "cubic"),
    ]
    assert list(summary.varied) == ["loss", "congestion"]


def test_runs_are_counted_by_outcome_and_those_not_made_apart() -> None:
    (each,) = summed(
        [row(0, "reno"), row(0, "reno", outcome="BROKEN", lasted_s=3.0),
         row(0, "reno", outcome="UNDECIDED", lasted_s=None), row(0, "reno", outcome=None)]
    ).combinations  # fmt: skip
    assert (each.runs, each.not_made) == (4, 1)
    assert each.outcomes == {"HOLDS": 1, "BROKEN": 1, "UNDECIDED": 1}
    assert each.medians["lasted_s"].median == 2.0
    assert each.medians["lasted_s"].count == 2
    assert "goodput_bps" not in each.medians


def test_reasons_for_which_runs_were_not_made_are_counted() -> None:
    rows = [
        row(0, "reno", outcome=None, failure="rare"),
        *(row(0, "reno", outcome=None, failure="often") for _ in range(3)),
        row(0, "reno", failure="the client failed"),
        row(7, "reno", outcome=None, failure="of other values"),
    ]
    assert summed(rows).why_not_made == (("often", 3), ("rare", 1))


def test_rows_of_other_values_are_left_out() -> None:
    # Of a sweep that had them before; they stay in the table.
    summary = summed([row(0, "reno"), row(7, "reno"), row(0, "bbr")])
    assert sum(each.runs for each in summary.combinations) == 1


def test_a_column_of_texts_and_numbers_is_one_of_texts() -> None:
    (mixed,) = parameters_of(["delay=5,1s"], {})
    rows = [
        {k: v for k, v in row(0, "reno").items() if k != "loss"} | {"delay": d} for d in ("5", "1s")
    ]
    summary = summary_of(("tcp",), [mixed], rows)
    assert [each.values["delay"] for each in summary.combinations] == ["5", "1s"]


def test_what_does_not_differ_is_not_plotted_unasked() -> None:
    rows = [row(0, "reno", retransmissions=0), row(5, "reno", retransmissions=0, lasted_s=2.0)]
    assert summed(rows).differing(["lasted_s", "retransmissions", "lost"]) == ["lasted_s"]
