"""What is known of a process's descriptors, near and far."""

from __future__ import annotations

import ctypes
import os

import pytest

from lab.kernel.trace.ptrace.descriptors import NEAR, NO_SOCKET, Descriptors, DescriptorTable


@pytest.mark.parametrize("descriptor", [0, NEAR - 1, NEAR, 1 << 31])
def test_a_descriptor_is_known_until_it_is_forgotten(descriptor: int) -> None:
    table = DescriptorTable()
    assert table.get(descriptor) == 0
    table.put(descriptor, 4711)
    assert table.get(descriptor) == 4711
    assert table.sockets() == [(descriptor, 4711)]
    table.put(descriptor, NO_SOCKET)
    assert (table.get(descriptor), table.sockets()) == (NO_SOCKET, [])
    table.put(descriptor, 0)
    assert table.get(descriptor) == 0
    table.put(descriptor, 4711)
    table.clear()
    assert (table.get(descriptor), table.sockets()) == (0, [])


def test_near_ones_are_where_the_loop_in_c_looks_for_them() -> None:
    table = DescriptorTable()
    table.put(3, 4711)
    words = (ctypes.c_uint64 * NEAR).from_address(table.address)
    assert (words[3], sum(words)) == (4711, 4711)
    words[3] = 0
    assert table.get(3) == 0


def test_a_shared_table_is_one_until_it_is_left() -> None:
    parent, child = Descriptors(os.getpid()), Descriptors(os.getpid())
    child.share(parent)
    child.table.put(5, 7)
    assert parent.table.get(5) == 7
    child.forget(5)
    assert parent.table.get(5) == 0
    parent.table.put(5, 7)
    child.leave()
    assert (child.table.get(5), parent.table.get(5)) == (0, 7)
    parent.forget_all()
    assert parent.table.get(5) == 0


def test_a_process_that_has_ended_has_no_pidfd() -> None:
    gone = Descriptors(1 << 22)  # PID_MAX_LIMIT, which no process has
    assert (gone.pidfd(), gone.duplicate(0)) == (-1, -1)


def test_a_duplicate_is_the_same_file() -> None:
    own = Descriptors(os.getpid())
    reader, writer = os.pipe()
    duplicate = own.duplicate(reader)
    if duplicate < 0:
        pytest.skip("pidfd_getfd(2) is refused here")
    os.write(writer, b"here")
    assert os.read(duplicate, 9) == b"here"
    for each in (reader, writer, duplicate):
        os.close(each)
    own.close()
