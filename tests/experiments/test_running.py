"""The experiments at work: each shows the cause that it is for."""

from __future__ import annotations

import shutil

import pytest
from ad_hoc_run import TYPED
from house import ROOT

from lab.analysis.causes.find import find_causes
from lab.errors import MachineError
from lab.experiments.running import EXPERIMENTS, run_experiments

TOOLS = {"interface-down": "ip", "syn-filtered": "nft", "syn-refused-by-filter": "nft"}
DEPENDS = {"zerocopy-copied", "uid-not-mapped", "uid-mapped", "reset-reason"}
"""On the kernel's version, or on who runs them in which namespace."""


def test_no_two_are_for_one_cause() -> None:
    causes = [each.cause for each in EXPERIMENTS]
    assert len(set(causes)) == len(causes)


def test_what_is_typed_is_an_experiment_and_asked_for_by_a_test() -> None:
    causes = (ROOT / "tests/kernel/causes").glob("test_*.py")
    asked = "".join(path.read_text("utf-8") for path in causes)
    assert {each.cause for each in EXPERIMENTS} >= TYPED
    assert not [cause for cause in TYPED if f'"{cause}"' not in asked]


@pytest.mark.kernel
@pytest.mark.usefixtures("forked_sandboxes")
@pytest.mark.timeout(300)
def test_each_shows_its_cause() -> None:
    """Those that take seconds, and those that a machine may not show, are left to the site.

    Those of TYPED are run by the tests that ask for them.
    """
    wanted = [
        each
        for each in EXPERIMENTS
        if each.cause not in DEPENDS | TYPED
        and each.deadline_s == 4.0
        and shutil.which(TOOLS.get(each.cause, "sh"))
    ]
    assert len(wanted) + len(TYPED) > 40
    unshown = []
    for experiment, became in run_experiments(wanted, None):
        assert not isinstance(became, MachineError), became
        found = {cause.name for each in became.timelines for cause in find_causes(each)}
        if experiment.cause not in found:
            unshown.append((experiment.cause, found))
    assert unshown == []
