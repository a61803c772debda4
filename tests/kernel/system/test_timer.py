"""A timer is readable from its moment on, and not before."""

from __future__ import annotations

import select
import time

import pytest

from lab.kernel.system.timer import Timer

pytestmark = pytest.mark.kernel
LONG_MS = 10_000


def wait(timer: Timer) -> None:
    poll = select.poll()
    poll.register(timer.fileno(), select.POLLIN)
    assert poll.poll(LONG_MS)


def test_it_is_readable_after_its_time() -> None:
    timer = Timer()
    before_ns = time.monotonic_ns()
    timer.set(3_000_000)
    wait(timer)
    assert time.monotonic_ns() - before_ns >= 3_000_000
    timer.set(0)
    wait(timer)
    timer.set(-5)
    wait(timer)
    timer.close()


def test_it_can_be_set_for_never() -> None:
    timer = Timer()
    timer.set(1)
    wait(timer)
    timer.set(None)
    poll = select.poll()
    poll.register(timer.fileno(), select.POLLIN)
    assert poll.poll(0) == []
    timer.close()
