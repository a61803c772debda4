"""Who asked a silent peer in vain."""

from __future__ import annotations

import step_edits as s
from causes_found import causes_in, causes_of

from lab.analysis.assembly import build_timelines
from lab.analysis.packets.packet import TcpFlags

RST = int(TcpFlags.RST)


def test_a_peer_that_answers_no_probe_is_given_up() -> None:
    cause = causes_of("keepalive4", "dead")["keep-alive-unanswered"]
    assert "the kernel of client asked 2 times (f21 to f22)" in cause.text
    assert "the link was down, by the wire's rule 'client-server down after ack 2'" in cause.text
    assert "Nothing tells server of that but a RST (f24)." in cause.text


def test_a_peer_that_answers_is_alive() -> None:
    assert causes_of("keepalive4", "alive") == {}


def test_before_it_gives_up_there_is_nothing_to_say() -> None:
    run = s.recording_of("keepalive4")

    def is_reset(crossing: object) -> bool:
        tcp = crossing.packet.tcp  # type: ignore[attr-defined]
        return tcp is not None and bool(int(tcp.flags) & RST)

    edited = s.without("dead", is_reset)(run)
    assert "keep-alive-unanswered" not in causes_in(edited, "dead")
    assert build_timelines(edited)
