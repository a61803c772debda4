from __future__ import annotations

import os
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from summaries import summary

from lab.errors import ExtraMissing, UsageError
from lab.report.sweeps.plot import check_plotting, sweep_plots
from lab.sweep.summary import SweepSummary

# Matplotlib asks fc-list once for the fonts that there are.
pytestmark = pytest.mark.programs

SVG = "{http://www.w3.org/2000/svg}"


def plots(made: SweepSummary, *measures: str) -> dict[str, bytes]:
    return dict(sweep_plots(made, measures or ("lasted_s",)))


def lines_in(svg: bytes) -> int:
    ids = [each.get("id", "") for each in ET.fromstring(svg).iter(f"{SVG}g")]
    return sum(name.startswith("medians-") for name in ids)


def test_one_parameter_is_a_line_and_two_are_a_line_for_each_value() -> None:
    (one,) = plots(summary("loss=0,1,5")).values()
    (two,) = plots(summary("loss=0,1,5", "congestion=reno,cubic,bbr")).values()
    assert (lines_in(one), lines_in(two)) == (1, 3)


def test_a_measure_is_a_file_and_further_parameters_are_more_of_them() -> None:
    made = summary("loss=0,1", "congestion=reno,cubic", "family=4,6")
    assert list(plots(made, "lasted_s", "lost")) == [
        "lasted_s-family=4.svg",
        "lasted_s-family=6.svg",
        "lost-family=4.svg",
        "lost-family=6.svg",
    ]


def test_a_file_name_has_no_strange_letters() -> None:
    made = summary("loss=0,1", "delay=0,1", "wire=none,a>b drop SYN 1")
    assert list(plots(made)) == ["lasted_s-wire=none.svg", "lasted_s-wire=a_b_drop_SYN_1.svg"]


def test_where_nothing_varies_there_is_no_plot() -> None:
    assert plots(summary("loss=5")) == {}
    assert plots(summary("loss=0,5", runs=0)) == {}


def test_words_are_drawn_beside_each_other_and_two_scenarios_as_lines() -> None:
    made = summary("congestion=reno,cubic", scenarios=("tcp", "nagle"))
    (drawn,) = plots(made).values()
    assert lines_in(drawn) == 2


def test_the_same_rows_are_the_same_bytes() -> None:
    made = summary("loss=0,1", "congestion=reno,cubic")
    assert plots(made) == plots(made)


def test_too_many_plots_are_refused() -> None:
    over = [f"net.ipv4.s{n}=" + ",".join(map(str, range(11))) for n in range(4)]
    made = SweepSummary({o.partition("=")[0]: tuple(range(11)) for o in over}, ())
    with pytest.raises(UsageError, match="121 plots: 100 at most"):
        plots(made)


def test_without_what_draws_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(
        ExtraMissing, match=r"matplotlib, which is not installed; to mend: \S+ -m pip"
    ):
        check_plotting()


def test_under_sudo_nothing_is_left_in_the_users_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", "1000")
    monkeypatch.setenv("SUDO_GID", "1000")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    assert plots(summary("loss=0,1"))
    assert [*tmp_path.iterdir()] == []
    assert "MPLCONFIGDIR" not in os.environ
