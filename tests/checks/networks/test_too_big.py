from __future__ import annotations

from dataclasses import replace

import pytest
from network_steps import step_of

from lab.analysis.flows.crossing import Crossing
from lab.analysis.packets.packet import Tcp, TcpStart
from lab.checks.networks.too_big import ip_bytes, named_mtu, quotes, too_big_messages

TALKS = pytest.mark.parametrize(
    ("name", "step"),
    [
        ("pmtu4", "told"),
        ("pmtu6", "told"),
        ("fragments4", "forbidden"),
        ("fragments6", "forbidden"),
    ],
)


@TALKS
def test_each_message_quotes_the_packet_that_was_lost_and_names_the_mtu(
    name: str, step: str
) -> None:
    timeline = step_of(name, step)
    messages = too_big_messages(timeline)
    large = [each for each in timeline.crossings if each.lost]
    assert [named_mtu(each) for each in messages] == [1280] * len(large)
    for message in messages:
        about = [each for each in timeline.crossings if quotes(message, each)]
        assert len([each for each in about if each.lost]) == 1
    assert all(ip_bytes(each.packet) > 1280 for each in large)


def test_those_too_that_were_lost_are_there() -> None:
    messages = too_big_messages(step_of("pmtu4", "black-hole"))
    assert messages and all(each.lost for each in messages)
    assert too_big_messages(step_of("fragments4", "allowed")) == []


def test_eight_bytes_of_the_segment_are_enough_to_know_it() -> None:
    timeline = step_of("pmtu4", "told")
    message = too_big_messages(timeline)[0]
    icmp = message.packet.icmp
    assert icmp is not None

    def short(seq: int) -> Crossing:
        quoted = tuple(
            TcpStart(each.offset, each.source_port, each.destination_port, each.seq + seq)
            if isinstance(each, Tcp)
            else each
            for each in icmp.quoted
        )
        layers = tuple(
            replace(each, quoted=quoted) if each is icmp else each for each in message.packet.layers
        )
        return replace(message, packet=replace(message.packet, layers=layers))

    lost = next(each for each in timeline.crossings if quotes(message, each))
    assert quotes(short(0), lost)
    assert not quotes(short(1), lost)
    assert not quotes(lost, message)


def test_the_bytes_of_a_packet_are_those_of_ip() -> None:
    timeline = step_of("pmtu6", "told")
    assert ip_bytes(next(each for each in timeline.crossings if each.lost).packet) == 1500
    assert ip_bytes(step_of("pmtu4", "told").crossings[0].packet) == 0  # ARP
