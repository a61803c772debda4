"""Captures: every frame, whole, at both ends, counted."""

from __future__ import annotations

import time
from collections.abc import Iterable

import inside
import pytest
from outside import with_mtu

from lab.errors import KernelRefused
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.shapes import chain
from lab.model.topology import two_hosts
from lab.records import Direction, Frame

pytestmark = pytest.mark.kernel

CLIENT, SERVER = "client/eth0", "server/eth0"


def payload(number: int, size: int = 46) -> bytes:
    """Bytes unlike any other's, no two alike in a row."""
    return (b"%d:" % number + bytes((number + i) % 256 for i in range(size)))[:size]


def at(point: str, frames: Iterable[Frame]) -> list[Frame]:
    return [frame for frame in frames if frame.point == point]


@pytest.mark.parametrize("mtu_bytes", [1500, 9000, 65_535])
def test_every_frame_is_seen_whole_at_both_ends(sandbox: Sandbox, mtu_bytes: int) -> None:
    sizes = (0, 1, 45, 46, 47, 600, mtu_bytes - 1, mtu_bytes)
    sent = [inside.frame(payload(number, size)) for number, size in enumerate(sizes)]
    seen, _, _ = sandbox.call(inside.frames_sent, with_mtu(two_hosts(), mtu_bytes), sent)
    for point in (CLIENT, SERVER):
        assert [frame.data for frame in at(point, seen)] == sent
        assert [frame.wire_bytes for frame in at(point, seen)] == list(map(len, sent))
    assert max(len(frame.data) for frame in seen) == mtu_bytes + 14


def test_a_frame_above_the_mtu_is_refused_by_name(sandbox: Sandbox) -> None:
    sent = [inside.frame(bytes(1501))]
    with pytest.raises(KernelRefused, match=r"^cannot send a frame on client/eth0: EMSGSIZE"):
        sandbox.call(inside.frames_sent, two_hosts(), sent)


def test_a_frame_leaves_before_it_arrives(sandbox: Sandbox) -> None:
    sent = [inside.frame(payload(number)) for number in range(500)]
    before_ns = time.time_ns()
    seen, _, (start_ns, end_ns) = sandbox.call(inside.frames_sent, two_hosts(), sent)
    out, into = at(CLIENT, seen), at(SERVER, seen)
    assert {frame.direction for frame in out} == {Direction.OUT}
    assert {frame.direction for frame in into} == {Direction.IN}
    assert [frame.data for frame in out] == [frame.data for frame in into] == sent
    assert all(a.time_ns <= b.time_ns for a, b in zip(out, into, strict=True))
    assert before_ns < start_ns <= out[0].time_ns
    assert into[-1].time_ns <= end_ns < time.time_ns()


def test_a_capture_sees_its_own_link_only(sandbox: Sandbox) -> None:
    sent = [inside.frame(payload(number)) for number in range(10)]
    seen, counted, _ = sandbox.call(inside.frames_sent, chain(3), sent)
    assert {frame.point for frame in seen} == {"h1/eth0", "h2/eth0"}
    assert {point.name: point.frames for point in counted} == {
        "h1/eth0": 10, "h2/eth0": 10, "h2/eth1": 0, "h3/eth0": 0,
    }  # fmt: skip


def test_an_interface_that_does_not_exist_is_named(sandbox: Sandbox) -> None:
    with pytest.raises(KernelRefused, match=r"^cannot capture on client/nothing: ENODEV"):
        sandbox.call(inside.capture_on, two_hosts(), "nothing")


def test_without_rights_the_message_says_what_to_do(sandbox: Sandbox) -> None:
    with pytest.raises(KernelRefused) as raised:
        sandbox.call(inside.capture_without_rights, two_hosts())
    assert str(raised.value) == (
        "cannot open a raw capture socket in namespace client: EPERM; run with sudo, or enable "
        "unprivileged user namespaces (see `wirelab doctor`)"
    )
