"""Which rights a call takes; and what is near to each cause and is not it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trace_edits as t
from failed_call import LATE_NS, TCP, bound, found, ran_as

EPERM, EACCES = 1, 13


def test_a_low_port_takes_a_right() -> None:
    run = bound("0.0.0.0", 80, EACCES)
    assert "port 80 is below 1024" in found(ran_as(run))["port-needs-right"].text
    assert "port-needs-right" not in found(ran_as(run, "CAP_NET_BIND_SERVICE"))
    assert "port-needs-right" not in found(run), "who ran is not known"
    assert "port-needs-right" not in found(ran_as(bound("0.0.0.0", 8080, EACCES)))


@pytest.mark.parametrize(("domain", "kind", "is_met"), [(2, 3, True), (17, 2, True), (2, 1, False)])
def test_a_socket_for_packets_takes_a_right(domain: int, kind: int, is_met: bool) -> None:
    sockets = t.call_of(TCP, "client", "socket")
    made = replace(
        sockets, entry_ns=LATE_NS, exit_ns=LATE_NS + 1, arguments=(domain, kind, 0),
        result=-EPERM, socket="",
    )  # fmt: skip
    run = t.with_calls(TCP, [*TCP.trace.syscalls, made])
    assert ("socket-needs-right" in found(run)) is is_met
    assert "socket-needs-right" not in found(ran_as(run, "CAP_NET_RAW"))
