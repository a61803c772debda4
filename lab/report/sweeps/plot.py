"""Medians over one parameter, a line for each value of another one, as SVG."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

from lab.errors import ExtraMissing, UsageError
from lab.invoker import invoking_ids
from lab.report.sweeps.wording import in_units, word_of
from lab.sweep.parameter import ParameterValue, file_name
from lab.sweep.summary import SCENARIO, Combination, SweepSummary

USUAL = ("goodput_bps", "lasted_s", "retransmissions")
"""What is plotted where nobody says what."""
MOST_PLOTS = 100
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's, distinct for most who are colour-blind, but for yellow, too light on white."""
_MARKS = "osD^v<>"
_INCHES = (6.4, 4.0)


def check_plotting() -> None:
    """Raise ExtraMissing where what draws is not installed."""
    try:
        with _own_cache():
            import matplotlib.figure  # noqa: F401
    except ImportError:
        raise ExtraMissing("plots are drawn by matplotlib", "sweep") from None


def sweep_plots(summary: SweepSummary, measures: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """By file name, an SVG of each measure; nothing where no parameter has several values.

    Of more than two parameters the others have one value in each file, which its name says. Raises
    UsageError where there would be too many files, ExtraMissing where what draws is not installed.
    """
    axes = _axes(summary)
    if not axes:
        return
    check_plotting()
    (x, lines), others = (*axes[:2], "")[:2], axes[2:]
    every = [summary.varied[name] for name in others]
    fixed = [dict(zip(others, values, strict=True)) for values in product(*every)]
    if len(fixed) * len(measures) > MOST_PLOTS:
        raise UsageError(
            f"{len(axes)} parameters make {len(fixed) * len(measures)} plots: {MOST_PLOTS} at most"
        )
    for measure in measures:
        for values in fixed:
            if drawn := _drawn(summary, measure, x, lines, values):
                said = "".join(f"-{name}={value}" for name, value in values.items())
                yield file_name(f"{measure}{said}.svg"), drawn


def _axes(summary: SweepSummary) -> list[str]:
    """Parameters with several values: first the one that goes from left to right."""
    varied = summary.varied
    numbers = [n for n, v in varied.items() if n != SCENARIO and _are_numbers(v)]
    first = next(iter(numbers), None) or next(iter([n for n in varied if n != SCENARIO]), None)
    first = first or next(iter(varied), None)
    return [] if first is None else [first, *(name for name in varied if name != first)]


def _are_numbers(values: Sequence[ParameterValue]) -> bool:
    return all(isinstance(value, int | float) for value in values)


def _drawn(
    summary: SweepSummary, measure: str, x: str, lines: str, fixed: Mapping[str, ParameterValue]
) -> bytes:
    """The SVG; b"" where no run has that measure."""
    chosen = [
        each
        for each in summary.combinations
        if measure in each.medians and all(each.values[n] == v for n, v in fixed.items())
    ]
    if not chosen:
        return b""
    with _own_cache():
        import matplotlib as mpl
        from matplotlib.figure import Figure

        # The same bytes for the same rows.
        settings = {"svg.hashsalt": "wirelab", "font.size": 10, "axes.grid": True,
                    "grid.color": "#dddddd", "axes.axisbelow": True}  # fmt: skip
        with mpl.rc_context(settings):
            figure = Figure(figsize=_INCHES, layout="constrained")
            axes = figure.add_subplot()
            _draw_lines(axes, chosen, measure, summary.varied[x], (x, lines))
            if lines:
                axes.legend(title=summary.words.get(lines, lines))
            counts = {each.medians[measure].count for each in chosen}
            runs = f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
            what = ", ".join([*_what_is_fixed(summary), *(f"{n} {v}" for n, v in fixed.items())])
            axes.set_title(f"{what}: median of {runs} runs, 95 % interval", fontsize=10)
            axes.set_xlabel(summary.words.get(x, x))
            axes.set_ylabel(word_of(measure))
            axes.set_ylim(bottom=0)
            with tempfile.TemporaryFile() as file:
                figure.savefig(file, format="svg", metadata={"Date": None})
                file.seek(0)
                return file.read()


def _what_is_fixed(summary: SweepSummary) -> list[str]:
    scenarios = summary.parameters[SCENARIO]
    return [str(scenarios[0])] if len(scenarios) == 1 else []


def _draw_lines(
    axes: Any,  # noqa: ANN401  matplotlib.axes.Axes
    chosen: Sequence[Combination],
    measure: str,
    values: Sequence[ParameterValue],
    names: tuple[str, str],
) -> None:
    x, lines = names
    is_numeric = _are_numbers(values)
    labels = list(dict.fromkeys(each.values[lines] for each in chosen)) if lines else [""]
    for number, label in enumerate(labels):
        of_line = [each for each in chosen if not lines or each.values[lines] == label]
        # Beside each other where there is no distance between values that it would falsify.
        aside = 0.0 if is_numeric else 0.08 * (number - (len(labels) - 1) / 2)
        places: list[float] = []
        for each in of_line:
            value = each.values[x]
            places.append(float(value) if is_numeric else values.index(value) + aside)
        medians = [each.medians[measure] for each in of_line]
        shown = [in_units(measure, each.median) for each in medians]
        below, above = (
            [
                0.0 if end is None else abs(in_units(measure, end) - at)
                for end, at in zip(ends, shown, strict=True)
            ]
            for ends in ([m.low for m in medians], [m.high for m in medians])
        )
        drawn = axes.errorbar(
            places, shown, yerr=[below, above], label=str(label), capsize=3, markersize=5,
            color=_COLOURS[number % len(_COLOURS)], marker=_MARKS[number % len(_MARKS)],
            linestyle="-" if is_numeric else "none",
        )  # fmt: skip
        drawn.lines[0].set_gid(f"medians-{number}")
    if not is_numeric:
        axes.set_xticks(range(len(values)), [str(value) for value in values])
        axes.set_xlim(-0.5, len(values) - 0.5)


@contextmanager
def _own_cache() -> Iterator[None]:
    """Have matplotlib keep its list of fonts for this block alone, where it is nobody's to keep.

    It writes to the user's home: under sudo root's file would be left there.
    """
    if os.environ.get("MPLCONFIGDIR") or invoking_ids() is None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="wirelab-fonts-") as folder:
        os.environ["MPLCONFIGDIR"] = str(Path(folder))
        try:
            yield
        finally:
            del os.environ["MPLCONFIGDIR"]
