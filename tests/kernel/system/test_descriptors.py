"""A forked process leaves all descriptors but those that it wants."""

from __future__ import annotations

import os

import pytest

from lab.kernel.system.descriptors import leave_descriptors_but

pytestmark = pytest.mark.kernel


def test_only_those_wanted_stay_open() -> None:
    reader, writer = os.pipe()
    others = [os.open("/dev/null", os.O_RDONLY) for _ in range(5)]
    wanted = others[2]
    if (pid := os.fork()) == 0:
        leave_descriptors_but({writer, wanted})
        left = [number for number in range(3, 200) if _is_open(number)]
        os.write(writer, repr(left).encode())
        os._exit(0)
    os.close(writer)
    said = os.read(reader, 1000).decode()
    os.waitpid(pid, 0)
    assert said == repr(sorted((writer, wanted)))
    for descriptor in (reader, *others):
        os.close(descriptor)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
