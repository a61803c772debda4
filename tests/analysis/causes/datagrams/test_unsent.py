"""Datagrams that never left as nobody answered who has the address."""

from __future__ import annotations

import step_edits as s
from causes_found import causes_in, causes_of

from lab.analysis.flows.crossing import Crossing


def is_udp_or_answer(crossing: Crossing) -> bool:
    arp = crossing.packet.arp
    return crossing.packet.udp is not None or (arp is not None and arp.operation == 2)


def test_a_send_that_succeeds_may_wait_for_a_neighbour_for_ever() -> None:
    run = s.without("conversation", is_udp_or_answer)(s.recording_of("traced-udp4"))
    cause = causes_in(run, "conversation")["no-neighbour"]
    assert "(sendto) succeeds, and its datagram never leaves client: nobody on the" in cause.text
    assert "who has 198.51.100.2, which it asked 1 time" in cause.text


def test_what_left_found_its_neighbour() -> None:
    assert "no-neighbour" not in causes_of("traced-udp4", "conversation")
    deaf = s.without("conversation", lambda c: c.packet.udp is not None)
    assert "no-neighbour" not in causes_of("traced-udp4", "conversation", deaf)
