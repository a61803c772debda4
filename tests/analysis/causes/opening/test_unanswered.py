"""Why an opening took long."""

from __future__ import annotations

import pytest
import step_edits as s
from causes_found import causes_in, causes_of

from lab.analysis.assembly import build_timelines
from lab.analysis.packets.packet import TcpFlags


def test_the_lost_syns_and_the_one_that_came_are_named() -> None:
    cause = causes_of("loss-syn4", "conversation")["syn-lost"]
    assert cause.is_certain
    assert cause.text == (
        "The SYN (f3) never came to server, nor did the one after it: the wire's rule "
        "'client>server drop SYN from 1 to 2' dropped it (strike 1). The one that came (f5) left "
        "3.02 s after it."
    )
    assert [str(each) for each in cause.evidence] == ["f3", "strike 1", "f4", "f5"]


def test_where_none_ever_came_the_last_is_counted() -> None:
    run = s.recording_of("loss-syn4")
    (timeline,) = build_timelines(run)
    (talk,) = timeline.conversations
    syns = [each.crossing for each in talk.segments if int(each.flags) & int(TcpFlags.SYN)]
    later = {each.crossing for each in talk.segments} - set(syns[:2])
    edited = s.without("conversation", lambda crossing: crossing.number in later)(run)
    cause = causes_in(edited, "conversation")["syn-lost"]
    assert cause.text.endswith("The last left 1.01 s after the first.")


@pytest.mark.parametrize(
    "name", ["tcp4", "traced-tcp6", "simultaneous-open4", "syn-flood4", "backlog4", "raw4"]
)
def test_openings_of_which_nothing_is_lost_have_no_such_cause(name: str) -> None:
    for timeline in build_timelines(s.recording_of(name)):
        found = causes_in(s.recording_of(name), timeline.step)
        assert not {"syn-lost", "syn-ack-lost", "syn-filtered"} & set(found)
