"""A timer is readable from its moment on, and not before."""

from __future__ import annotations

import select
import time

import pytest

from lab.kernel.system.timer import Timer

pytestmark = pytest.mark.kernel
LONG_MS = 10_000


def waited_ns(timer: Timer) -> int:
    poll = select.poll()
    poll.register(timer.fileno(), select.POLLIN)
    before = time.monotonic_ns()
    assert poll.poll(LONG_MS)
    return time.monotonic_ns() - before


def test_it_is_readable_after_its_time() -> None:
    timer = Timer()
    timer.set(3_000_000)
    assert waited_ns(timer) >= 2_900_000
    timer.set(0)
    waited_ns(timer)
    timer.set(-5)
    waited_ns(timer)
    timer.close()


def test_it_can_be_set_for_never() -> None:
    timer = Timer()
    timer.set(1)
    waited_ns(timer)
    timer.set(None)
    poll = select.poll()
    poll.register(timer.fileno(), select.POLLIN)
    assert poll.poll(0) == []
    timer.close()
