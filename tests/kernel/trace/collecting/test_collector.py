from __future__ import annotations

import pytest
from traced_programs import run

from lab.kernel.sandbox.sandbox import Sandbox

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("needs_bpf")]


def test_programs_at_the_same_time_are_distinguished(sandbox: Sandbox) -> None:
    one = "a, b = socket.socketpair()\nfor _ in range({}): a.send(b'x')\nprint(os.getpid())"
    traced = run(sandbox, one.format(50), one.format(80))
    counts = dict.fromkeys(("program 0", "program 1"), 0)
    for call in traced.calls("sendto"):
        counts[call.program] += 1
    assert counts == {"program 0": 50, "program 1": 80}
    assert {call.program: call.pid for call in traced.calls("sendto")} == {
        f"program {place}": pid for place, pid in enumerate(traced.said)
    }


MANY = """
a, b = socket.socketpair()
for number in range(10000):
    a.send(b'x')
    b.recv(1)
"""


def test_forty_thousand_calls_are_all_there(sandbox: Sandbox) -> None:
    traced = run(sandbox, MANY, MANY)
    assert len(traced.calls("sendto")) == len(traced.calls("recvfrom")) == 20_000
    assert all(call.result == 1 for call in traced.calls("sendto", "recvfrom"))
    entries = [call.entry_ns for call in traced.trace.syscalls]
    assert entries == sorted(entries)
