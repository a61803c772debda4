"""The trace of a program is what the program says of itself."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable

import pytest
from outside import REPOSITORY
from ptraced import (
    Traced,
    data_of,
    end_with_a_process_left,
    python,
    results,
    run_in_a_host,
    run_twice,
    tracers_of_a_program_and_of_none,
)

from lab.analysis.calls.transcript import parse_transcript
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.topology import two_hosts
from lab.records import Obtained, ProgramRun, Syscall

DEMOS = REPOSITORY / "scenarios" / "demos"


PORT = 4242


LOOPBACK = {"4": "127.0.0.1", "6": "::1"}


KERNEL_NAMES = {"send": "sendto", "recv": "recvfrom", "accept": "accept4"}


pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("needs_ptrace")]


@pytest.mark.parametrize("family", LOOPBACK)
def test_the_demos_made_exactly_the_calls_that_they_print(sandbox: Sandbox, family: str) -> None:
    names = ("inet_stream_server", "inet_stream_client")
    commands = [
        (*python("")[:-2], str(DEMOS / f"{name}.py"), LOOPBACK[family], str(PORT)) for name in names
    ]
    trace, ended = sandbox.call(run_in_a_host, two_hosts(), commands)
    for name, (status, stdout) in zip(("p0", "p1"), ended, strict=True):
        assert status == 0
        run = ProgramRun(name, "", (), 0, None, 0, 0, stdout, "")
        printed = [
            (KERNEL_NAMES.get(call.name, call.name), call.result, call.data)
            for call in parse_transcript(run)
        ]
        wanted = {call[0] for call in printed}
        seen = [
            (call.name, call.result, data_of(call) if call.name in ("sendto", "recvfrom") else b"")
            for call in trace.syscalls
            if call.program == name and call.name in wanted
            # The interpreter closes files, too, and its own sockets it has not.
            if call.name != "close" or call.socket
        ]
        assert seen == printed
        assert len(printed) >= 9


@pytest.mark.parametrize("family", LOOPBACK)
def test_the_sockets_of_a_connection_have_states_and_addresses(
    sandbox: Sandbox, family: str
) -> None:
    names = ("inet_stream_server", "inet_stream_client")
    commands = [
        (*python("")[:-2], str(DEMOS / f"{name}.py"), LOOPBACK[family], str(PORT)) for name in names
    ]
    trace, _ = sandbox.call(run_in_a_host, two_hosts(), commands)
    assert {state.obtained for state in trace.states} == {Obtained.SAMPLED}
    connect, accept = (
        next(c for c in trace.syscalls if c.name == n) for n in ("connect", "accept4")
    )
    listener = [state for state in trace.states if state.socket == accept.socket]
    assert [state.new for state in listener][:2] == ["CLOSE", "LISTEN"]  # after bind and listen
    assert (listener[-1].local_address, listener[-1].local_port) == (LOOPBACK[family], PORT)
    client = [state for state in trace.states if state.socket == connect.socket]
    assert client[0].new == "ESTABLISHED"
    assert (client[0].remote_address, client[0].remote_port) == (LOOPBACK[family], PORT)
    server = [
        state for state in trace.states if state.socket not in (accept.socket, connect.socket)
    ]
    assert server[-1].new == "CLOSE_WAIT"  # the client had shut down before the server closed
    assert server[-1].remote_port == client[0].local_port != 0
    assert {call.socket for call in trace.syscalls if call.name == "recvfrom"} == {
        client[0].socket,
        server[0].socket,
    }


def test_what_is_sent_is_sent_before_it_is_received(sandbox: Sandbox) -> None:
    commands = [
        (*python("")[:-2], str(DEMOS / f"inet_stream_{name}.py"), LOOPBACK["4"], str(PORT))
        for name in ("server", "client")
    ]
    trace, _ = sandbox.call(run_in_a_host, two_hosts(), commands)
    by_program = {
        program: {
            name: [c for c in trace.syscalls if (c.program, c.name) == (program, name)]
            for name in ("accept4", "connect", "sendto", "recvfrom", "shutdown")
        }
        for program in ("p0", "p1")
    }
    server, client = by_program["p0"], by_program["p1"]

    def in_order(cause: Syscall, effect: Syscall) -> bool:
        assert effect.exit_ns is not None
        return cause.entry_ns < effect.exit_ns

    assert in_order(client["connect"][0], server["accept4"][0])
    assert in_order(client["sendto"][0], server["recvfrom"][0])
    assert in_order(client["shutdown"][0], server["recvfrom"][-1])
    assert in_order(server["sendto"][0], client["recvfrom"][0])
    for call in trace.syscalls:
        assert call.exit_ns is not None and call.entry_ns < call.exit_ns
    assert trace.syscalls == tuple(sorted(trace.syscalls, key=lambda call: call.entry_ns))


def test_a_pipeline_of_a_shell_is_followed(traced: Callable[..., Traced]) -> None:
    done = traced("sh", "-c", "echo through a pipe | cat; exit 133")
    assert (done.status, done.stdout) == (133, "through a pipe\n")
    written = [call for call in done.calls("write") if data_of(call) == b"through a pipe\n"]
    assert len({call.pid for call in written}) == 2
    assert results(written) == [15, 15]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_program_that_nobody_prepared_for_it_is_traced(traced: Callable[..., Traced]) -> None:
    done = traced("curl", "-s", "http://127.0.0.1:4242/")
    assert done.status == 7  # curl(1): failed to connect
    # Looking for a name server, it connects unix sockets as well.
    (connect,) = [c for c in done.calls("connect") if data_of(c)[2:4] == PORT.to_bytes(2, "big")]
    assert connect.result in (-errno.EINPROGRESS, -errno.ECONNREFUSED)


def test_each_step_has_its_own_calls(sandbox: Sandbox) -> None:
    first, second = sandbox.call(run_twice, [("sh", "-c", "echo hello")])
    assert [len([c for c in t.syscalls if c.name == "write"]) for t in (first, second)] == [1, 1]
    assert {c.pid for c in first.syscalls}.isdisjoint({c.pid for c in second.syscalls})


def test_a_step_does_not_end_while_a_process_lives(sandbox: Sandbox) -> None:
    refusal, was_killed = sandbox.call(
        end_with_a_process_left, python("import select; select.select([], [], [])")
    )
    assert refusal.startswith("InstrumentError: the tracer of p0 has not ended")
    assert was_killed


def test_no_tracer_outlives_its_program(sandbox: Sandbox) -> None:
    found = sandbox.call(tracers_of_a_program_and_of_none, ("sh", "-c", "echo hello"))
    assert found == (1, 0, 0)


ALLOWED = """
import os, threading
alone = len(os.sched_getaffinity(0))
thread = threading.Thread(target=lambda: told.append(len(os.sched_getaffinity(0))))
told = []
thread.start()
thread.join()
print([alone, *told, len(os.sched_getaffinity(0))])
"""


def test_a_program_with_several_threads_has_all_cpus(traced: Callable[..., Traced]) -> None:
    cpus = len(os.sched_getaffinity(0))
    assert traced(*python(ALLOWED)).said == [1, cpus, cpus]


CLOSED_BY_THE_PEER = """
import os, socket
listener = socket.create_server(("127.0.0.1", 4242))
client = socket.create_connection(("127.0.0.1", 4242))
server, _ = listener.accept()
server.close()
print(client.recv(1))
kept = os.dup(client.fileno())
os.close(client.detach())
os.write(kept, b"the first write to a closed peer")
os.close(kept)
"""


def test_a_state_is_seen_before_the_call_that_it_explains(traced: Callable[..., Traced]) -> None:
    done = traced(*python(CLOSED_BY_THE_PEER))
    assert done.stdout == "b''\n"
    (connect,) = done.calls("connect")
    (written,) = [call for call in done.calls("write") if call.socket]
    assert written.socket == connect.socket  # by another descriptor
    states = [state for state in done.trace.states if state.socket == connect.socket]
    assert [state.new for state in states][:2] == ["ESTABLISHED", "CLOSE_WAIT"]
    assert states[1].time_ns < written.entry_ns
    assert (states[1].local_port, states[1].remote_port) == (states[0].local_port, PORT)
