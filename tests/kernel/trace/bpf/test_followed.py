"""Who is traced, as the programs read it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.trace.bpf import bpf
from lab.kernel.trace.bpf.followed import (
    ADDRESS_AT,
    DEPTH_AT,
    INODE_AT,
    SINCE_AT,
    FollowedNamespace,
    own_pid_namespace,
)


def test_a_pid_namespace_is_known_by_its_files_inode() -> None:
    assert f"pid:[{own_pid_namespace()}]" == str(Path("/proc/self/ns/pid").readlink())


def values(followed: FollowedNamespace) -> tuple[int, ...]:
    value = bpf.read_value(followed.map, 32)
    places = INODE_AT, SINCE_AT, DEPTH_AT, ADDRESS_AT
    return tuple(int.from_bytes(value[at : at + 8], "little") for at in places)


def all_values() -> tuple[tuple[int, ...], ...]:
    """In a sandbox: before, while and after one is followed; and when it was begun."""
    followed = FollowedNamespace()
    none = values(followed)
    before = time.monotonic_ns()
    followed.follow(7)
    during, after = values(followed), time.monotonic_ns()
    followed.forget()
    done = values(followed)
    followed.close()
    return none, during, done, (before, after)


@pytest.mark.kernel
@pytest.mark.skipif(os.geteuid() != 0, reason="BPF maps are root's")
def test_it_is_followed_from_now_on_until_it_is_forgotten(sandbox: Sandbox) -> None:
    none, during, done, (before, after) = sandbox.call(all_values)
    assert none == done == (0, 0, 0, 0)
    inode, since, depth, address = during
    assert (inode, depth, address) == (7, 0, 0)
    assert before <= since <= after


@pytest.mark.kernel
@pytest.mark.skipif(os.geteuid() != 0, reason="BPF maps are root's")
def test_closing_gives_the_map_back(sandbox: Sandbox) -> None:
    before, after = sandbox.call(open_files_around)
    assert before == after


def open_files_around() -> tuple[int, int]:
    """In a sandbox: how many descriptors are open before and after."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    FollowedNamespace().close()
    return before, len(list(Path("/proc/self/fd").iterdir()))
