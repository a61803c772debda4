from __future__ import annotations

import socket

import inside
import inside_held
import pytest

from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.topology import two_hosts

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_tcp_connection_is_undrained_until_both_sides_have_closed(
    sandbox: Sandbox, family: socket.AddressFamily
) -> None:
    listening, open_, half_closed, closed = sandbox.call(
        inside.undrained_as_a_connection_ends, two_hosts(), family
    )
    assert listening == []
    assert [line.split()[-1] for line in open_] == ["01", "01"]  # ESTABLISHED
    closing, waiting = sorted(line.split()[-1] for line in half_closed)
    assert closing in ("04", "05")  # FIN_WAIT1, or FIN_WAIT2 once the FIN is acknowledged
    assert waiting == "08"  # CLOSE_WAIT
    assert all(line.startswith("client: ") for line in (*open_, *half_closed))
    assert closed == []


def test_what_a_host_holds_is_there_with_its_queues(sandbox: Sandbox) -> None:
    nothing, waiting, end = sandbox.call(inside_held.held_at, ("waiting", "end"))
    assert nothing == []
    assert waiting is not None
    assert end is not None
    said = {(each.protocol, each.local_port): each for each in waiting}
    # A bound socket to which nothing came says nothing while programs wait.
    assert set(said) == {("tcp", 4242), ("udp", 5353), ("unix", 0)}
    assert (said["tcp", 4242].receive_queue, said["tcp", 4242].send_queue) == (0, 7)
    assert (said["udp", 5353].receive_queue or 0) > len(b"unread")  # memory, not bytes
    assert (said["unix", 0].receive_queue or 0) > 0
    assert {(each.protocol, each.local_port) for each in end} >= {
        ("tcp", 4242), ("udp", 5353), ("udp", 5354),
    }  # fmt: skip
    assert {(each.host, each.step) for each in (*waiting, *end)} == {("host", "step")}


def test_what_is_sent_or_ends_by_itself_is_in_flight(sandbox: Sandbox) -> None:
    assert sandbox.call(inside_held.in_flight) == {
        "open": False,
        "held back": True,
        "keepalive soon": True,
        "keepalive some day": False,
        "window closed": True,
        "window stays closed": False,
    }
