from __future__ import annotations

from scenes import recorded_scene


def test_what_the_kernel_says_is_the_ribbon_of_its_lane() -> None:
    scene = recorded_scene("traced-tcp4")
    client = [ribbon for ribbon in scene.ribbons if ribbon.lane == 0]
    assert [ribbon.state for ribbon in client] == [
        "SYN_SENT", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "CLOSE",
    ]  # fmt: skip
    assert all(ribbon.is_measured for ribbon in scene.ribbons)


def test_each_state_lasts_until_the_next() -> None:
    scene = recorded_scene("traced-tcp4")
    client = [ribbon for ribbon in scene.ribbons if ribbon.lane == 0 and ribbon.column == 0]
    assert [ribbon.end for ribbon in client[:-1]] == [ribbon.start for ribbon in client[1:]]
    assert client[-1].end == len(scene.slots) - 1


def test_without_a_trace_the_frames_imply_the_states() -> None:
    scene = recorded_scene("tcp4")
    assert not any(ribbon.is_measured for ribbon in scene.ribbons)
    server = [ribbon.state for ribbon in scene.ribbons if ribbon.lane == 1]
    assert server == ["SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED"]
