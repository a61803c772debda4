from __future__ import annotations

from dataclasses import replace

import traced_runs as t
from shown import address

from lab.analysis.timeline import Timeline
from lab.report.terminal.sides import sides_of, state_on_right


def on_one_host(timeline: Timeline) -> Timeline:
    """The same with both programs on the client's host."""
    programs = tuple(replace(run, host="client") for run in timeline.programs)
    calls = tuple(replace(call, host="client") for call in timeline.system_calls)
    return replace(timeline, programs=programs, system_calls=calls)


def right(timeline: Timeline) -> set[str]:
    """The programs whose calls stand right."""
    return {call.program for call in sides_of(timeline).calls}


def test_the_last_hosts_programs_stand_right() -> None:
    assert right(t.talk()) == {"server"}
    assert sides_of(t.talk()).hosts == {"server"}


def test_of_programs_that_talk_on_one_host_the_one_that_listens_stands_right() -> None:
    timeline = on_one_host(t.talk())
    assert right(timeline) == {"server"}
    assert sides_of(timeline).programs == {"server"}


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
    assert not sides_of(replace(timeline, endpoints=alone)).programs


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
    sides = sides_of(timeline)
    opening, opened, accepted = (seen.state for seen in timeline.states)
    unbound = replace(opening, local_address="0.0.0.0", local_port=0)
    # As the kernel tells it of a socket that takes IPv4 and IPv6.
    mapped = replace(accepted, local_address=f"::ffff:{accepted.local_address}")
    of = [state_on_right(each, timeline, sides) for each in (unbound, opened, accepted, mapped)]
    assert of == [False, False, True, True]
    assert state_on_right(accepted, t.talk(), sides_of(t.talk())) is None
