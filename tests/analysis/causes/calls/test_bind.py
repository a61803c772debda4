"""Why bind(2) failed; and what is near to each cause and is not it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from failed_call import FLOW, STEP, bound, found

from lab.records import HeldSocket

EADDRINUSE, EADDRNOTAVAIL = 98, 99


@pytest.mark.parametrize(("other", "is_met"), [(0, True), (1, False)])
def test_a_connection_in_time_wait_is_in_the_way_of_its_port(other: int, is_met: bool) -> None:
    causes = found(bound("0.0.0.0", FLOW.a.port + other, EADDRINUSE))
    assert ("address-in-use" in causes) is is_met
    if is_met:
        text = causes["address-in-use"].text
        assert f"port {FLOW.a.port} is still that of the connection with {FLOW.b}. Its " in text
        assert "Its side here is in TIME-WAIT, " in text
        assert ". With SO_REUSEADDR" in text


def test_an_address_of_another_host_is_said_to_be_its() -> None:
    cause = found(bound("198.51.100.2", 5000, EADDRNOTAVAIL))["address-not-here"]
    assert "client has no interface with 198.51.100.2: it is server's." in cause.text
    assert cause.text.endswith("It has 198.51.100.1.")
    nobody = found(bound("203.0.113.9", 5000, EADDRNOTAVAIL))["address-not-here"]
    assert "no interface with 203.0.113.9. It has" in nobody.text
    assert "address-not-here" not in found(bound("198.51.100.1", 5000, EADDRNOTAVAIL))


def test_how_long_it_goes_on_is_said_where_the_kernel_said_so() -> None:
    run = bound("0.0.0.0", FLOW.a.port, EADDRINUSE)
    entry_ns = max(call.entry_ns for call in run.trace.syscalls if call.name == "bind")
    held = HeldSocket(
        time_ns=entry_ns + 1_000_000_000, moment="end", host="client", protocol="tcp",
        state="TIME_WAIT", local_address=str(FLOW.a.address), local_port=FLOW.a.port,
        remote_address=str(FLOW.b.address), remote_port=FLOW.b.port, socket="", receive_queue=0,
        send_queue=0, expires_ms=58_500, step=STEP,
    )  # fmt: skip

    def said(seen: HeldSocket) -> str:
        return found(replace(run, held_sockets=(seen,)))["address-in-use"].text

    assert ", for 59.50 s more, by its kernel. With SO_REUSEADDR" in said(held)
    assert " more" not in said(replace(held, host="server"))
    assert " more" not in said(replace(held, time_ns=entry_ns - 60_000_000_000))
