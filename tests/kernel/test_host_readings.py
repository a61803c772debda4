"""What hosts' kernels are asked for: when something waits, and at the end of a step."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from step_programs import python

from lab.analysis.sockets.held import held_of_step
from lab.kernel.plan import Plan
from lab.kernel.recorder import record
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.family import Family
from lab.model.program import Step
from lab.model.topology import two_hosts
from lab.records import HeldSocket, InstrumentKind, Recording

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]

LISTEN = """
import os, socket, time
s = socket.socket()
s.bind(("127.0.0.1", 4242))
s.listen(5)
"""
WAIT = "\nwhile time.monotonic() < began + {}: time.sleep(0.01)"


def held_of(sandbox: Sandbox, code: str) -> tuple[Recording, list[HeldSocket]]:
    steps = (Step("step", (python(code, "server"),)),)
    recording = sandbox.call(record, Plan("t", Family.IPV4, two_hosts(), steps))
    assert recording.programs[0].failure == ""
    return recording, [each for each in recording.held_sockets if each.state == "LISTEN"]


def test_a_socket_is_looked_at_once_where_nothing_moves(sandbox: Sandbox) -> None:
    waiting = "began = time.monotonic()" + WAIT.format(1.5)
    recording, held = held_of(sandbox, LISTEN + waiting)
    assert [(each.moment, each.receive_queue, each.send_queue) for each in held] == [
        ("waiting", 0, 5)
    ]
    said = [each for each in recording.instruments if each.kind is InstrumentKind.SOCKETS]
    assert [each.obtained is not None for each in said] == [True]


def test_it_is_looked_at_again_when_more_waits(sandbox: Sandbox) -> None:
    code = LISTEN + "began = time.monotonic()" + WAIT.format(1)
    code += '\nsocket.create_connection(("127.0.0.1", 4242))' + WAIT.format(3)
    _, held = held_of(sandbox, code)
    assert [each.receive_queue for each in held] == [0, 1]


def test_a_step_that_is_over_at_once_leaves_what_lingers(sandbox: Sandbox) -> None:
    code = LISTEN + 'c = socket.create_connection(("127.0.0.1", 4242))\na, _ = s.accept()\n'
    recording, _ = held_of(sandbox, code + "c.close(); a.recv(1); a.close(); s.close()")
    lingering = [each for each in recording.held_sockets if each.moment == "end"]
    assert [each.state for each in lingering] == ["TIME_WAIT"]


@pytest.mark.parametrize("trace", ["auto", "ptrace"])
def test_a_closed_connection_is_held_with_its_host_and_how_tcp_was_doing(
    sandbox: Sandbox, trace: str
) -> None:
    code = LISTEN + 'c = socket.create_connection(("127.0.0.1", 4242))\na, _ = s.accept()\n'
    code += 'c.send(b"hello"); c.close(); a.recv(9); a.recv(9); a.close(); s.close()'
    steps = (Step("step", (python(code, "server"),)),)
    plan = Plan("t", Family.IPV4, two_hosts(), steps, trace=trace)
    held = held_of_step(sandbox.call(record, plan), "step")
    closed = [each for each in held if each.moment == "close"]
    assert {each.host for each in closed} == {"client"}
    accepted = next(each for each in closed if each.local_port == 4242 and each.info)
    assert accepted.info is not None
    assert accepted.info.bytes_received >= len(b"hello")
    assert any(each.state == "LISTEN" and each.send_queue == 5 for each in closed)


def test_a_socket_that_two_processes_have_open_is_held_with_both(sandbox: Sandbox) -> None:
    code = LISTEN + 'c = socket.create_connection(("127.0.0.1", 4242))\na, _ = s.accept()\n'
    code += "child = os.fork()\nif not child: os.close(c.fileno())\nbegan = time.monotonic()"
    code += WAIT.format(2) + "\nif not child: os._exit(0)\nos.waitpid(child, 0)"
    recording, _ = held_of(sandbox, code)
    connected = [each for each in recording.held_sockets if each.moment == "waiting"]
    by_port = {each.local_port: each for each in connected if each.state == "ESTABLISHED"}
    assert len(by_port[4242].holders) == 2
    assert {each.command for each in by_port[4242].holders} == {Path(sys.executable).name[:15]}
    by_peer = {each.remote_port: each for each in connected if each.state == "ESTABLISHED"}
    assert len(by_peer[4242].holders) == 1
