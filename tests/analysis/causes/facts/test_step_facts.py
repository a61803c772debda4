from __future__ import annotations

from dataclasses import replace

import pytest
import step_edits as s
import trace_edits as t
from event_ids import event

from lab.analysis.assembly import build_timelines
from lab.analysis.calls.options import SO_BROADCAST, SO_LINGER
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.records import CountersSeen, Recording


def facts(recording: Recording, step: str = "") -> StepFacts:
    """Of that step, or of the first."""
    timelines = build_timelines(recording)
    return StepFacts(next((each for each in timelines if each.step == step), timelines[0]))


TCP = facts(s.recording_of("traced-tcp4"))
(TALK,) = TCP.timeline.conversations


def test_each_end_of_a_connection_has_its_host_its_address_and_its_socket() -> None:
    for is_client, host, place in ((True, "client", TALK.flow.a), (False, "server", TALK.flow.b)):
        socket = TCP.side(TALK, is_client)
        assert socket is not None
        assert (socket.host, TCP.host_of(TALK, is_client)) == (host, host)
        assert TCP.place_of(TALK, is_client) == place


def test_a_listening_socket_lives_from_listen_to_its_last_close() -> None:
    (listener,) = (each for each in TCP.sockets("server", "tcp") if TCP.listen_call(each))
    closed = TCP.last_close(listener)
    assert closed is not None
    assert TCP.ended_ns(listener) == closed.entry_ns
    assert not list(TCP.sockets("server", "udp"))


def test_without_a_close_a_socket_lives_as_long_as_its_program() -> None:
    unseen = facts(t.unseen("server", "close")(s.recording_of("traced-tcp4")))
    (listener,) = (each for each in unseen.sockets("server", "tcp") if unseen.listen_call(each))
    (run,) = (each for each in unseen.timeline.programs if each.name == "server")
    assert unseen.ended_ns(listener) == run.ended_ns


def test_calls_are_all_seen_only_where_they_are_traced() -> None:
    assert TCP.is_traced
    assert not facts(s.recording_of("reset4")).is_traced
    hidden = t.changed("server", "listen", lambda call: replace(call, name="io_uring_setup"))
    assert not facts(hidden(s.recording_of("traced-tcp4"))).is_traced


def test_a_counter_is_evidence_where_it_rose() -> None:
    run = s.recording_of("traced-tcp4")
    seen = CountersSeen("server", {"TcpExtTCPAbortOnClose": 2}, run.programs[0].step)
    counted = facts(replace(run, counters=(seen,), counter_names=("TcpExtTCPAbortOnData",)))
    names = ("TcpExtTCPAbortOnClose", "TcpExtTCPAbortOnData", "TcpExtTCPTimeouts")
    found = counted.counted("server", *names)
    assert list(map(str, found)) == ["TcpExtTCPAbortOnClose +2 on server"]
    assert TCP.counted("server", *names) == ()


def test_the_call_that_fails_is_the_first_after_a_time() -> None:
    run = facts(s.recording_of("traced-reset4"))
    (talk,) = run.timeline.conversations
    client = run.side(talk, True)
    failed = run.failed_by(client, 0, "ECONNRESET")
    assert failed is not None
    assert named(failed) == f"{failed.id} (recvfrom)"
    assert run.failed_by(client, failed.exit_ns, "ECONNRESET") is None
    assert run.failed_by(client, 0, "EPIPE") is None
    assert run.failed_by(None, 0, "ECONNRESET") is run.failed_by(client, None, "ECONNRESET") is None


def test_a_frame_has_the_call_that_sent_it_and_whether_it_was_read() -> None:
    (channel, *_) = (each for each in TCP.correlation.channels if each.parts)
    (part, *_) = channel.parts
    assert TCP.sent_by[part.segments[0]].id == part.call
    assert {each.segment for each in channel.read_parts} <= TCP.was_read


def test_an_option_is_that_of_the_last_call_before_a_time() -> None:
    run = facts(s.recording_of("traced-reset4"), "linger")
    (asked,) = (each for each in run.timeline.system_calls if each.option == SO_LINGER)
    socket = run.timeline.endpoint_of[asked.socket]
    assert run.option_call(socket, SO_LINGER) is asked
    assert run.option_call(socket, SO_LINGER, asked.entry_ns) is None
    assert run.option_call(socket, SO_BROADCAST) is None


def test_events_are_named_once_in_their_order() -> None:
    call = TCP.timeline.system_calls[0]
    assert known_ids(event("f3"), None, call, event("f3")) == (event("f3"), call.id)


@pytest.mark.parametrize(
    ("ns", "text"),
    [(213_000, "0.213 ms"), (9_999_000, "9.999 ms"), (40_000_000, "40 ms"),
     (1_020_000_000, "1.02 s")],
)  # fmt: skip
def test_a_duration_has_as_many_digits_as_say_something(ns: int, text: str) -> None:
    assert ms(ns) == text
