"""A ring counts what it received and what it had no room for, and keeps VLAN tags."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import inside
import pytest
from event_ids import event

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.bracket import find_brackets
from lab.analysis.judging import judge
from lab.errors import KernelRefused
from lab.kernel.capture.ring import BLOCK_BYTES
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.claim import Claim, Outcome, holds
from lab.model.family import Family
from lab.model.topology import two_hosts
from lab.records import CapturePoint, Frame, Recording

pytestmark = pytest.mark.kernel

CLIENT, SERVER = "client/eth0", "server/eth0"
RING_BYTES = 2 * BLOCK_BYTES
MORE = RING_BYTES // 60  # frames than such a ring has room for


def payload(number: int, size: int = 46) -> bytes:
    """Bytes unlike any other's, no two alike in a row."""
    return (b"%d:" % number + bytes((number + i) % 256 for i in range(size)))[:size]


def at(point: str, frames: Iterable[Frame]) -> list[Frame]:
    return [frame for frame in frames if frame.point == point]


def test_the_counters_add_up(sandbox: Sandbox) -> None:
    sent = [inside.frame(payload(number)) for number in range(300)]
    seen, counted, _ = sandbox.call(inside.frames_sent, two_hosts(), sent)
    assert len(seen) == 600
    link = "client/eth0--server/eth0"
    assert counted == [
        CapturePoint(CLIENT, "client", "eth0", link, 300, 0),
        CapturePoint(SERVER, "server", "eth0", link, 300, 0),
    ]


def test_the_counters_count_from_the_beginning_each_time(sandbox: Sandbox) -> None:
    assert sandbox.call(inside.count_twice, two_hosts()) == ([1, 1, 3], 3)


@pytest.mark.parametrize(
    "tags",
    [((0x8100, 0x0005),), ((0x8100, 0xF123),), ((0x88A8, 7), (0x8100, 8)), ((0x8100, 0),)],
    ids=["802.1Q", "priority, DEI", "QinQ", "VLAN 0"],
)
def test_a_tagged_frame_keeps_its_tags(sandbox: Sandbox, tags: tuple[tuple[int, int], ...]) -> None:
    inner = struct.pack("!H", 0x88B5) + payload(1)
    header = b"".join(struct.pack("!HH", *tag) for tag in tags)
    tagged = inside.BROADCAST + inside.SOURCE + header + inner
    seen, _, _ = sandbox.call(inside.frames_sent, two_hosts(), [tagged])
    assert [(frame.point, frame.data) for frame in seen] == [(CLIENT, tagged), (SERVER, tagged)]


def test_the_largest_tagged_frame_is_whole(sandbox: Sandbox) -> None:
    tagged = inside.BROADCAST + inside.SOURCE + b"\x81\0\0\5\x88\xb5" + payload(1, 1500)
    seen, _, _ = sandbox.call(inside.frames_sent, two_hosts(), [tagged])
    assert [(frame.data, frame.wire_bytes) for frame in seen] == [(tagged, 1518)] * 2


def test_frames_lost_for_lack_of_room_are_counted(sandbox: Sandbox) -> None:
    held, counted, seen_later = sandbox.call(inside.overflow, two_hosts(), MORE, RING_BYTES)
    for point in counted:
        assert point.frames == MORE
        assert point.dropped > 0
        assert point.frames == len(at(point.name, held)) + point.dropped
    assert seen_later == 2


def test_a_recording_with_lost_frames_decides_nothing(sandbox: Sandbox) -> None:
    held, counted, _ = sandbox.call(inside.overflow, two_hosts(), MORE, RING_BYTES)
    recording = Recording(
        scenario="overflow",
        family=Family.IPV4,
        started_ns=held[0].time_ns,
        kernel="",
        instruments=(),
        interfaces=(),
        points=tuple(counted),
        canaries=(),
        programs=(),
        unfinished=(),
        frames=tuple(held),
    )
    incomplete = find_brackets(recording)[0].incomplete
    assert [reason for reason in incomplete if "dropped" in reason] == [
        f"the kernel dropped {point.dropped} frames at {point.name}" for point in counted
    ]
    assert not any(" recorded" in reason for reason in incomplete)
    claim = Claim("any", "Anything.", "", lambda _: holds("it does", [event("f1")]))
    (judgement,) = judge([claim], build_timelines(recording))
    assert judgement.verdict.outcome is Outcome.UNDECIDED


def test_a_ring_that_the_kernel_refuses_is_reported_with_its_interface(sandbox: Sandbox) -> None:
    with pytest.raises(KernelRefused, match=r"^cannot capture on client/eth0: .*: EINVAL"):
        sandbox.call(inside.capture_with_an_unaligned_ring, two_hosts())
