from __future__ import annotations

from dataclasses import replace

import pytest
from shown import address
from system_calls import unix
from transcript import only_flow

from lab.analysis.flows.flow import Flow
from lab.analysis.packets.packet import Tcp, TcpOption
from lab.analysis.sockets.endpoint import Endpoint
from lab.analysis.sockets.flow_ends import find_sides, is_a_side

FLOW = only_flow(
    """
    0.1 client > server SYN seq=100
    0.2 server > client SYN,ACK seq=900 ack=101
    """
)
SAME_PORTS = only_flow("0.1 10.0.0.1:7 > 10.0.0.2:7 SYN seq=1".replace("10.0.0.1", "client")
                       .replace("10.0.0.2", "server"))  # fmt: skip


def end(local: str, flow: Flow | None = FLOW, *, id: str = "s1", listener: str = "") -> Endpoint:
    made = unix(id, type="SOCK_STREAM")
    own = None if flow is None else flow.id
    return replace(made, local=address(local), flow=own, listener=listener)


@pytest.mark.parametrize(
    ("local", "is_a"),
    [
        ("10.0.0.1:40000", True),
        ("10.0.0.2:80", False),
        ("0.0.0.0:40000", True),  # bound to any address: the port decides
        ("[::]:80", False),
    ],
)
def test_a_local_address_or_else_its_port_determines_the_side(local: str, is_a: bool) -> None:
    assert is_a_side(end(local), FLOW) is is_a


def test_where_neither_is_known_an_accepted_socket_is_the_other_side() -> None:
    assert is_a_side(end("0.0.0.0:7", SAME_PORTS), SAME_PORTS)
    assert not is_a_side(end("0.0.0.0:7", SAME_PORTS, listener="s0"), SAME_PORTS)
    assert is_a_side(end("", FLOW), FLOW)


def test_each_side_has_the_endpoint_that_is_known_first() -> None:
    client, server, again = (
        end("10.0.0.1:40000"),
        end("10.0.0.2:80", id="s2"),
        end("10.0.0.1:40000", id="s3"),
    )
    elsewhere = end("10.0.0.1:1", None, id="s4")
    assert find_sides([FLOW], [client, server, again, elsewhere]) == {
        (FLOW.id, True): client,
        (FLOW.id, False): server,
    }


def test_a_flow_that_is_not_asked_for_has_no_ends() -> None:
    assert find_sides([], [end("10.0.0.1:40000")]) == {}


def offering(flow: Flow, *numbers: int) -> Flow:
    """The flow with the option of Multipath TCP in those crossings."""
    changed = []
    for crossing in flow.crossings:
        layers = crossing.packet.layers
        if crossing.number in numbers:
            option = TcpOption(30, "multipath_tcp", b"\0")
            layers = tuple(
                replace(layer, options=(option,)) if isinstance(layer, Tcp) else layer
                for layer in layers
            )
        changed.append(replace(crossing, packet=replace(crossing.packet, layers=layers)))
    return replace(flow, crossings=tuple(changed))


def test_a_multipath_connection_has_no_ends_once_its_offer_was_taken() -> None:
    ends = [end("10.0.0.1:40000")]
    assert find_sides([offering(FLOW, 1, 2)], ends) == {}
    assert len(find_sides([offering(FLOW, 1)], ends)) == 1
