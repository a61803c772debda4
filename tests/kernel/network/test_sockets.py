from __future__ import annotations

import socket

import inside
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
