"""The experiments at work: each shows the cause that it is for."""

from __future__ import annotations

import shutil

import pytest

from lab.analysis.causes.find import find_causes
from lab.errors import MachineError
from lab.experiments.running import EXPERIMENTS, run_experiments

TOOLS = {"interface-down": "ip", "syn-filtered": "nft", "syn-refused-by-filter": "nft"}
DEPENDS = {"zerocopy-copied", "uid-not-mapped", "uid-mapped", "reset-reason"}
"""On the kernel's version, or on who runs them in which namespace."""


def test_no_two_are_for_one_cause() -> None:
    causes = [each.cause for each in EXPERIMENTS]
    assert len(set(causes)) == len(causes)


@pytest.mark.kernel
@pytest.mark.timeout(300)
def test_each_shows_its_cause() -> None:
    """Those that take seconds, and those that a machine may not show, are left to the site."""
    wanted = [
        each
        for each in EXPERIMENTS
        if each.cause not in DEPENDS
        and each.deadline_s == 4.0
        and shutil.which(TOOLS.get(each.cause, "sh"))
    ]
    assert len(wanted) > 30
    unshown = []
    for experiment, became in run_experiments(wanted, None):
        assert not isinstance(became, MachineError), became
        found = {cause.name for each in became.timelines for cause in find_causes(each)}
        if experiment.cause not in found:
            unshown.append((experiment.cause, found))
    assert unshown == []
