from __future__ import annotations

from collections.abc import Callable

import pytest

from lab.testing.faults import Wire
from lab.wire.grammar import parse_rule


@pytest.mark.parametrize(
    ("ask", "rule"),
    [
        (lambda wire: wire.drop("SYN", nth=1), "client-server drop SYN 1"),
        (lambda wire: wire.drop(on="client>server"), "client>server drop"),
        (lambda wire: wire.duplicate("data", nth=2), "client-server duplicate data 2"),
        (lambda wire: wire.swap("data"), "client-server swap data"),
        (lambda wire: wire.delay(50, "SYN ACK"), "client-server delay 50ms SYN ACK"),
        (lambda wire: wire.delay(0.5), "client-server delay 0.5ms"),
        (lambda wire: wire.corrupt(54, "data", 1), "client-server corrupt 54 data 1"),
        (lambda wire: wire.rewrite("window=0", "ack"), "client-server rewrite window=0 ack"),
        (lambda wire: wire.loss(10, seed=7), "client-server loss 10% seed 7"),
        (lambda wire: wire.loss(2.5, on="a>b"), "a>b loss 2.5% seed 1"),
        (lambda wire: wire.rate("1M"), "client-server rate 1M"),
        (lambda wire: wire.rule("client>server drop FIN"), "client>server drop FIN"),
    ],
)
def test_each_fault_is_a_rule_that_the_wire_takes(ask: Callable[[Wire], None], rule: str) -> None:
    rules: list[str] = []
    ask(Wire(rules.append, lambda: "client-server"))
    assert rules == [rule]
    parse_rule(rule)
