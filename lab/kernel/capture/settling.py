"""When what was on its way to the rings is in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from lab.errors import KernelRefused


@contextmanager
def moving_about() -> Iterator[tuple[int, ...]]:
    """The CPUs that this process may use, for run_on(); in the end it may use them all again."""
    allowed = os.sched_getaffinity(0)
    try:
        yield tuple(sorted(allowed))
    finally:
        os.sched_setaffinity(0, allowed)


def run_on(cpu: int) -> None:
    """Run on that CPU from now on. Raises KernelRefused."""
    try:
        os.sched_setaffinity(0, {cpu})
    except OSError as error:
        raise KernelRefused(f"cannot use CPU {cpu}: {error.strerror}") from error


def settle() -> bool:
    """Run on every CPU for a moment; whether what was on its way to the rings is there then.

    The kernel copies a frame into a ring with bottom halves disabled, and does not let another
    process run on that CPU before it is done; but with PREEMPT_RT it does. And what happens on
    CPUs that this process may not use stays unknown.
    """
    with moving_about() as cpus:
        if len(cpus) < (os.cpu_count() or 1) or "PREEMPT_RT" in os.uname().version:
            return False
        for cpu in cpus:
            run_on(cpu)
    return True
