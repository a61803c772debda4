"""From what BPF saw of rings to calls: each completion of an operation on a socket or a pipe.

What is completed is found by the request's address, which is used again afterwards; of several
completions of one request (multishot) those before the last come without it, and are found by
user_data, if one request alone of the ring has that.

Nothing is made up. An operation that is not followed, or whose request could not be read, is kept
by its name and says no more (`RingUse.is_whole`). What a send's memory held is left out where an
operation submitted before may write there until the send is at work, and what a receive's held
where two receive into one place.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

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
    HARD_LINK,
    LINK,
    MORE,
    NOTIFICATION,
    OPERATIONS,
    RING_CALLS,
    Request,
    unfollowed,
)

_MAKES = frozenset({"accept", "socket"})
"""Operations that make a descriptor, or with a file_index a registered file."""

_MULTISHOT = {"accept": 1 << 0, "recv": 1 << 1 | 1 << 4, "recvmsg": 1 << 1, "send": 1 << 4}
"""By operation the flags in ioprio with which it may be completed several times: IORING_ACCEPT_
MULTISHOT, IORING_RECV_MULTISHOT, IORING_RECVSEND_BUNDLE."""

_MSG_TRUNC = 0x20
"""With it the result may be longer than what was received: recv(2)."""

_WRITES = frozenset({"readv", "read_fixed", "recvmsg", "read", "recv", "read_multishot"})
"""Operations that write to the program's memory."""
_RANGED = frozenset({"read_fixed", "read", "recv", "write_fixed", "write", "send", "send_zc"})
"""Those whose addr and len are where that is."""
_WIDTH = 1 << 64

MOST_COMPARED = 256
"""Of how many requests under way it is asked whether they share memory with a new one; where
there are more, what that one's memory held is left out."""


class Runner(NamedTuple):
    """A thread of a program, as it is in the records."""

    program: str
    pid: int
    tid: int
    ended_ns: int | None
    """None where it had not ended."""


FindRunner = Callable[[int, int], Runner | None]
"""The thread that had a tid of the initial pid namespace at a time."""


@dataclass(slots=True, eq=False)
class _Ring:
    number: int
    maker: Runner | None
    chain: int = 0
    """Which chain of linked requests the last submitted one is of, from 1."""
    is_open: bool = False
    """Whether the next one is of that chain as well."""


@dataclass(slots=True, eq=False)
class _UnderWay:
    """A request that has been submitted and not completed for the last time."""

    ring: _Ring
    runner: Runner
    opcode: int
    flags: int
    user_data: int
    request: Request | None
    memory: tuple[Memory, ...]
    chain: int
    since_ns: int
    is_doubtful: bool = False
    """Whether it may be that its memory held something else when it was read."""

    @property
    def name(self) -> str:
        """As liburing names the operation; "" if it is none on sockets or pipes."""
        operation = OPERATIONS.get(self.opcode)
        return unfollowed(self.opcode) if operation is None else operation.name

    @property
    def writes(self) -> bool:
        """Whether the kernel writes to the program's memory."""
        return self.name in _WRITES

    def is_chained_with(self, other: _UnderWay) -> bool:
        """Whether one begins after the other has been completed (IOSQE_IO_LINK)."""
        return self.ring is other.ring and self.chain == other.chain

    def may_share_with(self, other: _UnderWay) -> bool:
        """Whether they may use the same memory: a program that uses it twice at once is wrong."""
        one, two = self.place, other.place
        if one is None or two is None:
            return self.is_chained_with(other)
        return one.start < two.stop and two.start < one.stop

    @property
    def may_go_on(self) -> bool:
        """Whether it may be completed several times."""
        if self.request is None or self.opcode not in OPERATIONS:
            return True
        is_marked = bool(self.request.ioprio & _MULTISHOT.get(self.name, 0))
        return is_marked or self.name == "read_multishot"

    @property
    def place(self) -> range | None:
        """The memory that it uses; None where that is several pieces, or unknown."""
        if self.request is None or self.name not in _RANGED:
            return None
        return range(self.request.addr, self.request.addr + self.request.len)


