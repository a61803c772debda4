"""A process that has run on every CPU knows that what was on its way has come."""

from __future__ import annotations

import os

import pytest

from lab.errors import KernelRefused
from lab.kernel.capture import settling
from lab.kernel.capture.settling import moving_about, run_on, settle

pytestmark = pytest.mark.kernel


def test_it_has_run_on_every_cpu_and_may_use_them_all_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = os.sched_getaffinity(0)
    used = []

    def note(cpu: int) -> None:
        run_on(cpu)
        used.append(os.sched_getaffinity(0))

    monkeypatch.setattr(settling, "run_on", note)
    is_settled = settle()
    assert os.sched_getaffinity(0) == before
    if is_settled:
        assert used == [{cpu} for cpu in sorted(before)]


@pytest.mark.parametrize("what", ["a CPU is not this process's", "PREEMPT_RT"])
def test_where_that_shows_nothing_it_says_so(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    if what == "PREEMPT_RT":
        system = os.uname()
        real_time = os.uname_result((*system[:3], "#1 SMP PREEMPT_RT", system[4]))
        monkeypatch.setattr(os, "uname", lambda: real_time)
    else:
        more = len(os.sched_getaffinity(0)) + 1
        monkeypatch.setattr(os, "cpu_count", lambda: more)
    assert not settle()


def test_a_cpu_that_there_is_not_is_named() -> None:
    with moving_about() as cpus, pytest.raises(KernelRefused, match="cannot use CPU 1000: Invalid"):
        run_on(max(1000, *(cpu + 1 for cpu in cpus)))
