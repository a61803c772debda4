from __future__ import annotations

from scenes import recorded_result

from lab.analysis.explain.causes import ACKNOWLEDGED, acknowledged, direct_causes


def causes_in(name: str) -> dict[str, list[tuple[str, str]]]:
    timeline = recorded_result(name).timelines[0]
    return {
        str(event): [(str(cause.event), cause.why) for cause in causes]
        for event, causes in direct_causes(timeline).items()
    }


def test_a_tcp_conversation_is_followed_from_call_to_frame_to_state_to_call() -> None:
    found = causes_in("traced-tcp4")
    assert ("client#2", "the call sent it") in found["f3"]
    assert found["f4"] == [("f3", ACKNOWLEDGED)]
    assert found["client#2"] == [("f4", "the call could return once it arrived")]
    assert found["state 3"] == [("f4", "its arrival changed the state")]
    assert ("state 6", "sent with this change of state") in found["f12"]
    assert found["server#7"] == [("f8", "the call could return once it arrived")]


def test_that_one_call_follows_another_is_no_cause() -> None:
    found = causes_in("traced-tcp4")
    assert "client#3" not in found
    assert all(cause != "client#1" for causes in found.values() for cause, _ in causes)


def test_bytes_over_a_unix_socket_go_from_call_to_call() -> None:
    whys = {why for causes in causes_in("traced-unix4").values() for _, why in causes}
    assert "it wrote what the call read" in whys


def test_without_a_trace_acknowledgments_are_known() -> None:
    assert causes_in("tcp4")["f7"] == [("f6", ACKNOWLEDGED)]


def test_an_acknowledgment_is_for_the_last_segment_that_it_covers_first() -> None:
    (conversation,) = recorded_result("tcp4").timelines[0].conversations
    pairs = dict(acknowledged(conversation))
    assert pairs[4] == 3
    assert pairs[14] == 13
    assert len(set(pairs.values())) == len(pairs), "nothing is acknowledged twice"
