from __future__ import annotations

from dataclasses import replace

from event_ids import event

from lab.analysis.causes.facts.cause import Cause, Counted, Surprise

CAUSE = Cause(
    "reset-unread", "Bytes were thrown away.", "server", (event("server#7"), event("f8")),
    "RFC 1122, 4.2.2.13", Surprise.ELSEWHERE, (Counted("server", "TcpExtTCPAbortOnClose", 1),),
)  # fmt: skip


def test_what_is_certain_is_said_as_it_is() -> None:
    assert CAUSE.is_certain
    assert CAUSE.sentence == "Bytes were thrown away."
    assert CAUSE.basis == (
        "RFC 1122, 4.2.2.13. Seen in: server#7, f8, TcpExtTCPAbortOnClose +1 on server."
    )


def test_what_is_only_likely_says_so_and_what_would_decide_it() -> None:
    likely = replace(CAUSE, decided_by="ss -ltn on server")
    assert not likely.is_certain
    assert likely.sentence == "Likely: Bytes were thrown away."
    assert likely.basis.endswith("on server. To decide it: ss -ltn on server.")


def test_what_happened_again_is_counted() -> None:
    assert replace(CAUSE, times=3).sentence == "Bytes were thrown away. (3 times like this.)"


def test_below_a_failure_it_is_the_reason_of_what_it_shows_by() -> None:
    said = "Bytes were thrown away. (RFC 1122, 4.2.2.13)"
    assert CAUSE.below_a_failure([event("f7"), event("f8")]) == f"Why: {said}"
    assert CAUSE.below_a_failure([]) == f"Why: {said}"
    assert CAUSE.below_a_failure([event("f7")]) == f"Also seen: {said}"
