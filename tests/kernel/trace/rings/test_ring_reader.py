"""What the kernel's tracepoints give of rings, read by BPF in a sandbox."""

from __future__ import annotations

import os

import pytest
import rings_seen

from lab.errors import KernelRefused
from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.trace.bpf import bpf
from lab.kernel.trace.bpf.followed import FollowedNamespace
from lab.kernel.trace.rings.ring_reader import RingReader
from lab.kernel.trace.rings.ring_records import (
    COMPLETED,
    CREATED,
    REGISTERED,
    SUBMITTED,
    RingRecord,
)

pytestmark = pytest.mark.kernel

SEND, RECV, CLOSE = 26, 27, 19


@pytest.fixture(scope="module", autouse=True)
def needs_bpf() -> None:
    if os.geteuid() != 0:
        pytest.skip("BPF programs are root's: bpf(2) gives EPERM to others")
    if reason := rings_seen.why_not():
        pytest.skip(reason)


def of(found: list[RingRecord], kind: int) -> list[RingRecord]:
    return [each for each in found if each.kind == kind]


def test_a_program_of_the_namespace_is_seen_with_its_memory(sandbox: Sandbox) -> None:
    found, lost = sandbox.call(rings_seen.of_a_program)
    assert lost == 0
    (created,) = of(found, CREATED)
    submitted, completed = of(found, SUBMITTED), of(found, COMPLETED)
    assert [each.opcode for each in submitted] == [SEND, RECV, RECV, CLOSE]
    assert {each.ring for each in found} == {created.ring}
    (registered,) = of(found, REGISTERED)
    assert registered.tid == created.tid
    assert [each.result for each in completed] == [5, 3, -9, 0]
    send, recv = submitted[0], completed[1]
    assert [each.data for each in send.memory] == [b"hello"]
    assert [(each.data, each.at_exit) for each in recv.memory] == [(b"hel", True)]
    assert send.request is not None
    assert (send.request.len, send.user_data) == (5, 1)
    # Sockets are named, files that are none or unknown are not.
    assert [each.inode != 0 for each in completed] == [True, True, False, False]
    assert completed[0].inode != completed[1].inode
    assert completed[0].sock != completed[1].sock != 0
    times = [each.time_ns for each in found]
    assert times == sorted(times)


def test_of_another_namespace_nothing_is_seen(sandbox: Sandbox) -> None:
    assert sandbox.call(rings_seen.of_another_namespace) == ([], 0)


def test_of_a_namespace_beneath_all_is_seen(sandbox: Sandbox) -> None:
    (beneath, lost), (plain, _) = (
        sandbox.call(function)
        for function in (rings_seen.of_a_namespace_beneath, rings_seen.of_a_program)
    )
    assert lost == 0
    assert [(each.kind, each.opcode, each.result) for each in beneath] == [
        (each.kind, each.opcode, each.result) for each in plain
    ]


def test_what_does_not_fit_is_counted(sandbox: Sandbox) -> None:
    found, lost = sandbox.call(rings_seen.of_many)
    assert lost > 0
    assert len(found) + lost == 1 + 2 * rings_seen.MANY


def test_until_linux_6_2_the_tracepoint_of_a_submission_has_another_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attached = []

    def attach(_: int, tracepoint: str, *, typed: bool) -> int:
        if tracepoint == "io_uring_submit_req":
            raise KernelRefused("attach to it: ENOENT") from FileNotFoundError()
        attached.append(tracepoint)
        return os.open(os.devnull, os.O_RDONLY)

    monkeypatch.setattr(bpf, "attach", attach)
    followed = FollowedNamespace()
    RingReader(followed).close()
    followed.close()
    assert "io_uring_submit_sqe" in attached
