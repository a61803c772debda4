"""Programs that use sockets by rings of io_uring(7), as root's tracer sees them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest
import ring_programs as programs
import rings_seen
from ad_hoc_run import CONVERSE, AdHocRun, python

pytestmark = pytest.mark.kernel

Run = Callable[..., AdHocRun]
Calls = list[tuple[str, int | None]]

UNDECIDED_STATUS = 4
MOST_RUNS = 5


@pytest.fixture(scope="module", autouse=True)
def needs_rings() -> None:
    if os.geteuid() != 0:
        pytest.skip("rings are followed by BPF, which is root's")
    if reason := rings_seen.why_not():
        pytest.skip(reason)


def ringing(code: str) -> str:
    return python(programs.RING + code)


def run_of(ad_hoc: Run, client: str, server: str = "") -> AdHocRun:
    """A run of which nothing was lost: what the whole machine sends shares a buffer with it."""
    for _ in range(MOST_RUNS):
        run = ad_hoc(server or python(CONVERSE), ringing(client), trace="bpf")
        if "rings: not followed" in run.done.stdout:
            pytest.skip(run.head)
        if "the tracer lost" not in run.done.stdout:
            return run
    pytest.skip(f"the machine is so busy that the tracer lost events in {MOST_RUNS} runs")


def operations(run: AdHocRun, program: str = "client") -> Calls:
    """What a program did by rings, with the results."""
    return [
        (event["ring"], event["result"])
        for event in run.report["events"]
        if event["id"]["kind"] == "system call"
        if event["ring"] and event["program"] == program
    ]


def arguments_of(run: AdHocRun, operation: str) -> list[dict[str, str]]:
    return [
        event["arguments"]
        for event in run.report["events"]
        if event["id"]["kind"] == "system call" and event["ring"] == operation
    ]


def assert_all_holds(run: AdHocRun) -> None:
    """Nothing that is claimed of the calls is left undecided."""
    wanted = ("ad-hoc-stream-bytes", "ad-hoc-connect", "ad-hoc-accept")
    said = {run.verdicts[name] for name in wanted if name in run.verdicts}
    assert said == {"HOLDS"}, run.done.stdout


def test_a_connection_from_socket_to_close(ad_hoc: Run) -> None:
    run = run_of(ad_hoc, programs.TALK, ringing(programs.SHOUT))
    assert run.wrote["client"] == "0\n5\nb'HELLO'\n0 0 0\n"
    assert_all_holds(run)
    (s,) = {event["descriptor"] for event in run.report["events"] if event.get("ring") == "connect"}
    assert operations(run) == [
        ("socket", s), ("connect", 0), ("send", 5), ("recv", 5), ("shutdown", 0), ("recv", 0),
        ("close", 0),
    ]  # fmt: skip
    assert [name for name, _ in operations(run, "server")] == [
        "accept", "recv", "send", "recv", "close",
    ]  # fmt: skip
    text = run.done.stdout
    assert re.search(rf"io_uring connect\({s}, 198\.51\.100\.2:\d+, 16\)", text)
    assert f"io_uring send({s}, 'hello', 5, 0, NULL, 0)" in text
    # In one line where the answer had come before it was asked for.
    assert re.search(r"io_uring recv( = 5, buf 'HELLO'|\(\d+, 'HELLO', [^)]*\) = 5)", text), text
    assert "1 send → 1 segment → 1 read, 5 bytes sent = 5 on the" in text


def test_every_operation_that_moves_bytes(ad_hoc: Run) -> None:
    run = run_of(ad_hoc, programs.KINDS)
    assert run.wrote["client"].endswith("b'WRITE WRITEV SENDMSG ZERO COPY'\n")
    assert_all_holds(run)
    found = operations(run)
    assert found[:5] == [
        ("write", 6), ("writev", 7), ("sendmsg", 8), ("send_zc", 9), ("shutdown", 0)
    ]  # fmt: skip
    reads = [result for name, result in found[5:]]
    assert {name for name, _ in found[5:]} == {"read", "readv", "recvmsg"}
    assert sum(each or 0 for each in reads) == 30
    (sent,) = arguments_of(run, "sendmsg")
    assert sent["msg"] == "{'sendmsg '}"
    # What a struct msghdr received into is not read.
    assert all(each["msg"].startswith("0x") for each in arguments_of(run, "recvmsg"))


def test_requests_that_are_completed_several_times(ad_hoc: Run) -> None:
    run = run_of(ad_hoc, programs.TWICE, ringing(programs.MULTISHOT))
    assert run.wrote["client"] == "b'done'\nb'done'\n"
    assert_all_holds(run)
    found = operations(run, "server")
    accepted = [result for name, result in found if name == "accept"]
    assert len(accepted) == 3
    assert accepted[2] is None  # it still waits when its program ends
    received = [result for name, result in found if name == "recv"]
    assert sum(each or 0 for each in received) == 16
    assert received.count(0) == 2
    assert {each["buf"] for each in arguments_of(run, "recv")} == {"a provided buffer"}
    assert not any(event["data"] for event in run.report["events"] if event.get("ring") == "recv")


def test_a_chain(ad_hoc: Run) -> None:
    run = run_of(ad_hoc, programs.LINKED)
    assert run.wrote["client"].endswith("5 0 0\n")
    assert_all_holds(run)
    first, second = arguments_of(run, "send")
    assert first["buf"] == "'first'"
    # When it was submitted the memory did not hold yet what it would send.
    assert second["buf"].startswith("0x")


def test_requests_that_a_thread_of_the_kernels_submits(ad_hoc: Run) -> None:
    run = run_of(ad_hoc, programs.POLLED)
    assert run.wrote["client"] == "11\n0\nb'BY A THREAD' 0\n"
    assert_all_holds(run)
    assert operations(run) == [("send", 11), ("shutdown", 0), ("recv", 11), ("recv", 0)]


def test_a_ring_that_a_child_shares(ad_hoc: Run) -> None:
    run = run_of(ad_hoc, programs.SHARED)
    assert run.wrote["client"] == "b'OF A CHILD, OF A PARENT'\n"
    assert_all_holds(run)
    made = [event for event in run.report["events"] if event.get("ring") == "send"]
    assert [event["result"] for event in made] == [10, 13]
    assert len({event["pid"] for event in made}) == 2


def test_two_requests_at_once_for_one_sockets_bytes(ad_hoc: Run) -> None:
    run = run_of(ad_hoc, programs.TWO_AT_ONCE)
    assert run.wrote["client"] == "[3, 4]\n"
    assert_all_holds(run)
    assert sorted(result or 0 for _, result in operations(run)) == [3, 4]


def test_a_request_that_the_programs_end_cancels(ad_hoc: Run) -> None:
    run = run_of(ad_hoc, programs.LEFT)
    ((name, result),) = operations(run)
    assert (name, result) in (("recv", None), ("recv", -1))
    assert run.verdicts["ad-hoc-connect"] == "HOLDS"
    assert "BROKEN" not in run.verdicts.values()


def test_datagrams_with_their_addresses(ad_hoc: Run) -> None:
    run = run_of(ad_hoc, programs.DATAGRAMS, ringing(programs.ECHO_DATAGRAMS))
    assert run.wrote["client"] == "10\n7\n10 7\n"
    assert run.verdicts["ad-hoc-datagram-bytes"] == "HOLDS", run.done.stdout
    assert re.search(
        r"io_uring sendmsg\(\d+, \{198\.51\.100\.2:\d+, 'by sendmsg'\}", run.done.stdout
    )
    assert re.search(r"io_uring send\(\d+, 'by send', 7, 0, 198\.51\.100\.2:", run.done.stdout)


def test_registered_files(ad_hoc: Run) -> None:
    run = run_of(ad_hoc, programs.FIXED_FILES)
    assert run.wrote["client"] == "8\nb'BY PLACE'\n"
    assert_all_holds(run)
    assert operations(run) == [("send", 8), ("recv", 8)]
    assert "io_uring send(registered file 0, 'by place', 8" in run.done.stdout
    assert "IORING_REGISTER_FILES, [" in run.done.stdout


def test_sockets_that_never_have_a_descriptor(ad_hoc: Run) -> None:
    run = run_of(ad_hoc, programs.DIRECT_TALK, ringing(programs.DIRECT))
    assert run.wrote["client"] == "0\n0\n5 5\n0 0\n"
    assert_all_holds(run)
    (accept,) = arguments_of(run, "accept")
    assert accept["file_index"] == "registered file 1"
    (socket,) = arguments_of(run, "socket")
    assert socket["file_index"] == "registered file 0"


def test_what_is_not_followed_is_undecided_and_named(ad_hoc: Run) -> None:
    run = run_of(ad_hoc, programs.SPLICED)
    assert run.wrote["client"] == "7\nb'SPLICED'\n"
    assert operations(run) == [("splice", 7)]
    assert run.verdicts["ad-hoc-stream-bytes"] == "UNDECIDED"
    assert run.done.returncode == UNDECIDED_STATUS
    assert "io_uring splice of client is not followed" in " ".join(run.done.stdout.split())
