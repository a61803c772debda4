"""From what BPF saw of rings to calls: which completion is whose, and what is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lab.kernel.trace.rings.ring_follower import MOST_COMPARED, RingFollower, Runner
from lab.kernel.trace.rings.ring_records import (
    COMPLETED,
    CREATED,
    REGISTERED,
    SUBMITTED,
    RingRecord,
)
from lab.records import Memory, RingUse, Syscall
from lab.syscalls.rings import (
    ANY_PLACE,
    BUFFER_SELECT,
    FIXED_FILE,
    LINK,
    MORE,
    NOTIFICATION,
    Request,
)

READ, WRITE, SENDMSG, RECVMSG, SEND, RECV, ACCEPT, CLOSE = 22, 23, 9, 10, 26, 27, 13, 19
SPLICE, SEND_ZC, NOP, SOCKET = 30, 47, 0, 45
SOCK_MODE, FILE_MODE, PIPE_MODE = 0o140777, 0o100644, 0o010600
MAIN, WORKER, STRANGER = 9001, 9002, 9003
RING, ANOTHER = 0x100, 0x200
RUNNERS = {
    MAIN: Runner("client", 5, 5, None),
    WORKER: Runner("client", 5, 6, None),
}


class Story:
    """What is done by rings, 10 ns apart."""

    def __init__(self, **runners: Runner) -> None:
        self.follower = RingFollower()
        self.records: list[RingRecord] = []
        self.calls: list[Syscall] = []
        self.runners = dict(RUNNERS)
        self.add(CREATED, result=3)

    def add(self, kind: int, ring: int = RING, at: int = 0, **more: Any) -> Story:
        now = 10 * (len(self.records) + 1)
        blank: dict[str, Any] = {
            "tid": MAIN, "opcode": 0, "user_data": 0, "flags": 0, "result": 0,
            "completion_flags": 0, "mode": 0, "inode": 0, "sock": 0, "request": None, "memory": (),
        }  # fmt: skip
        self.records.append(RingRecord(time_ns=now, kind=kind, ring=ring, at=at, **(blank | more)))
        return self

    def submit(
        self, opcode: int, at: int = 1, *, tag: int = 0, flags: int = 0, **fields: int
    ) -> Story:
        told = {"fd": 4, "addr": 0x7000 * at, "len": 5, **fields}
        memory = (Memory(1, "", False, b"hello", 5),) if opcode in (SEND, WRITE, SENDMSG) else ()
        blank = Request(opcode, flags, 0, 0, 0, 0, 0, 0, tag, 0, 0, 0, 0)
        return self.add(
            SUBMITTED, at=at, opcode=opcode, user_data=tag, flags=flags,
            request=blank._replace(**told), memory=memory,
        )  # fmt: skip

    def complete(self, result: int, at: int = 1, opcode: int = SEND, **more: Any) -> Story:
        told = {"mode": SOCK_MODE, "inode": 70, "sock": 0xFF, "opcode": opcode, **more}
        return self.add(COMPLETED, at=at, result=result, **told)

    def received(self, result: int, at: int = 1, **more: Any) -> Story:
        return self.complete(result, at, RECV, memory=(Memory(1, "", True, b"got", 3),), **more)

    @property
    def found(self) -> tuple[Syscall, ...]:
        find = lambda tid, _: self.runners.get(tid)  # noqa: E731
        return self.follower.follow(self.calls, self.records, find, "step")

    @property
    def only(self) -> Syscall:
        (call,) = self.found
        return call

    @property
    def held(self) -> list[bytes]:
        """What each one's memory held; b"" where that is left out."""
        return [call.memory[0].data if call.memory else b"" for call in self.found]


def test_a_send_is_the_call_that_does_the_same() -> None:
    call = Story().submit(SEND, op_flags=0x4000, off=0x9000, file_index=16).complete(5).only
    assert call == Syscall(
        "client",
        5,
        5,
        "sendto",
        (4, 0x7000, 5, 0x4000, 0x9000, 16),
        (Memory(1, "", False, b"hello", 5),),
        20,
        30,
        5,
        "inode 70",
        "step",
        RingUse(1, "send", socket="sk 00000000000000ff"),
    )


