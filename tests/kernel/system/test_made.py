"""What a forked process answers: descriptors, or why there are none."""

from __future__ import annotations

import os
import resource
import socket
from pathlib import Path

import pytest

from lab.errors import InstrumentError, KernelRefused
from lab.kernel.system.made import send_made, take_made


def answered(error: BaseException | None, number: int = 2) -> list[int]:
    """What is taken of what was sent, with `number` descriptors of /dev/null."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        sent = [os.open(os.devnull, os.O_RDONLY) for _ in range(number)]
        send_made(theirs, sent, error)
        for descriptor in sent:
            os.close(descriptor)
        return take_made(ours, 2, "a thing")


def test_the_descriptors_come() -> None:
    taken = answered(None)
    null = Path(os.devnull).stat()
    assert [os.path.samestat(os.fstat(each), null) for each in taken] == [True, True]
    for descriptor in taken:
        os.close(descriptor)


def test_an_error_of_the_labs_is_raised_as_it_is() -> None:
    with pytest.raises(KernelRefused, match="no mounts today"):
        answered(KernelRefused("no mounts today"), 0)


def test_any_other_failure_is_told_with_its_traceback() -> None:
    try:
        raise ZeroDivisionError("oh")
    except ZeroDivisionError as error:
        failed = error
    with pytest.raises(InstrumentError, match=r"a thing cannot be made:\nTraceback(?s:.*)oh"):
        answered(failed, 0)


def test_a_death_is_told() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.close()
    with ours, pytest.raises(InstrumentError, match="the process that makes a thing died"):
        take_made(ours, 2, "a thing")


def test_descriptors_that_have_no_room_are_told() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ours, theirs:
        send_made(theirs, [ours.fileno(), theirs.fileno()], None)
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, hard))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                take_made(ours, 2, "a thing")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        # The one for which there was room is closed.
        assert os.dup(0) == lowest
        os.close(lowest)
