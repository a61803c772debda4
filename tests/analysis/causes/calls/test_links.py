"""Calls that fail since the interface is down; and those that fail otherwise."""

from __future__ import annotations

import pytest
from failed_call import found
from links_set import (
    AF_PACKET,
    DOWN_NS,
    ENETDOWN,
    ENETUNREACH,
    EPERM,
    UP_NS,
    sending,
    setting,
)

from lab.records import Recording

DURING_NS = DOWN_NS + 50


def test_what_set_it_down_is_named_and_what_set_it_up_again() -> None:
    run = setting(sending(ENETUNREACH, DURING_NS), 0, DOWN_NS)
    cause = found(run)["interface-down"]
    assert "eth0 of client is down, as client#" in cause.text
    assert "takes the routes" in cause.text
    assert len(cause.evidence) == 2
    cause = found(setting(run, 1, UP_NS))["interface-down"]
    assert cause.text.endswith("sets it up again.")
    assert len(cause.evidence) == 3


def test_a_packet_socket_is_told_by_the_errno_alone() -> None:
    cause = found(sending(ENETDOWN, DURING_NS, AF_PACKET))["interface-down"]
    assert "the interface of client that its socket is bound to is down" in cause.text
    assert "interface-down" not in found(sending(ENETDOWN, DURING_NS))


@pytest.mark.parametrize(
    "run",
    [
        sending(ENETUNREACH, DURING_NS),
        setting(sending(ENETUNREACH, DURING_NS), 0, DOWN_NS, EPERM),
        setting(sending(ENETUNREACH, DURING_NS), 0, DOWN_NS, index=1),
        setting(sending(ENETUNREACH, DURING_NS), 0, DOWN_NS, index=2),
        setting(sending(ENETUNREACH, DOWN_NS - 50), 0, DOWN_NS),
        setting(setting(sending(ENETUNREACH, UP_NS + 50), 0, DOWN_NS), 1, UP_NS),
    ],
    ids=["never", "not allowed", "loopback", "the program's own", "later", "up again"],
)
def test_while_it_is_up_it_is_not_the_cause(run: Recording) -> None:
    assert "interface-down" not in found(run)
