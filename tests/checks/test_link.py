"""Checks of any link, by themselves; as claims of scenarios, in test_tcp.py and others."""

from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.packets.packet import Tcp, Udp
from lab.analysis.timeline import Timeline
from lab.checks.link import finds_the_neighbour_first, has_right_checksums, puts_no_frame_anywhere
from lab.model.claim import Outcome, Verdict
from lab.records import Recording


def timeline(recording: Recording) -> Timeline:
    (only,) = build_timelines(recording)
    return only


def quiet() -> Timeline:
    """A step over a unix socket: bytes were read, and nothing was seen."""
    return build_timelines(s.recording_of("unix4"))[0]


@pytest.mark.parametrize("family", [4, 6])
def test_checksums_of_every_frame_are_counted(family: int) -> None:
    # Each of 18 segments has TCP's, and over IPv4 a header's; ND has ICMPv6's, ARP has none.
    count = {4: 18 * 2, 6: 18 + 2}[family]
    verdict = has_right_checksums(timeline(r.recorded(family)))
    assert verdict.why == f"{count} checksums computed again, all right"
    assert len(verdict.evidence) == 20


def test_a_single_checksum_is_counted_in_the_singular() -> None:
    alone = r.without(1, 2, *range(4, 21))(r.recorded(6))
    assert has_right_checksums(timeline(alone)).why == "1 checksum computed again, all right"


def test_a_frame_without_its_end_has_no_checksum_to_compute() -> None:
    cut = r.changed(6, lambda data: data[:-1], fix=False)
    whole = r.recorded(4)
    shorter = replace(
        cut(whole), frames=tuple(
            replace(new, wire_bytes=old.wire_bytes)
            for new, old in zip(cut(whole).frames, whole.frames, strict=True)
        ),
    )  # fmt: skip
    verdict = has_right_checksums(timeline(shorter))
    assert verdict.outcome is Outcome.UNDECIDED
    assert verdict.why == "f6: its Tcp checksum cannot be computed"


def test_a_udp_checksum_of_zero_is_none_over_ipv4() -> None:
    datagrams = next(t for t in build_timelines(s.recording_of("udp4")) if t.flows)
    number = datagrams.flows[0].crossings[0].number
    place = next(n for n, c in enumerate(datagrams.crossings) if c.number == number)
    crossing = datagrams.crossings[place]
    layers = tuple(
        replace(layer, checksum=0, checksum_ok=None) if isinstance(layer, Udp) else layer
        for layer in crossing.packet.layers
    )
    without = replace(crossing, packet=replace(crossing.packet, layers=layers))
    crossings = (*datagrams.crossings[:place], without, *datagrams.crossings[place + 1 :])
    verdict = has_right_checksums(replace(datagrams, crossings=crossings))
    assert verdict.outcome is Outcome.HOLDS
    assert verdict.why.endswith(f"; {crossing.id} has no UDP checksum, which IPv4 allows")


def test_where_no_frame_has_a_checksum_none_is_right() -> None:
    verdict = has_right_checksums(timeline(r.without(*range(3, 21))(r.recorded(4))))
    assert (verdict.outcome, verdict.why) == (Outcome.BROKEN, "no frame has a checksum")


@pytest.mark.parametrize(("family", "protocol"), [(4, "ARP"), (6, "Neighbor Discovery")])
def test_the_neighbour_is_asked_for_answers_and_is_sent_to(family: int, protocol: str) -> None:
    verdict = finds_the_neighbour_first(timeline(r.recorded(family)))
    assert verdict.outcome is Outcome.HOLDS
    assert verdict.why.startswith(f"{protocol} answers that ")
    assert [str(event) for event in verdict.evidence] == ["f1", "f2", "f3"]


def silence(**changes: object) -> Verdict:
    seen = quiet()
    for name, value in changes.items():
        seen = replace(seen, **{name: value})  # type: ignore[arg-type]
    return puts_no_frame_anywhere(seen)


def test_bytes_that_no_device_saw_are_silence() -> None:
    assert silence().outcome is Outcome.HOLDS


def test_a_frame_on_any_device_is_none() -> None:
    verdict = silence(crossings=timeline(r.recorded(4)).crossings)
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.why == "20 frames seen, at client/eth0, server/eth0"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"calls": {}}, "the programs of step conversation printed no calls"),
        (
            {"recording": replace(quiet().recording, interfaces=())},
            "client/eth0 was captured, and not seen among the interfaces",
        ),
        ({"recording": replace(quiet().recording, points=())}, "nothing was captured, on any"),
        (
            {"recording": replace(quiet().recording, points=quiet().recording.points[:-1])},
            "was not captured",
        ),
    ],
    ids=["no calls", "no witness", "no capture", "a device without a capture"],
)
def test_silence_that_nobody_could_have_heard_broken_proves_nothing(
    changes: dict[str, object], why: str
) -> None:
    verdict = silence(**changes)
    assert verdict.outcome is Outcome.UNDECIDED
    assert why in verdict.why


def test_silence_of_programs_that_read_nothing_proves_nothing() -> None:
    sends = {
        name: tuple(call for call in calls if not call.name.startswith("re"))
        for name, calls in quiet().calls.items()
    }
    verdict = silence(calls=sends)
    assert verdict.why == "no program printed that it read anything"


def on_lo(*, left: bool) -> Timeline:
    """A segment of a host to itself, whose checksum was left to a card, or is wrong."""
    whole = timeline(r.recorded(4))
    place = next(n for n, c in enumerate(whole.crossings) if c.packet.tcp)
    crossing = whole.crossings[place]
    layers = tuple(
        replace(layer, checksum_ok=False, is_left_to_card=left) if isinstance(layer, Tcp) else layer
        for layer in crossing.packet.layers
    )
    packet = replace(crossing.packet, layers=layers)
    looped = replace(crossing, packet=packet, receiver=crossing.sender)
    crossings = (*whole.crossings[:place], looped, *whole.crossings[place + 1 :])
    return replace(whole, crossings=crossings)


def test_on_lo_a_checksum_is_left_to_a_card_that_there_is_not() -> None:
    verdict = has_right_checksums(on_lo(left=True))
    assert verdict.outcome is Outcome.HOLDS
    assert verdict.why.endswith("on lo, where no card computes them, 1 checksum left out")
    assert has_right_checksums(on_lo(left=False)).outcome is Outcome.BROKEN
    (alone,) = [c for c in on_lo(left=True).crossings if c.sender == c.receiver]
    tcp_alone = tuple(layer for layer in alone.packet.layers if isinstance(layer, Tcp))
    bare = replace(alone, packet=replace(alone.packet, layers=tcp_alone))
    nothing = has_right_checksums(replace(on_lo(left=True), crossings=(bare,)))
    assert nothing.outcome is Outcome.SKIPPED


def test_between_hosts_a_checksum_that_was_left_out_is_wrong() -> None:
    looped = on_lo(left=True)
    crossings = tuple(
        replace(c, receiver="server") if c.sender == c.receiver else c for c in looped.crossings
    )
    assert has_right_checksums(replace(looped, crossings=crossings)).outcome is Outcome.BROKEN
