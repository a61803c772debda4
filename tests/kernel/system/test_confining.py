from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from lab.errors import KernelRefused
from lab.kernel.system.confining import Start


def in_child(start: Start) -> int:
    child = os.fork()
    if child == 0:
        try:
            start.confine()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def refuse(message: str) -> Callable[[], None]:
    def confine() -> None:
        raise KernelRefused(message)

    return confine


def test_what_the_child_raises_is_raised_in_the_parent() -> None:
    start = Start(refuse("setns: EPERM"))
    assert in_child(start) == 1
    with pytest.raises(KernelRefused, match="cannot confine a program: setns: EPERM"):
        start.raise_failure()
    start.close()


def test_a_child_that_was_confined_has_no_failure() -> None:
    start = Start(lambda: None)
    assert in_child(start) == 0
    start.raise_failure()
    start.close()


def test_a_long_failure_does_not_block_the_child() -> None:
    start = Start(refuse("x" * (1 << 20)))
    assert in_child(start) == 1
    with pytest.raises(KernelRefused, match=r"x{4096}"):
        start.raise_failure()
    start.close()
