from __future__ import annotations

from dataclasses import replace

import recorded as r
import traced_runs as t
from shown import address

from lab.analysis.assembly import build_timelines
from lab.analysis.timeline import Timeline
from lab.ladder.lanes import lane_connections, place


def on_one_host(timeline: Timeline) -> Timeline:
    """The same with both programs on the client's host."""
    programs = tuple(replace(run, host="client") for run in timeline.programs)
    calls = tuple(replace(call, host="client") for call in timeline.system_calls)
    return replace(timeline, programs=programs, system_calls=calls)


def right(timeline: Timeline) -> set[str]:
    """The programs whose calls stand right."""
    placing = place(timeline)
    running = {run.name for run in timeline.programs}
    calls = [call for call in timeline.system_calls if call.program in running]
    return {call.program for call in calls if placing.of_call(call)}


def test_the_last_hosts_programs_stand_right() -> None:
    assert right(t.talk()) == {"server"}
    assert [lane.name for lane in place(t.talk()).lanes] == ["client", "server"]


def test_of_programs_that_talk_on_one_host_the_one_that_listens_stands_right() -> None:
    timeline = on_one_host(t.talk())
    assert right(timeline) == {"server"}
    assert [lane.programs for lane in place(timeline).lanes] == [("client",), ("server",)]


def test_where_none_listens_the_one_that_was_ready_stands_right() -> None:
    timeline = on_one_host(t.talk())
    ready = {run.name for run in timeline.programs if run.ready_ns is not None}
    silent = tuple(replace(each, listening=False) for each in timeline.endpoints)
    assert ready == {"server"}
    assert right(replace(timeline, endpoints=silent)) == {"server"}


def test_where_all_serve_they_stand_where_their_host_does() -> None:
    timeline = on_one_host(t.talk())
    silent = tuple(replace(each, listening=False) for each in timeline.endpoints)
    programs = tuple(replace(run, ready_ns=1) for run in timeline.programs)
    assert right(replace(timeline, endpoints=silent, programs=programs)) == set()


def test_programs_of_one_host_that_do_not_talk_stand_where_it_does() -> None:
    timeline = on_one_host(t.talk())
    alone = tuple(replace(each, peer="") for each in timeline.endpoints)
    assert right(replace(timeline, endpoints=alone)) == set()
    assert not place(replace(timeline, endpoints=alone)).programs


def test_a_program_alone_stands_where_its_host_does() -> None:
    for name, expected in (("server", {"server"}), ("client", set())):
        programs = tuple(run for run in t.talk().programs if run.name == name)
        assert right(replace(t.talk(), programs=programs, endpoints=())) == expected


def test_states_stand_where_their_sockets_program_does() -> None:
    client = replace(t.endpoint("s2", "client", peer="s3"), local=address("198.51.100.1:40858"),
                     remote=address("198.51.100.2:4242"))  # fmt: skip
    server = replace(t.endpoint("s3", "server", listening=True, peer="s2"),
                     local=address("198.51.100.2:4242"))  # fmt: skip
    timeline = replace(on_one_host(t.talk()), endpoints=(client, server))
    placing = place(timeline)
    opening, opened, accepted = (seen.state for seen in timeline.states)
    unbound = replace(opening, local_address="0.0.0.0", local_port=0)
    # As the kernel tells it of a socket that takes IPv4 and IPv6.
    mapped = replace(accepted, local_address=f"::ffff:{accepted.local_address}")
    of = [placing.of_state(each, "client") for each in (unbound, opened, accepted, mapped)]
    assert of == [0, 0, 1, 1]
    assert [place(t.talk()).of_state(accepted, host) for host in ("client", "server")] == [0, 1]


def relay() -> Timeline:
    (timeline,) = build_timelines(r.recording_of("relayed4"))
    return timeline


def test_each_host_has_a_lane_in_the_order_of_the_topology() -> None:
    lanes = place(relay()).lanes
    assert [lane.name for lane in lanes] == ["client", "relay", "server"]
    assert [lane.programs for lane in lanes] == [("client",), ("relay",), ("server",)]
    assert [lane.addresses for lane in lanes] == [
        ("198.18.0.1",),
        ("198.18.0.2", "198.18.0.5"),
        ("198.18.0.6",),
    ]


def test_a_host_that_does_nothing_has_its_lane() -> None:
    timeline = relay()
    idle = replace(timeline, programs=timeline.programs[:1], system_calls=(), endpoints=())
    assert [lane.name for lane in place(idle).lanes] == ["client", "relay", "server"]


def test_a_frame_goes_from_its_senders_lane_to_its_receivers() -> None:
    timeline = relay()
    placing = place(timeline)
    ways = {(c.sender, c.receiver): placing.of_frame(c) for c in timeline.crossings}
    assert ways == {
        ("client", "relay"): (0, 1, True),
        ("relay", "client"): (1, 0, False),
        ("relay", "server"): (1, 2, True),
        ("server", "relay"): (2, 1, False),
    }


def test_a_connection_needs_its_port_only_beside_others_of_its_lanes() -> None:
    timeline = relay()
    assert lane_connections(timeline, place(timeline)) == {}
    first, second = timeline.conversations
    again = replace(first, flow=replace(first.flow, number=7))
    three = replace(timeline, conversations=(first, second, again))
    port = str(first.flow.a.port)
    assert lane_connections(three, place(three)) == {first.flow.id: port, again.flow.id: port}


def test_the_lanes_of_lo_are_its_two_ends() -> None:
    timelines = build_timelines(r.recording_of("traced-unix4"))
    looped = next(each for each in timelines if each.step == "loopback")
    alone = replace(looped, system_calls=(), endpoints=(), states=())
    placing = place(alone)
    assert [lane.name for lane in placing.lanes] == ["server, on lo"] * 2
    ways = [placing.of_frame(crossing) for crossing in alone.crossings[:3]]
    assert ways == [(0, 1, True), (1, 0, False), (0, 1, True)]


def test_on_lo_frames_go_between_the_programs_that_sent_them() -> None:
    timelines = build_timelines(r.recording_of("traced-unix4"))
    looped = next(each for each in timelines if each.step == "loopback")
    lanes = place(looped).lanes
    assert [lane.programs for lane in lanes] == [("loopback-client",), ("loopback-server",)]
    for crossing in looped.crossings[:2]:
        source, target, is_forward = place(looped).of_frame(crossing)
        by_client = crossing.packet.tcp is not None and crossing.packet.tcp.destination_port == 4242
        assert (source, target, is_forward) == ((0, 1, True) if by_client else (1, 0, False))


def test_among_three_hosts_a_frame_on_lo_stays_in_its_lane() -> None:
    timeline = relay()
    looped = replace(timeline.crossings[2], sender="relay", receiver="relay")
    assert place(timeline).of_frame(looped) == (1, 1, True)
