"""The options of what runs something."""

from __future__ import annotations

import pytest

from lab.cli.words.options import make_parser
from lab.cli.words.running import MEASURES
from lab.sweep import summary


def test_those_of_a_run_are_read() -> None:
    words = ("run", "tcp", "udp", "--family", "both", "--port", "80", "--deadline", "2.5")
    options = make_parser(words).parse_args(words)
    assert options.names == ["tcp", "udp"]
    assert (options.family, options.port, options.deadline) == ("both", 80, 2.5)
    assert (options.out, options.trace, options.json) == ("runs", "auto", False)


@pytest.mark.parametrize(("command", "family"), [("scenarios", "both"), ("run", "4")])
def test_all_scenarios_are_of_both_families_where_a_run_is_of_one(
    command: str, family: str
) -> None:
    assert make_parser((command,)).parse_args((command,)).family == family


def test_a_sweep_has_plots_of_what_its_summary_has() -> None:
    assert MEASURES == summary.MEASURES
