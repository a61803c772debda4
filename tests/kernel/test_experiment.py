from __future__ import annotations

from pathlib import Path

import pytest
from step_programs import READY, python, run

from lab.kernel.plan import Plan
from lab.kernel.recorder import record
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.family import Family
from lab.model.program import Step
from lab.model.topology import two_hosts
from lab.records import Direction

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]


def test_programs_of_all_hosts_share_a_folder_that_the_host_does_not_see(
    sandbox: Sandbox, marker: str
) -> None:
    path = f"/run/wirelab/{marker}"
    write = python(f"open({path!r}, 'w').write('from the client')", "writer")
    read = python(f"print(open({path!r}).read())", "reader", host="server")
    plan = Plan("t", Family.IPV4, two_hosts(), (Step("one", (write,)), Step("two", (read,))))
    first, second = sandbox.call(record, plan).programs
    assert second.stdout == "from the client\n"
    assert first.ended_ns < second.started_ns
    assert not Path(path).exists()


def test_frames_of_a_bulk_transfer_fit_the_mtu(sandbox: Sandbox) -> None:
    receive = (
        "import socket\nlistener = socket.create_server(('198.51.100.2', 4242))\n" + READY
        + "peer, _ = listener.accept()\ntotal = 0\n"
        "while data := peer.recv(1 << 16): total += len(data)\nprint(total)"
    )  # fmt: skip
    send = (
        "import socket\nwith socket.create_connection(('198.51.100.2', 4242)) as s:"
        " s.sendall(bytes(300_000))"
    )
    recording = run(
        sandbox,
        python(receive, "receiver", host="server", ready=True),
        python(send, "sender"),
    )
    assert recording.programs[0].stdout == "300000\n"
    sizes = [f.wire_bytes for f in recording.frames if f.direction is Direction.OUT]
    assert sum(sizes) > 300_000
    assert max(sizes) == 1514
