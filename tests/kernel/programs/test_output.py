"""What a program writes, kept within bounds."""

from __future__ import annotations

import os
import socket
import struct

from lab.kernel.programs.output import READ_BYTES, Budget, Output


def test_a_budget_is_shared_and_what_is_beyond_is_counted() -> None:
    budget = Budget(left=5)
    assert [budget.take(chunk) for chunk in (b"abc", b"def", b"g")] == [b"abc", b"de", b""]
    assert (budget.left, budget.beyond) == (0, 2)


def test_it_is_read_to_its_end_and_told_to_who_wants_it() -> None:
    ours, theirs = os.pipe()
    told: list[bytes] = []
    output = Output(ours, Budget(left=4), also=told.append)
    os.write(theirs, b"hello")
    assert output.read() == 5
    os.close(theirs)
    assert (output.read(), output.closed) == (0, True)
    output.close()  # once more is nothing
    assert (bytes(output.data), told) == (b"hell", [b"hello"])


def test_nothing_yet_is_not_the_end() -> None:
    ours, theirs = os.pipe2(os.O_NONBLOCK)
    output = Output(ours)
    assert (output.read(), output.closed) == (0, False)
    os.write(theirs, bytes(2 * READ_BYTES - 1)[:READ_BYTES])
    assert output.read() == READ_BYTES
    os.close(theirs)
    output.close()


def test_a_stream_that_is_reset_has_ended() -> None:
    ours, theirs = socket.socketpair()
    ours.send(b"never read")
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    output = Output(ours.detach())
    assert (output.read(), output.closed) == (0, True)
