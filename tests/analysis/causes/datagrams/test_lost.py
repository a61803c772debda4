"""Datagrams that a wire's rule dropped, whole or in part."""

from __future__ import annotations

import recorded as r
import step_edits as s
from causes_found import causes_in, causes_of
from event_ids import event

from lab.analysis.assembly import build_timelines


def test_the_rule_that_dropped_a_datagram_is_named() -> None:
    cause = causes_of("udp-loss4", "conversation")["datagram-lost"]
    assert cause.text == (
        "The datagram (f4) never reached server: the wire's rule 'client>server drop data 2' "
        "dropped it (strike 1). UDP sends nothing again and tells nobody."
    )
    assert cause.evidence == (event("f4"), event("strike 1"))


def test_what_was_lost_and_no_rule_struck_has_no_cause() -> None:
    (frames,) = s.frames_of(
        s.recording_of("udp4"), "conversation", lambda c: c.packet.payload == b"Hello. "
    )
    assert len(frames) == 2
    run = s.recording_of("udp4")
    lost = r.with_frames(run, [each for each in run.frames if each is not frames[1]])
    assert "datagram-lost" not in causes_in(lost, "conversation")


def test_tcp_sends_again_what_a_wire_drops() -> None:
    for timeline in build_timelines(s.recording_of("loss-data4")):
        assert "datagram-lost" not in causes_of("loss-data4", timeline.step)