def test_a_negative_descriptor_is_one_of_64_bits_as_in_calls() -> None:
    assert Story().submit(SEND, fd=-1).complete(-9, mode=0).only.arguments[0] == 2**64 - 1


def test_a_worker_of_the_kernels_completes_what_a_thread_submitted() -> None:
    call = Story().submit(SEND).complete(5, tid=WORKER).only
    assert (call.tid, call.result) == (5, 5)


def test_a_thread_that_is_unknown_submits_for_the_rings_maker() -> None:
    story = Story().submit(SEND).complete(5)
    story.records[1] = replace(story.records[1], tid=STRANGER)
    assert (story.only.program, story.only.tid) == ("client", 5)


def test_each_completion_is_that_of_its_request() -> None:
    story = Story().submit(SEND, 1).submit(RECV, 2).received(3, at=2).complete(5, at=1)
    assert [(call.name, call.entry_ns, call.exit_ns, call.result) for call in story.found] == [
        ("sendto", 20, 50, 5),
        ("recvfrom", 30, 40, 3),
    ]


def test_a_request_is_of_its_ring_alone() -> None:
    story = Story().add(CREATED, ring=ANOTHER).submit(SEND, 1)
    call = story.add(COMPLETED, ring=ANOTHER, at=1, result=5).only
    assert (call.result, call.exit_ns) == (None, None)


def test_the_addresses_of_rings_and_requests_are_used_again() -> None:
    story = Story().submit(SEND).complete(5).submit(RECV).received(3)
    story.add(CREATED).submit(SEND).complete(4)
    assert [(c.name, c.result, c.ring and c.ring.ring) for c in story.found] == [
        ("sendto", 5, 1),
        ("recvfrom", 3, 1),
        ("sendto", 4, 2),
    ]


def test_what_is_never_completed_has_no_result() -> None:
    call = Story().submit(RECV).only
    assert (call.exit_ns, call.result, call.memory, call.socket) == (None, None, (), "")


def test_one_that_is_completed_in_silence_ends_where_its_address_is_used_again() -> None:
    """IOSQE_CQE_SKIP_SUCCESS."""
    story = Story().submit(SEND).submit(RECV).received(3)
    assert [(call.name, call.result) for call in story.found] == [("sendto", None), ("recvfrom", 3)]


def test_one_completed_after_its_threads_end_never_returned() -> None:
    story = Story().submit(RECV).complete(-125, opcode=RECV)
    story.runners[MAIN] = Runner("client", 5, 5, 25)
    assert story.only.result is None


@pytest.mark.parametrize(("multishot", "result"), [(1, 7), (1, -125)])
def test_a_multishot_accept_is_one_call_for_each_completion(multishot: int, result: int) -> None:
    story = Story().submit(ACCEPT, ioprio=multishot, addr=0, tag=3)
    story.complete(5, at=0, user_data=3, completion_flags=MORE)
    story.complete(6, at=0, user_data=3, completion_flags=MORE)
    story.complete(result, user_data=3)
    assert [(call.entry_ns, call.exit_ns, call.result) for call in story.found] == [
        (20, 30, 5),
        (30, 40, 6),
        (40, 50, result),
    ]


def test_a_completion_without_address_is_not_that_of_a_request_that_has_one_alone() -> None:
    story = Story().submit(RECV, 1).submit(ACCEPT, 2, ioprio=1)
    story.complete(5, at=0, completion_flags=MORE)
    assert [(call.name, call.result) for call in story.found] == [
        ("recvfrom", None),
        ("accept4", 5),
        ("accept4", None),
    ]


def test_of_two_that_a_completion_may_be_of_neither_is_followed() -> None:
    story = Story().submit(RECV, 1, ioprio=2).submit(RECV, 2, ioprio=2)
    story.complete(5, at=0, completion_flags=MORE).complete(0, at=1, opcode=RECV)
    for call in story.found:
        assert call.name == "io_uring:recv"
        assert call.ring is not None
        assert not call.ring.is_whole
        assert (call.arguments, call.memory) == ((), ())


