from __future__ import annotations

import socket

import pytest

from lab.analysis.packets.dissect import dissect
from lab.model.family import Family
from lab.records import Direction, Frame


@pytest.mark.parametrize("family", Family)
def test_its_domain_is_the_socket_modules(family: Family) -> None:
    domain = getattr(socket, family.socket_domain)
    address = {4: "192.0.2.1", 6: "2001:db8::1"}[family.value]
    assert len(socket.inet_pton(domain, address)) == {4: 4, 6: 16}[family.value]


@pytest.mark.parametrize("family", Family)
def test_its_ethertype_announces_its_headers(family: Family) -> None:
    header = bytes((family.value << 4 | 5,)).ljust(40, b"\0")
    frame = bytes(12) + family.ethertype.to_bytes(2, "big") + header
    packet = dissect(Frame(0, "x", Direction.OUT, frame, len(frame)))
    assert type(packet.layers[1]).__name__ == f"IPv{family.value}"
