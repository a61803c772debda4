"""A SYN that comes while more connections wait than listen() allows."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
import step_edits as s
import trace_edits as t

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.find import find_causes
from lab.records import Direction, Frame, HeldSocket, Recording, Syscall

IP, TCP = 14, 34
LATER_NS = 1_000
FULL = "The accept queue is full (1 of 0): the kernel of server ignores the SYN (f"


def is_syn(frame: Frame) -> bool:
    return len(frame.data) > TCP + 13 and frame.data[IP + 9] == 6 and frame.data[TCP + 13] == 2


def from_another_port(frame: Frame, last_ns: int) -> Frame:
    """The SYN of another connection, a moment after the last frame.

    Its sequence number changes as the port does, so that the checksum stays right.
    """
    data = bytearray(frame.data)
    (port, low) = struct.unpack_from("!H4xH", data, TCP)
    struct.pack_into("!H", data, TCP, port + 1)
    struct.pack_into("!H", data, TCP + 6, (low - 1) % 0xFFFF)
    return replace(
        frame,
        data=bytes(data),
        time_ns=last_ns + LATER_NS * (1 + (frame.direction is Direction.IN)),
    )


def with_another_syn(backlog: int, *, accepts: bool) -> Recording:
    """A conversation, and then a SYN that nobody answers."""

    def listen(call: Syscall) -> Syscall:
        return replace(call, arguments=(call.arguments[0], backlog))

    run = t.changed("server", "listen", listen)(s.recording_of("traced-tcp4"))
    if not accepts:
        run = t.changed("server", "accept4", t.not_there)(run)
    last_ns = max(frame.time_ns for frame in run.frames if frame.data[12:14] == b"\x08\0")
    more = [from_another_port(frame, last_ns) for frame in run.frames if is_syn(frame)]
    return replace(run, frames=tuple(sorted((*run.frames, *more), key=lambda f: f.time_ns)))


@pytest.mark.parametrize(
    ("backlog", "accepts", "is_full"), [(0, False, True), (1, False, False), (0, True, False)]
)
def test_a_syn_is_ignored_where_more_wait_than_listen_allows(
    backlog: int, accepts: bool, is_full: bool
) -> None:
    (timeline, *_) = build_timelines(with_another_syn(backlog, accepts=accepts))
    assert len(timeline.conversations) == 2
    causes = {cause.name: cause for cause in find_causes(timeline)}
    assert ("accept-queue-full" in causes) is is_full
    assert not is_full or causes["accept-queue-full"].text.startswith(FULL)


def listening(run: Recording, waiting: int, *, later_ns: int = 1_000_000) -> Recording:
    """The same, and the server's socket as its kernel held it after the SYN that nobody answers."""
    last_ns = max(frame.time_ns for frame in run.frames)
    held = HeldSocket(
        last_ns + later_ns, "waiting", "server", "tcp", "LISTEN", "0.0.0.0", 4242, "0.0.0.0", 0,
        "inode 7", waiting, 5, step=run.programs[0].step,
    )  # fmt: skip
    return replace(run, held_sockets=(held,))


@pytest.mark.parametrize(
    ("waiting", "later_ns", "is_full"),
    [(6, 1_000_000, True), (5, 1_000_000, False), (6, -(10**9), False)],
)
def test_a_queue_is_full_that_its_kernel_has_so_whatever_was_traced(
    waiting: int, later_ns: int, is_full: bool
) -> None:
    run = with_another_syn(5, accepts=True)
    (timeline, *_) = build_timelines(listening(run, waiting, later_ns=later_ns))
    causes = {cause.name: cause for cause in find_causes(timeline)}
    assert ("accept-queue-full" in causes) is is_full
    if is_full:
        assert "(6 of 5, as sock_diag(7) showed " in causes["accept-queue-full"].text


def test_a_recorded_run_that_was_not_traced_says_so() -> None:
    (timeline, *_) = build_timelines(s.recording_of("backlog4"))
    assert timeline.system_calls == ()
    (cause,) = (each for each in find_causes(timeline) if each.name == "accept-queue-full")
    assert cause.text.startswith("The accept queue is full (3 of 2, as sock_diag(7) showed 2")