def test_a_completion_for_which_there_was_no_room_is_found_by_its_user_data() -> None:
    story = Story().submit(SEND, 1, tag=8).submit(SEND, 2, tag=9).complete(5, at=0, user_data=9)
    assert [call.result for call in story.found] == [None, 5]


def test_the_notification_of_a_send_without_copy_is_no_completion() -> None:
    story = Story().submit(SEND_ZC).complete(5, opcode=SEND_ZC, completion_flags=MORE)
    story.complete(0, at=9, opcode=NOP, completion_flags=NOTIFICATION)
    assert (story.only.result, story.only.name) == (5, "sendto")


@pytest.mark.parametrize(
    ("mode", "count"), [(SOCK_MODE, 1), (PIPE_MODE, 1), (FILE_MODE, 0), (0, 1)]
)
def test_operations_on_other_files_are_none_of_its(mode: int, count: int) -> None:
    found = Story().submit(READ).complete(3, opcode=READ, mode=mode).found
    assert len(found) == count
    assert [call.socket for call in found if mode != SOCK_MODE] == [""] * (mode in (PIPE_MODE, 0))


def test_operations_on_nothing_are_left_out() -> None:
    assert Story().submit(NOP).complete(0, opcode=NOP, mode=0).found == ()


def test_an_operation_that_is_not_followed_says_its_name() -> None:
    call = Story().submit(SPLICE).complete(9, opcode=SPLICE).only
    assert (call.name, call.arguments, call.result) == ("io_uring:splice", (), 9)
    assert call.ring == RingUse(1, "splice", is_whole=False, socket="sk 00000000000000ff")


def test_so_does_one_whose_request_was_not_read() -> None:
    call = Story().add(SUBMITTED, at=1, opcode=SEND).complete(5).only
    assert (call.name, call.memory) == ("io_uring:send", ())


@pytest.mark.parametrize("opcode", [ACCEPT, SOCKET])
@pytest.mark.parametrize(
    ("index", "result", "place"),
    [(0, 7, None), (3, 0, 2), (ANY_PLACE, 4, 4), (ANY_PLACE, -23, None)],
)
def test_what_an_operation_makes_may_be_a_registered_file(
    opcode: int, index: int, result: int, place: int | None
) -> None:
    call = Story().submit(opcode, file_index=index).complete(result, opcode=opcode).only
    assert call.ring is not None
    assert (call.ring.place, call.ring.is_fixed, call.ring.is_whole) == (place, False, True)


def test_a_close_may_be_of_one() -> None:
    call = Story().submit(CLOSE, file_index=3).complete(0, opcode=CLOSE, mode=0).only
    assert call.ring is not None
    assert (call.name, call.arguments, call.ring.is_fixed) == ("close", (2,), True)
    plain = Story().submit(CLOSE).complete(0, opcode=CLOSE, mode=0).only
    assert plain.ring is not None
    assert (plain.arguments, plain.ring.is_fixed) == ((4,), False)


def test_a_registered_file_and_a_provided_buffer_are_said_to_be_such() -> None:
    use = Story().submit(RECV, flags=FIXED_FILE | BUFFER_SELECT).complete(3, opcode=RECV).only.ring
    assert use is not None
    assert (use.is_fixed, use.is_provided, use.is_whole) == (True, True, True)


def test_how_much_was_received_of_more_into_a_provided_buffer_is_unknown() -> None:
    story = Story().submit(RECV, flags=BUFFER_SELECT, op_flags=0x20)
    assert story.complete(3, opcode=RECV).only.name == "io_uring:recv"


def chained(flags: int) -> Iterator[Story]:
    for reader in (RECV, RECVMSG):
        yield Story().submit(reader, 1, addr=0x7000, flags=flags).submit(SEND, 2, addr=0x7002)


def test_a_send_behind_a_receive_into_its_memory_says_nothing_of_what_that_held() -> None:
    """It was read before the receive was at work."""
    for story in chained(LINK):
        assert story.complete(5, at=1, opcode=RECV).complete(5, at=2).held == [b"", b""]


