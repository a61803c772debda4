"""What is mounted, and what of it was taken away."""

from __future__ import annotations

import os

import pytest

from lab.kernel.sandbox.mounts import Mount, lost_mounts, open_mounts, parse_mounts, read_mounts
from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.system import libc

# proc(5): mount id, parent's id, device, root, mount point, options, optional fields, "-", …
TEXT = rb"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:20 / /proc ro - proc proc rw
24 23 0:20 /sys /proc/sys ro - proc proc rw
25 22 0:21 / /a\040b\134\012 rw master:3 - tmpfs none rw
"""
WHOLE = parse_mounts(TEXT)


def without(*ids: int) -> dict[int, Mount]:
    return {id: mount for id, mount in WHOLE.items() if id not in ids}


def test_each_mount_has_its_parent_and_its_place() -> None:
    assert WHOLE[24] == Mount(23, "/proc/sys")
    assert WHOLE[25] == Mount(22, "/a b\\\n")
    assert parse_mounts(b"") == {}


def test_what_was_mounted_elsewhere_is_not_lost() -> None:
    assert lost_mounts(WHOLE, WHOLE) == ()
    assert lost_mounts(WHOLE, WHOLE | {30: Mount(22, "/mnt"), 31: Mount(23, "/proc/1")}) == ()


def test_what_went_with_another_mount_is_not_said_again() -> None:
    assert lost_mounts(WHOLE, without(23, 24)) == ("/proc was unmounted",)
    assert lost_mounts(WHOLE, without(24)) == ("/proc/sys was unmounted",)
    assert lost_mounts(WHOLE, {}) == ("/ was unmounted",)


def test_each_thing_that_is_lost_is_named_in_one_line() -> None:
    assert lost_mounts(WHOLE, without(24, 25)) == (
        "/a b\\\\n was unmounted",
        "/proc/sys was unmounted",
    )
    moved = without(25) | {25: Mount(22, "/x\033")}
    assert lost_mounts(WHOLE, moved) == ("/a b\\\\n was moved to /x\\x1b",)
    over = WHOLE | {30: Mount(23, "/proc")}
    assert lost_mounts(WHOLE, over) == ("another file system was mounted over /proc",)


def looked_at_from_outside() -> list[tuple[str, ...]]:
    """Run inside: what another namespace has lost, by the descriptor of a process that is gone."""
    libc.mount("none", "/tmp", "tmpfs", 0)
    read_end, write_end = os.pipe()
    go_read, go_write = os.pipe()
    libc.unshare(libc.CLONE_NEWNS, "test")
    descriptor = open_mounts()
    before = read_mounts(descriptor)
    if (pid := os.fork()) == 0:
        os.read(go_read, 1)
        libc.umount("/tmp", libc.MNT_DETACH)
        os.write(write_end, b"done")
        os._exit(0)
    libc.unshare(libc.CLONE_NEWNS, "test")
    first = lost_mounts(before, read_mounts(descriptor))
    os.write(go_write, b"!")
    os.read(read_end, 4)
    os.waitpid(pid, 0)
    # Not those of the reader, which has /tmp still.
    return [first, lost_mounts(before, read_mounts(descriptor))]


@pytest.mark.kernel
def test_the_descriptor_shows_its_namespace_whoever_reads_it(sandbox: Sandbox) -> None:
    assert sandbox.call(looked_at_from_outside) == [(), ("/tmp was unmounted",)]
