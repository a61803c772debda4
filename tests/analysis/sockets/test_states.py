from __future__ import annotations

import traced as t
import traced_tcp as w
from shown import flow_id

from lab.analysis.sockets.flow_ends import FlowSide
from lab.analysis.sockets.states import find_state_sides, select_states
from lab.records import SocketState

CLIENT, SERVER = ("198.51.100.1", 40858), ("198.51.100.2", 4242)


def sides(*states: SocketState) -> tuple[FlowSide | None, ...]:
    return find_state_sides(states, w.wire_timeline().flows)


def test_a_states_addresses_determine_the_side_of_a_flow() -> None:
    found = sides(
        t.state("sk 1", "ESTABLISHED", CLIENT, SERVER, 1),
        t.state("sk 2", "ESTABLISHED", SERVER, CLIENT, 2),
        t.state("sk 3", "ESTABLISHED", SERVER, ("198.51.100.1", 1), 3),
    )
    assert found == ((flow_id("tcp 0"), True), (flow_id("tcp 0"), False), None)


def test_ipv4_in_ipv6_is_ipv4() -> None:
    mapped = t.state("sk 1", "CLOSE", ("::ffff:198.51.100.1", 40858), SERVER, 1)
    assert sides(mapped) == ((flow_id("tcp 0"), True),)


def test_a_new_socket_has_the_addresses_that_it_has_next() -> None:
    listener, anyone = ("0.0.0.0", 4242), ("0.0.0.0", 0)
    found = sides(
        t.state("sk 1", "SYN_SENT", ("198.51.100.1", 0), SERVER, 1, old="CLOSE"),
        t.state("sk 2", "SYN_RECV", listener, anyone, 2, old="LISTEN"),
        t.state("sk 1", "ESTABLISHED", CLIENT, SERVER, 3, old="SYN_SENT"),
        t.state("sk 2", "ESTABLISHED", SERVER, CLIENT, 4, old="SYN_RECV"),
    )
    assert found == ((flow_id("tcp 0"), True), (flow_id("tcp 0"), False)) * 2


def test_a_name_that_is_used_again_says_nothing_of_the_socket_before() -> None:
    found = sides(
        t.state("sk 1", "CLOSE", ("0.0.0.0", 9), ("0.0.0.0", 0), 1, old="LISTEN"),
        t.state("sk 1", "SYN_SENT", ("198.51.100.1", 0), SERVER, 2, old="CLOSE"),
        t.state("sk 1", "ESTABLISHED", CLIENT, SERVER, 3, old="SYN_SENT"),
    )
    assert found == (None, (flow_id("tcp 0"), True), (flow_id("tcp 0"), True))


def test_states_are_put_in_order_of_time_with_their_owners() -> None:
    late = t.state("sk 9", "LISTEN", ("0.0.0.0", 9), ("0.0.0.0", 0), 9)
    early = t.state("sk 1", "ESTABLISHED", CLIENT, SERVER, 1)
    other = t.state("sk 7", "LISTEN", ("0.0.0.0", 7), ("0.0.0.0", 0), 5)
    flows = w.wire_timeline().flows
    found = select_states([late, early, other], ["s4", "", ""], flows, ())
    assert [(seen.state, seen.side, seen.owner) for seen in found] == [
        (early, (flow_id("tcp 0"), True), ""),
        (late, None, "s4"),
    ]
