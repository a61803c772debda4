"""Scenes of a stepped run for tests: frames that wait between two hosts."""

from __future__ import annotations

import frame_bytes as fb

from lab.stepping.scene import FrameShown, HostShown, StepScene

EMPTY = StepScene(
    "t", HostShown("client", (), ()), HostShown("server", (), ()), (), (), "1:00 left"
)


def segment(number: int, flags: int = 0x18) -> bytes:
    return fb.ethernet(fb.ipv4(fb.tcp(b"%d" % number, seq=number, flags=flags)))


def frame(number: int, state: str = "waits", kind: str = "client data") -> FrameShown:
    note = "waits for 1.0 s" if state == "waits" else state
    return FrameShown(number, True, f"PSH ACK seq={number}", kind, segment(number), note, state)


def scene(*frames: FrameShown, undoable: int = 0, is_passing: bool = False) -> StepScene:
    return StepScene("t", EMPTY.left, EMPTY.right, frames, (), "1:00 left", is_passing, undoable)