class RingFollower:
    """Follows the rings of a run over all its steps."""

    def __init__(self) -> None:
        self._rings: dict[int, _Ring] = {}
        self._count = 0
        self._under_way: dict[tuple[int, int], _UnderWay] = {}

    def follow(
        self,
        syscalls: Sequence[Syscall],
        records: Iterable[RingRecord],
        find: FindRunner,
        step: str,
        lost: int = 0,
    ) -> tuple[Syscall, ...]:
        """A step's calls with its operations among them, in order of entry.

        The records are in order of time, which is CLOCK_REALTIME. The calls that made the rings
        say so. A request that is not completed now counts as one that never is. Where some of the
        step's records were `lost` the calls are as they were: what rings did is unknown then.
        """
        if lost:
            self._rings, self._under_way = {}, {}
            return tuple(syscalls)
        made: dict[int, list[tuple[int, int]]] = {}  # and those for which something is registered
        found: list[Syscall] = []
        for record in records:
            runner = find(record.tid, record.time_ns)
            if record.kind == CREATED:
                self._count += 1
                self._rings[record.ring] = _Ring(self._count, runner)
                if runner is not None:
                    made.setdefault(runner.tid, []).append((record.time_ns, self._count))
            elif record.kind == REGISTERED and record.ring in self._rings and runner is not None:
                number = self._rings[record.ring].number
                made.setdefault(runner.tid, []).append((record.time_ns, number))
            elif record.kind == SUBMITTED:
                found += self._submit(record, runner)
            elif record.kind == COMPLETED:
                found += self._complete(record)
        for each in self._under_way.values():
            found += _call(each, None)
        self._under_way = {}
        calls = [_marked(call, made) for call in syscalls]
        calls += [replace(call, step=step) for call in found]
        return tuple(sorted(calls, key=lambda call: call.entry_ns))

    def _submit(self, record: RingRecord, runner: Runner | None) -> Iterator[Syscall]:
        ring = self._rings.get(record.ring)
        runner = runner or (ring.maker if ring is not None else None)
        if ring is None or runner is None:
            return  # its making is lost
        if not ring.is_open:
            ring.chain += 1
        ring.is_open = bool(record.flags & (LINK | HARD_LINK))
        before = self._under_way.pop((record.ring, record.at), None)
        if before is not None:
            yield from _call(before, None)  # it was to be completed in silence
        new = _UnderWay(
            ring, runner, record.opcode, record.flags, record.user_data, record.request,
            record.memory, ring.chain, record.time_ns,
        )  # fmt: skip
        if len(self._under_way) < MOST_COMPARED:
            for other in self._under_way.values():
                _doubt(other, new)
        else:
            new.is_doubtful = True
        self._under_way[record.ring, record.at] = new

    def _complete(self, record: RingRecord) -> Iterator[Syscall]:
        if record.completion_flags & NOTIFICATION:
            return
        goes_on = bool(record.completion_flags & MORE)
        key = (record.ring, record.at) if record.at else self._only(record, goes_on=goes_on)
        done = self._under_way.get(key) if key is not None else None
        if done is None or key is None:
            return
        if not goes_on or done.name.endswith("_zc"):  # then a notification follows
            del self._under_way[key]
        yield from _call(done, record)
        done.since_ns = record.time_ns

    def _only(self, record: RingRecord, *, goes_on: bool) -> tuple[int, int] | None:
        """The one request that a completion without address can be of; None if there are more."""
        keys = [
            key
            for key, each in self._under_way.items()
            if key[0] == record.ring and each.user_data == record.user_data
            if each.may_go_on or not goes_on
        ]
        if len(keys) == 1:
            return keys[0]
        for key in keys:
            self._under_way[key].request = None
        return None


def _doubt(earlier: _UnderWay, later: _UnderWay) -> None:
    """Note of which the memory may be changed by the other before it is at work, or read."""
    if not (earlier.writes or later.writes) or not earlier.may_share_with(later):
        return
    if earlier.writes and not later.writes:
        later.is_doubtful = True
    if later.writes and not earlier.is_chained_with(later):
        earlier.is_doubtful = True
        later.is_doubtful = True


def _marked(call: Syscall, made: dict[int, list[tuple[int, int]]]) -> Syscall:
    """A call that makes or enters a ring, or registers something for it, with the ring."""
    if call.name not in RING_CALLS:
        return call
    if call.name == "io_uring_enter":
        return replace(call, ring=RingUse(0))
    end_ns = _WIDTH if call.exit_ns is None else call.exit_ns
    for time_ns, number in made.get(call.tid, ()):
        if call.entry_ns <= time_ns <= end_ns:
            return replace(call, ring=RingUse(number))
    return call


def _call(done: _UnderWay, record: RingRecord | None) -> Iterator[Syscall]:
    """A completion of an operation, or one that was not seen; none of one on other files."""
    if not done.name or (record is not None and record.mode and not _is_followed(record.mode)):
        return
    runner, operation, request = done.runner, OPERATIONS.get(done.opcode), done.request
    if record is not None and runner.ended_ns is not None and record.time_ns > runner.ended_ns:
        record = None
    is_socket = record is not None and stat.S_ISSOCK(record.mode)
    arguments: tuple[int, ...] = ()
    place: int | None = None
    is_whole = is_fixed = False
    if operation is not None and request is not None:
        values = [getattr(request, name) if name else 0 for name in operation.arguments]
        is_fixed = bool(done.flags & FIXED_FILE)
        if done.name == "close" and request.file_index:
            values[0], is_fixed = request.file_index - 1, True
        elif done.name in _MAKES and request.file_index:
            place = request.file_index - 1
            if request.file_index == ANY_PLACE:  # the result is the place
                place = None if record is None or record.result < 0 else record.result
        arguments = tuple(value % _WIDTH for value in values)
        is_provided, flags = done.flags & BUFFER_SELECT, request.op_flags
        is_cut = done.name == "recv" and is_provided and flags & _MSG_TRUNC
        is_whole = not is_cut
    memory = () if record is None or not done.writes else record.memory
    yield Syscall(
        program=runner.program,
        pid=runner.pid,
        tid=runner.tid,
        name=operation.call if is_whole and operation is not None else f"io_uring:{done.name}",
        arguments=arguments if is_whole else (),
        memory=() if done.is_doubtful or not is_whole else memory if done.writes else done.memory,
        entry_ns=done.since_ns,
        exit_ns=None if record is None else record.time_ns,
        result=None if record is None else record.result,
        socket=f"inode {record.inode}" if record is not None and is_socket else "",
        ring=RingUse(
            ring=done.ring.number,
            operation=done.name,
            is_fixed=is_whole and is_fixed,
            is_provided=is_whole and bool(done.flags & BUFFER_SELECT),
            is_whole=is_whole,
            place=place if is_whole else None,
            socket=f"sk {record.sock:016x}" if record is not None and is_socket else "",
        ),
    )


def _is_followed(mode: int) -> bool:
    return stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode)
