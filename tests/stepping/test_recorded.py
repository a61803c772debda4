"""A recorded step as moments."""

from __future__ import annotations

from functools import cache

from recorded import recording_of

from lab.analysis.assembly import build_timelines
from lab.stepping.recorded import Played, next_frame, played, played_scene, sends


@cache
def run(name: str = "traced-tcp4") -> Played:
    (timeline,) = build_timelines(recording_of(name))[:1]
    return played(timeline, "tcp")


def test_moments_are_in_order_of_time_and_at_the_end_nothing_is_on_its_way() -> None:
    found = run()
    times = [moment.time_ns for moment in found.moments]
    assert times == sorted(times)
    last = played_scene(found, len(found.moments) - 1)
    assert last.frames == () and len(last.past) == len(found.timeline.crossings)
    assert {each.state for host in (last.left, last.right) for each in host.programs} == {
        "exited with 0"
    }
    assert (last.left.host, last.right.host) == ("client", "server")


def test_a_frame_is_on_its_way_between_its_moments() -> None:
    found = run()
    at = next(place for place in range(len(found.moments)) if sends(found, place))
    (frame,) = played_scene(found, at).frames
    assert (frame.number, frame.note, frame.state) == (1, "on its way", "waits")
    assert not sends(found, len(found.moments))


def test_a_call_is_lit_between_its_entry_and_its_return() -> None:
    found = run()
    place = next(
        at for at, moment in enumerate(found.moments)
        if moment.kind == "enter" and found.timeline.system_calls[moment.place].name == "connect"
    )  # fmt: skip
    (program,) = played_scene(found, place).left.programs
    assert program.calls[-1].is_in_it and program.waits_for == "connect: waits for the handshake"
    end = next(
        at for at, moment in enumerate(found.moments)
        if moment.kind == "exit" and moment.place == found.moments[place].place
    )  # fmt: skip
    (program,) = played_scene(found, end).left.programs
    assert program.calls[-1].text.endswith("= 0")


def test_states_are_those_that_segments_leave() -> None:
    found = run()
    seen = [
        tuple(socket.text.rpartition(" ")[2] for socket in played_scene(found, at).left.sockets)
        for at in range(len(found.moments))
    ]
    states = [each for each in dict.fromkeys(seen) if each]
    assert states[:2] == [("SYN-SENT",), ("ESTABLISHED",)]
    assert states[-1] == ("TIME-WAIT",)


def test_what_comes_next_is_known() -> None:
    found = run()
    kinds = []
    at = -1
    while (kind := next_frame(found, at)) != "nothing":
        kinds.append(kind)
        at = next(p for p in range(at + 1, len(found.moments)) if sends(found, p))
    assert kinds[2:5] == ["client SYN", "server SYN-ACK", "client ack"]


def test_what_a_wire_did_is_noted() -> None:
    found = run("loss-syn4")
    last = played_scene(found, len(found.moments) - 1)
    lost = [frame for frame in last.past if "lost" in frame.note]
    assert lost and all("struck by the wire" in frame.note for frame in lost)
