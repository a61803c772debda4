"""The recorder of frames: the moment at which its captures end."""

from __future__ import annotations

import inside
import pytest
from step_programs import READY, python, run

from lab.analysis.assembly import build_timelines
from lab.kernel.capture.canaries import Canaries, Refused
from lab.kernel.capture.capturing import Capturing
from lab.kernel.plan import Plan
from lab.kernel.recorder import record
from lab.kernel.sandbox.sandbox import open_sandbox
from lab.model.family import Family
from lab.model.program import Step
from lab.model.topology import two_hosts
from lab.records import CanaryBracket, Frame, Recording

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]

JOIN = """
import socket
here = socket.inet_aton("198.51.100.2")
members = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(8)]
for number, member in enumerate(members):
    group = socket.inet_aton(f"239.1.2.{number}")
    member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + here)
"""


def test_frames_that_go_on_are_counted_as_far_as_they_are_recorded() -> None:
    for _ in range(5):
        with open_sandbox() as sandbox:
            found = sandbox.call(inside.close_window_among_frames, two_hosts())
        for counted, dropped, recorded in found:
            assert counted > 0
            assert recorded == counted - dropped


def test_reports_of_groups_left_at_a_programs_end_blind_nothing() -> None:
    member = python(JOIN + READY, "member", host="server", ready=True)
    with open_sandbox(traced=True) as sandbox:
        recording = run(sandbox, member, python("print('here')"))
    (timeline,) = build_timelines(recording)
    assert timeline.bracket.incomplete == ()


def test_a_frame_behind_the_last_canary_blinds_nothing() -> None:
    """As the kernel sends one up to a second later, while the trace is being collected."""
    with open_sandbox() as sandbox:
        recording = sandbox.call(recorded_with_late_frames)
    (timeline,) = build_timelines(recording)
    assert timeline.bracket.incomplete == ()
    # Both points see what each sends; the first round's are before the second.
    assert (len(timeline.bracket.frames), timeline.bracket.outside) == (4, 4)


def recorded_with_late_frames() -> Recording:
    """Run inside: a frame is sent from each point behind each round of closing canaries."""

    def send_round(self: Canaries, step: str, bracket: CanaryBracket) -> tuple[Refused, ...]:
        refused = send_canaries(self, step, bracket)
        if bracket == "closing":
            for capture in self._recorder.captures:
                capture.send_frame(inside.frame(b"late" + bytes(42)))
        return refused

    send_canaries, Canaries.send = Canaries.send, send_round  # type: ignore[method-assign]
    try:
        steps = (Step("only", (python("print('here')"),)),)
        return record(Plan("t", Family.IPV4, two_hosts(), steps, trace="none"))
    finally:
        Canaries.send = send_canaries  # type: ignore[method-assign]


def captured(capturing: Capturing, sent: int) -> tuple[tuple[Frame, ...], tuple[str, ...]]:
    """Run inside: what is recorded of so many frames, and what is said to be lost."""
    with inside.captures_of(two_hosts(), capturing) as recorder:
        for number in range(sent):
            recorder.captures[0].send_frame(inside.frame(number.to_bytes(4).ljust(100, b"\0")))
        inside.wait_until_counted(recorder.captures[1], sent)
        recorder.close_window()
        return recorder.frames(), recorder.losses


def test_of_as_many_frames_as_were_wanted_the_first_in_time_are_kept() -> None:
    with open_sandbox() as sandbox:
        frames, losses = sandbox.call(captured, Capturing(max_frames=5), 10)
    with open_sandbox() as sandbox:
        everything, none = sandbox.call(captured, Capturing(), 10)
    assert len(everything) == 20
    assert none == ()
    # Each has left before the next is sent, and arrived.
    assert [frame.data[14:18] for frame in frames] == [n.to_bytes(4) for n in (0, 0, 1, 1, 2)]
    assert losses == ("the captures ended after 5 frames, as was asked",)


def test_frames_that_are_cut_say_how_long_they_were() -> None:
    with open_sandbox() as sandbox:
        frames, losses = sandbox.call(captured, Capturing(snap_bytes=64), 1)
    assert [(len(frame.data), frame.wire_bytes) for frame in frames] == [(64, 114)] * 2
    assert losses == ()  # which frames these are the analysis sees
