from __future__ import annotations

import pytest
import recorded as r
from udp_edits import (
    FAMILIES,
    Case,
    answered,
    changed,
    claims_of,
    other_code,
    parameters,
    patch_quoted_udp,
    recorded,
    told,
    untold,
    verdict_of,
)

from lab.model.claim import Outcome

BROKEN: list[Case] = [
    ("udp-unreachable", r.without(*range(21, 25)), "no datagram was seen"),
    ("udp-unreachable", r.without(22), "came back that quotes f21"),
    ("udp-unreachable", r.lost(24), "came back that quotes f23"),
    ("udp-unreachable", r.moved(21, after=22), "came back that quotes f22"),
    ("udp-unreachable", changed(22, other_code), "came back that quotes f21"),
    ("udp-unreachable", changed(24, patch_quoted_udp(0, b"\0\7")), "came back that quotes f23"),
    ("udp-unreachable", changed(24, patch_quoted_udp(9, b"?")), "came back that quotes f23"),
    ("udp-unreachable", r.repeated(22, delay_ns=1000), "is a frame with no part in it"),
    ("udp-unreachable", answered(24), "came back that quotes f25"),
    ("udp-refused", told("asker", "ECONNREFUSED", "EAGAIN"), "no call on the connected socket"),
    ("udp-refused", told("asker", "[0]", "[111]"), "unconnected socket learnt of it, by asker:7"),
    (
        "udp-refused",
        told("asker", "recv(3, b'', 4096, MSG_DONTWAIT) = -1 EAGAIN", "recv(3, b'', 4096, 0) = 0"),
        "the unconnected socket learnt of it, by asker:8",
    ),
    ("udp-refused", r.without(22), "not every datagram brought a port unreachable back"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("family", "claim", "edit", "why"),
    [*parameters(4, BROKEN), *parameters(6, BROKEN)],
)
def test_a_claim_is_broken_by_a_run_that_does_otherwise(
    family: int, claim: str, edit: r.Edit, why: str
) -> None:
    verdict = verdict_of(claim, edit(recorded(family)))
    assert (verdict.outcome, why in verdict.why) == (Outcome.BROKEN, True), verdict


def test_every_claim_has_a_run_that_breaks_it() -> None:
    assert {case[0] for case in BROKEN} == claims_of("lab.checks.udp.unreachable")


def asks_first(text: str) -> str:
    """The asker's lines with the question for the error before the connected socket's read."""
    lines = text.splitlines(keepends=True)
    asking = [line for line in lines if "SO_ERROR" in line]
    return "".join(asking + [line for line in lines if line not in asking])


@pytest.mark.parametrize(
    "edit",
    [
        r.moved(22, after=24),
        r.printed("asker", asks_first),
        r.both(untold("asker", "SO_ERROR"), untold("asker", "EAGAIN")),
    ],
    ids=["its error came late", "asked before", "not asked"],
)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_socket_not_asked_once_its_error_was_there_proves_nothing(
    family: int, edit: r.Edit
) -> None:
    verdict = verdict_of("udp-refused", edit(recorded(family)))
    assert verdict.outcome is Outcome.UNDECIDED, verdict
    assert "not asked once its error was there" in verdict.why
