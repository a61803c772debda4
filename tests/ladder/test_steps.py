from __future__ import annotations

from dataclasses import replace

import recorded as r

from lab.analysis.assembly import build_timelines
from lab.ladder.build import build_ladder
from lab.ladder.model import FrameKind, FrameRow, Ladder
from lab.ladder.steps import (
    SameFrames,
    frames_beside,
    frames_of,
    has_frames,
    likenesses,
    number_of_frames,
)


def ladders(name: str) -> list[Ladder]:
    return [*map(build_ladder, build_timelines(r.recording_of(name)))]


def test_frames_are_counted_by_what_they_are_for() -> None:
    (tcp,) = ladders("tcp4")
    assert frames_of(tcp) == "20 frames: 2 ARP or ND, 3 opening, 6 data, 9 closing"
    assert number_of_frames(tcp) == "20 frames"
    conversation, *_ = ladders("unix4")
    assert frames_of(conversation) == "no frame"
    assert has_frames(tcp) and not has_frames(conversation)


def test_steps_with_the_same_frames_are_like_the_first_of_them() -> None:
    (tcp,) = ladders("tcp4")
    (other,) = ladders("tcp6")
    assert likenesses([tcp, tcp, tcp]) == [None, SameFrames(0, True), SameFrames(0, True)]
    assert likenesses([tcp, other])[0] is None


def test_a_step_with_the_frames_of_an_earlier_one_names_that() -> None:
    (tcp,) = ladders("tcp4")
    steps = ["first", "second"]
    assert frames_beside(tcp, None, steps) == frames_of(tcp)
    assert frames_beside(tcp, SameFrames(0, True), steps) == "20 frames, as first"
    assert frames_beside(tcp, SameFrames(1, False), steps) == (
        "20 frames, as second but for pure ACKs"
    )


def test_steps_that_differ_in_acknowledgements_alone_are_said_to() -> None:
    (tcp,) = ladders("tcp4")
    ack = next(x for x in reversed(tcp.rows) if isinstance(x, FrameRow) and x.kind is FrameKind.ACK)
    fewer = replace(tcp, rows=tuple(row for row in tcp.rows if row is not ack))
    assert likenesses([tcp, fewer]) == [None, SameFrames(0, False)]


def test_steps_with_other_bytes_or_without_frames_are_like_none() -> None:
    (tcp,) = ladders("tcp4")
    data = next(x for x in tcp.rows if isinstance(x, FrameRow) and x.payload)
    other = replace(data, payload=b"x" * len(data.payload))
    changed = replace(tcp, rows=tuple(other if row is data else row for row in tcp.rows))
    nothing = replace(tcp, rows=())
    assert likenesses([tcp, changed, nothing, nothing]) == [None] * 4


def test_datagrams_are_the_same_whatever_their_ports() -> None:
    steps = ladders("calls4")
    names = [x.step for x in build_timelines(r.recording_of("calls4"))]
    found = dict(zip(names, likenesses(steps), strict=True))
    write = names.index("datagram-write")
    assert found["datagram-send"] == SameFrames(write, True)
