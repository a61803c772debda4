from __future__ import annotations

from dataclasses import replace

import traced as t
import traced_tcp as w
from event_ids import event

from lab.analysis.order.events import EventPart
from lab.analysis.timeline import Timeline
from lab.model.event import EventKind
from lab.records import QueueSample, Syscall

STEP = w.wire_timeline().step
UNIX, STREAM = t.AF_UNIX, t.SOCK_STREAM


def pair() -> Syscall:
    return t.call(
        "server", "socketpair", UNIX, STREAM, 0, t.two_numbers(3, 4), at=(0, 1), step=STEP
    )


def read(data: bytes, at: float, *, socket: str = "inode 9", descriptor: int = 4) -> Syscall:
    return t.call(
        "server", "recvfrom", descriptor, data, 16, 0, 0, 0,
        result=len(data), at=(at, at + 2), socket=socket, step=STEP,
    )  # fmt: skip


def left(unread_bytes: int, at: float, socket: str = "inode 9", step: str = STEP) -> QueueSample:
    return t.queue(socket, unread_bytes, at, step=step)


def timeline_of(*records: Syscall | QueueSample) -> Timeline:
    return w.timeline_of(replace(w.wire(), trace=t.trace(*records)))


def test_a_sample_belongs_to_the_read_that_its_thread_returned_from() -> None:
    timeline = timeline_of(
        pair(), read(b"ab", 10), left(5, 12.5), read(b"cdefg", 20), left(0, 22.5)
    )
    assert [(q.call.id, q.socket, q.sample.unread_bytes) for q in timeline.queues] == [
        (event("server#2"), "s2", 5),
        (event("server#3"), "s2", 0),
    ]


def test_a_sample_stands_between_its_threads_calls() -> None:
    # All within the slack: the thread stood still, so that the order is known.
    timeline = timeline_of(
        pair(), read(b"ab", 10), left(5, 12.5), read(b"cdefg", 12.6), left(0, 15)
    )
    order = [(each.id, each.part) for each in timeline.order.events]
    assert [each for each in order if each[0].kind is not EventKind.FRAME][2:] == [
        (event("server#2"), EventPart.ENTRY),
        (event("server#2"), EventPart.EXIT),
        (event("queue 1"), EventPart.QUEUE),
        (event("server#3"), EventPart.ENTRY),
        (event("server#3"), EventPart.EXIT),
        (event("queue 2"), EventPart.QUEUE),
    ]
    places = [p for p, each in enumerate(timeline.order.events) if each.id == event("queue 1")]
    assert timeline.order.concurrent.isdisjoint(places)
    assert timeline.order.events[places[0]].host == "server"
    assert timeline.order.violations == ()


def test_a_sample_after_an_accept_is_the_accepted_sockets() -> None:
    path = t.address_un("/run/wirelab/x")
    listening = t.call("server", "socket", UNIX, STREAM, 0, result=3, at=(0, 1), step=STEP)
    bound = t.call("server", "bind", 3, path, len(path), at=(2, 3), step=STEP)
    listen = t.call("server", "listen", 3, 1, at=(4, 5), step=STEP)
    accept = t.call("server", "accept4", 3, 0, 0, 0, result=4, at=(6, 8), step=STEP)
    accept = replace(accept, socket="inode 8")
    timeline = timeline_of(listening, bound, listen, accept, left(7, 9, "inode 9"))
    (queue,) = timeline.queues
    assert (queue.call.id, queue.socket) == (event("server#4"), "s2")


def test_a_sample_whose_call_was_not_recorded_is_left_out() -> None:
    kept = (pair(), read(b"ab", 10))
    assert timeline_of(*kept, left(5, 9)).queues == ()  # before that read
    assert timeline_of(*kept, left(5, 13, socket="inode 10")).queues == ()
    assert timeline_of(*kept, left(5, 13, step="another")).queues == ()
    unfinished = replace(read(b"ab", 10), exit_ns=None, result=None)
    assert timeline_of(pair(), unfinished, left(5, 13)).queues == ()
