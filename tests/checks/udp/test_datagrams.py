from __future__ import annotations

from dataclasses import replace

import recorded as r
from udp_edits import changed, foreign, patch_udp, recorded

from lab.analysis.assembly import build_timelines
from lab.analysis.timeline import Timeline
from lab.checks.udp.datagrams import (
    arrived_payloads,
    both_ways,
    datagrams_of,
    ends_of,
    find_strangers,
    only_way,
)
from lab.records import Recording


def step(name: str = "conversation", recording: Recording | None = None) -> Timeline:
    return next(each for each in build_timelines(recording or recorded(4)) if each.step == name)


def test_each_way_has_its_sends_its_datagrams_and_the_reads_of_the_other_host() -> None:
    forth, back = both_ways(step())
    assert (forth.name, back.name) == ("client to server", "server to client")
    assert [len(part) for part in (forth.sends, forth.datagrams, forth.reads)] == [4, 4, 4]
    assert [len(part) for part in (back.sends, back.datagrams, back.reads)] == [2, 2, 2]
    assert {call.program for call in forth.sends} == {"client"}
    assert {call.program for call in forth.reads} == {"server"}
    assert len(forth.evidence) == len(set(forth.evidence)) == 12


def test_a_way_is_whole_in_whatever_order_its_datagrams_came() -> None:
    assert all(way.is_whole for way in both_ways(step()))
    assert all(way.is_whole for way in both_ways(step(recording=r.moved(3, after=6)(recorded(4)))))
    lost, _ = both_ways(step(recording=r.lost(4)(recorded(4))))
    assert not lost.is_whole


def test_a_way_is_named_where_both_ends_print_it() -> None:
    assert all(way.is_printed for way in both_ways(step()))
    assert not any(way.is_printed for way in both_ways(step(recording=r.silent(recorded(4)))))


def test_the_only_way_is_the_one_on_which_something_went() -> None:
    assert only_way(step("truncation")).name == "client to server"
    assert len(only_way(step("truncation")).datagrams) == 2


def test_of_a_fragmented_datagram_the_fragment_that_makes_it_whole_counts() -> None:
    assert [crossing.number for crossing in datagrams_of(step("fragments"))] == [17, 18]
    assert [len(data) for data in arrived_payloads(datagrams_of(step("fragments")))] == [4000, 7]


def test_what_was_lost_did_not_arrive() -> None:
    datagrams = datagrams_of(step())
    lost = [replace(datagrams[0], received_ns=None), *datagrams[1:]]
    assert arrived_payloads(lost) == arrived_payloads(datagrams)[1:]


def test_a_datagrams_ends_are_its_addresses_and_ports() -> None:
    source, destination = ends_of(datagrams_of(step())[0])
    assert destination == ("198.51.100.2", 4242)
    moved = step(recording=changed(3, patch_udp(0, b"\0\7"))(recorded(4)))
    assert ends_of(datagrams_of(moved)[0]) == ((source[0], 7), destination)


def test_a_frame_that_is_neither_known_nor_finds_a_neighbour_is_a_stranger() -> None:
    assert find_strangers(step(), datagrams_of(step())) is None
    verdict = find_strangers(step(), datagrams_of(step())[1:])
    assert verdict is not None
    assert verdict.why == "f3 is a frame with no part in it"
    other = step(recording=foreign(5)(recorded(4)))
    verdict = find_strangers(other, datagrams_of(other))
    assert verdict is not None and verdict.why.startswith("f5 ")
