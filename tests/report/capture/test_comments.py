from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.records import Recording
from lab.report.capture.comments import frame_comments


def comments(recording: Recording) -> Mapping[int, str]:
    (timeline,), _ = r.judged(recording)
    return frame_comments([timeline])


@pytest.mark.parametrize("family", [4, 6])
def test_every_canary_says_what_it_proves(family: int) -> None:
    recording = r.recorded(family)
    payloads = {canary.payload for canary in recording.canaries}
    told = comments(recording)
    for index, frame in enumerate(recording.frames):
        said = told.get(index, "")
        assert ("canary: proves" in said) == (frame.data[14:] in payloads)


@pytest.mark.parametrize("family", [4, 6])
def test_both_sightings_of_a_crossing_say_the_same(family: int) -> None:
    recording = r.recorded(family)
    said = comments(recording)
    index_of = {id(frame): index for index, frame in enumerate(recording.frames)}
    for number in (1, 2, 3, 4, 5, 12, 13, 19, 20):
        left, came = (said[index_of[id(frame)]] for frame in r.sightings(recording, number))
        assert left == came
        assert left.startswith(f"f{number}: ")


def test_handshake_and_neighbour_are_named() -> None:
    told = list(comments(r.recorded(4)).values())
    assert "f1: Finding the neighbour: ARP who has 198.51.100.2?" in told
    assert "f3: handshake 1 of 3: the client sends its initial sequence number" in told
    assert Counter(text.split(":")[0] for text in told)["f3"] == 2


def test_a_segment_of_no_special_role_has_no_comment() -> None:
    assert not any(text.startswith("f6:") for text in comments(r.recorded(4)).values())


def test_a_frame_sent_again_says_so_and_the_first_does_not() -> None:
    recording = r.repeated(6, delay_ns=50_000)(r.recorded(4))
    numbered = {text for text in comments(recording).values() if "retransmission" in text}
    assert len(numbered) == 1
    assert not any(text.startswith("f6:") for text in comments(recording).values())


def test_fragments_and_errors_say_what_they_are_there_for() -> None:
    recording = r.recording_of("udp4")
    told = Counter(frame_comments(build_timelines(recording)).values())
    for text in (
        "f15: the first fragment, and the only one with the UDP header",
        "f17: the last fragment; the datagram is whole again",
        "f22: nobody listens on UDP port 4343",
    ):
        assert told[text] == 2
