from __future__ import annotations

import pytest
import recorded as r
from udp_edits import (
    FAMILIES,
    Case,
    answered,
    claims_of,
    foreign,
    grown,
    parameters,
    patch_udp,
    recorded,
    refragmented,
    told,
    untold,
    verdict_of,
)

from lab.model.claim import Outcome

BROKEN: list[Case] = [
    ("udp-fragments", r.without(15, 16, 17), "no fragment was seen"),
    ("udp-fragments", r.without(15), "they do not fit each other"),
    ("udp-fragments", r.without(16), "they do not fit each other"),
    ("udp-fragments", r.without(17), "more is not set in all but the last"),
    ("udp-fragments", r.lost(16), "f16 never arrived"),
    ("udp-fragments", r.lost(17), "f17 never arrived"),
    ("udp-fragments", refragmented(16, identification=b"??"), "not of one datagram"),
    ("udp-fragments", grown(15, 8), "over the MTU of 1500"),
    ("udp-fragments", foreign(18), "f18 is a frame with no part in it"),
    ("udp-fragments", answered(18), "f19 is a frame with no part in it"),
    ("udp-reassembly", r.without(15, 16, 17), "nothing crossed in fragments"),
    ("udp-reassembly", r.without(16), "what was sent, made whole and read differs"),
    ("udp-reassembly", r.lost(17), "what was sent, made whole and read differs"),
    ("udp-reassembly", told("reader", "A999'", "A998'"), "made whole and read differs"),
    ("udp-reassembly", untold("reader", "B000"), "made whole and read differs"),
]  # fmt: skip
BROKEN_OVER_IPV4: list[Case] = [
    ("udp-fragments", refragmented(17, flags=b"\x21\x72"), "more is not set in all but the last"),
    ("udp-fragments", refragmented(15, flags=b"\x00\x00"), "they do not fit each other"),
    ("udp-fragments", r.changed(15, patch_udp(4, b"\0\7"), fix=False), "not make up one UDP"),
    ("udp-fragments", r.changed(15, patch_udp(4, b"\x0f\0"), fix=False), "UDP says 3840 bytes"),
    ("udp-fragments", refragmented(16, flags=b"\x20\xb8"), "they do not fit each other"),
]  # fmt: skip
BROKEN_OVER_IPV6: list[Case] = [
    ("udp-fragments", refragmented(16, flags=b"\x05\xa1"), "they do not fit each other"),
    ("udp-fragments", refragmented(17, flags=b"\x0b\x51"), "more is not set in all but the last"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("family", "claim", "edit", "why"),
    [*parameters(4, [*BROKEN, *BROKEN_OVER_IPV4]), *parameters(6, [*BROKEN, *BROKEN_OVER_IPV6])],
)
def test_a_claim_is_broken_by_a_run_that_does_otherwise(
    family: int, claim: str, edit: r.Edit, why: str
) -> None:
    verdict = verdict_of(claim, edit(recorded(family)))
    assert (verdict.outcome, why in verdict.why) == (Outcome.BROKEN, True), verdict


def test_every_claim_has_a_run_that_breaks_it() -> None:
    assert {case[0] for case in BROKEN} == claims_of("lab.checks.udp.fragments")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("claim", ["udp-fragments", "udp-reassembly", "udp-checksums"])
def test_fragments_in_another_order_break_nothing(family: int, claim: str) -> None:
    verdict = verdict_of(claim, r.moved(15, after=17)(recorded(family)))
    assert verdict.outcome is Outcome.HOLDS, verdict.why