def test_one_that_is_not_behind_it_does_where_they_share_none() -> None:
    beside, message = chained(0)
    assert beside.complete(5, at=2).held[1] == b""  # they share some
    assert message.complete(5, at=2).held[1] == b"hello"  # or the program is wrong
    apart = Story().submit(RECV, 1, addr=0x7000).submit(SEND, 2, addr=0x7005)
    assert apart.complete(5, at=2).held[1] == b"hello"


@pytest.mark.parametrize(("flags", "held"), [(0, b""), (LINK, b"got")])
def test_two_receives_into_one_place_say_nothing_unless_one_waits_for_the_other(
    flags: int, held: bytes
) -> None:
    story = Story().submit(RECV, 1, addr=0x7000, flags=flags).submit(RECV, 2, addr=0x7000)
    assert story.received(3, at=1).received(3, at=2).held == [held, held]


def test_a_chain_ends_with_the_request_that_links_none() -> None:
    story = Story().submit(RECV, 1, flags=LINK).submit(CLOSE, 2).submit(SEND, 3, addr=0x1)
    assert story.complete(5, at=3).held[2] == b"hello"
    linked = Story().submit(RECVMSG, 1, flags=LINK).submit(CLOSE, 2, flags=LINK).submit(SEND, 3)
    assert linked.complete(5, at=3).held[2] == b""


def test_where_too_many_are_under_way_nothing_is_said_of_what_memory_held() -> None:
    story = Story()
    for at in range(1, MOST_COMPARED + 2):
        story.submit(SEND, at)
    for at in range(1, MOST_COMPARED + 2):
        story.complete(5, at=at)
    assert story.held == [b"hello"] * MOST_COMPARED + [b""]


def setup(tid: int = 5, entry_ns: int = 5, exit_ns: int | None = 15) -> Syscall:
    return Syscall("client", 5, tid, "io_uring_setup", (8, 0), (), entry_ns, exit_ns, 3)


@pytest.mark.parametrize(
    ("call", "ring"),
    [
        (setup(), RingUse(1)),
        (setup(exit_ns=None), RingUse(1)),
        (setup(tid=6), None),
        (setup(entry_ns=12), None),
        (setup(exit_ns=8), None),
        (replace(setup(), name="io_uring_enter"), RingUse(0)),
        (replace(setup(), name="read"), None),
    ],
)
def test_a_call_that_made_a_ring_says_which(call: Syscall, ring: RingUse | None) -> None:
    """One that was not seen being made, as in another pid namespace, stays one that hides."""
    story = Story()
    story.calls.append(call)
    assert story.only.ring == ring


@pytest.mark.parametrize(("ring", "number"), [(RING, 1), (ANOTHER, 0)])
def test_a_call_that_registers_something_says_for_which_ring(ring: int, number: int) -> None:
    story = Story().add(REGISTERED, ring=ring)
    story.calls.append(replace(setup(entry_ns=19, exit_ns=25), name="io_uring_register"))
    assert story.only.ring == (RingUse(number) if number else None)


def test_operations_stand_among_the_calls_in_order_of_entry() -> None:
    story = Story().submit(SEND).complete(5)
    story.calls += [setup(), replace(setup(), name="io_uring_enter", entry_ns=18, exit_ns=40)]
    assert [call.name for call in story.found] == ["io_uring_setup", "io_uring_enter", "sendto"]


def test_what_a_step_left_under_way_is_not_in_the_next_one() -> None:
    story = Story().submit(SEND)
    assert len(story.found) == 1
    story.records = []
    assert story.complete(5).found == ()


def test_what_was_done_by_a_ring_whose_making_was_not_seen_is_nothing() -> None:
    assert Story().add(SUBMITTED, ring=ANOTHER, at=1, opcode=SEND).found == ()


def test_where_records_were_lost_a_ring_hides_what_it_does() -> None:
    story = Story().submit(SEND).complete(5)
    story.calls.append(setup())
    find = lambda tid, _: story.runners.get(tid)  # noqa: E731
    assert story.follower.follow(story.calls, story.records, find, "step", 1) == (setup(),)
    # Nor is anything known of its rings afterwards.
    story.records, story.calls = [], []
    assert story.submit(SEND).complete(5).found == ()
