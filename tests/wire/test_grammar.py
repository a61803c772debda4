"""Rules in words: every action, every match, every selection; what is wrong, and where."""

from __future__ import annotations

import pytest

from lab.errors import UsageError
from lab.wire.grammar import parse_rule
from lab.wire.rule import (
    Corrupt,
    Delay,
    Down,
    Drop,
    Duplicate,
    LinkWay,
    Loss,
    Match,
    Moment,
    Rate,
    Rewrite,
    Rule,
    Swap,
    Term,
    Truncate,
    Up,
    Which,
)

MS = 1_000_000
WAY = "client>server"


@pytest.mark.parametrize(
    ("words", "action"),
    [
        ("drop", Drop()),
        ("duplicate", Duplicate()),
        ("duplicate 3", Duplicate(3)),
        ("delay 20", Delay(20 * MS)),
        ("delay 1.5ms", Delay(1_500_000)),
        ("delay 500us", Delay(500_000)),
        ("delay 2s jitter 30 seed 7", Delay(2_000 * MS, 30 * MS, 7)),
        ("jitter 5", Delay(0, 5 * MS)),
        ("swap", Swap()),
        ("corrupt 40", Corrupt(40)),
        ("corrupt -1:0x01", Corrupt(-1, 1)),
        ("corrupt 7:255", Corrupt(7, 255)),
        ("rewrite ttl=1", Rewrite((("ttl", "1"),))),
        ("rewrite sport=0x50 flags=RA raw", Rewrite((("sport", "0x50"), ("flags", "RA")), True)),
        ("rewrite dst=2001:db8::9", Rewrite((("dst", "2001:db8::9"),))),
        ("truncate 60", Truncate(60)),
        ("rate 10M", Rate(10_000_000)),
        ("rate 500kbit queue 10", Rate(500_000, 10)),
        ("rate 1.5G", Rate(1_500_000_000)),
        ("loss 5%", Loss(5.0)),
        ("loss 0.5% seed 42", Loss(0.5, 42)),
    ],
)
def test_an_action(words: str, action: object) -> None:
    text = f"{WAY} {words}"
    assert parse_rule(text) == Rule(text, LinkWay(WAY), action)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "conditions", "which"),
    [
        ("SYN", [Match(Term.SYN)], Which()),
        ("syn 1", [Match(Term.SYN)], Which(1, 1)),
        ("SYN-ACK", [Match(Term.SYN_ACK)], Which()),
        ("tcp data 2", [Match(Term.TCP), Match(Term.DATA)], Which(2, 2)),
        ("ack every 3", [Match(Term.ACK)], Which(every=3)),
        ("data from 2 to 5", [Match(Term.DATA)], Which(2, 5)),
        ("from 4", [], Which(4)),
        ("7", [], Which(7, 7)),
        ("udp dport 53", [Match(Term.UDP), Match(Term.DESTINATION_PORT, 53)], Which()),
        ("sport >1023", [Match(Term.SOURCE_PORT, 1023, ">")], Which()),
        ("length <100 port 80 3", [Match(Term.LENGTH, 100, "<"), Match(Term.PORT, 80)],
         Which(3, 3)),
        ("retransmission", [Match(Term.RETRANSMISSION)], Which()),
        ("bpf 'tcp[13] & 2 != 0' 1", [Match(Term.BPF, expression="tcp[13] & 2 != 0")],
         Which(1, 1)),
        ('bpf "udp and less 90"', [Match(Term.BPF, expression="udp and less 90")], Which()),
    ],
)  # fmt: skip
def test_what_a_rule_is_about(words: str, conditions: list[Match], which: Which) -> None:
    rule = parse_rule(f"{WAY} drop {words}")
    assert (rule.conditions, rule.which) == (tuple(conditions), which)


@pytest.mark.parametrize("way", ["client>server", "client-server", "a/eth0>b/eth1", "my-pc>b"])
def test_a_way(way: str) -> None:
    assert parse_rule(f"{way} drop").way == LinkWay(way)


def test_a_number_behind_duplicate_is_that_of_copies() -> None:
    assert parse_rule("a>b duplicate 2").which == Which()
    assert parse_rule("a>b duplicate data 2").which == Which(2, 2)


@pytest.mark.parametrize(
    ("words", "action", "moment", "which"),
    [
        ("down", Down(), Moment(), Which()),
        ("down at 200", Down(), Moment(200 * MS), Which()),
        ("up at 1.5s", Up(), Moment(1_500 * MS), Which()),
        ("down after data 3", Down(), Moment(after=True), Which(3, 3)),
        ("up after SYN", Up(), Moment(after=True), Which(1, 1)),
    ],
)
def test_a_link_goes_down_and_up(words: str, action: object, moment: Moment, which: Which) -> None:
    rule = parse_rule(f"a-b {words}")
    assert (rule.action, rule.moment, rule.which) == (action, moment, which)


@pytest.mark.parametrize(
    ("text", "column", "why"),
    [
        ("", 1, "a link, such as client>server is missing"),
        ("client drop", 1, "'client' is no link"),
        ("a>b>c drop", 1, "'a>b>c' is no link"),
        (">b drop", 1, "'>b' is no link"),
        ("a>b", 4, "an action is missing"),
        ("a>b dorp SYN", 5, "'dorp' is no action; did you mean 'drop'?"),
        ("a>b explode", 5, "'explode' is no action; there are: drop, duplicate, delay"),
        ("a>b drop SYM", 10, "'SYM' is no match; did you mean 'SYN'?"),
        ("a>b drop SYN 0", 14, "0 is not from 1"),
        ("a>b drop SYN 1 2", 16, "'2' is one word too many"),
        ("a>b drop 1 SYN", 12, "'SYN' is one word too many"),
        ("a>b drop port", 14, "a number behind port is missing"),
        ("a>b drop port http", 15, "'http' where a number behind port is wanted"),
        ("a>b drop port 70000", 15, "70000 is too large"),
        ("a>b drop from 5 to 2", 20, "from 5 to 2 is none"),
        ("a>b drop every", 15, "a number is missing"),
        ("a>b delay", 10, "a time in milliseconds"),
        ("a>b delay fast", 11, "'fast' where a time in milliseconds"),
        ("a>b loss 5", 10, "'5' where a percentage"),
        ("a>b loss 101%", 10, "101% is more than 100%"),
        ("a>b rate 0", 10, "a rate of 0"),
        ("a>b queue 10", 5, "queue goes with rate"),
        ("a>b corrupt 3:0", 13, "the mask 0 is not from 1 to 0xff"),
        ("a>b corrupt 3:0x100", 13, "'3:0x100' where a byte's OFFSET"),
        ("a>b rewrite", 12, "rewrite needs FIELD=VALUE"),
        ("a>b rewrite tll=1", 13, "'tll' is no field; did you mean 'ttl'?"),
        ("a>b rewrite ttl=300", 17, "300 is not from 0 to 255"),
        ("a>b rewrite flags=XY", 19, "'XY' are no TCP flags"),
        ("a>b rewrite dst=nowhere", 17, "'nowhere' does not appear to be"),
        ("a>b rewrite eth.src=1:2", 21, "'1:2' is no hardware address"),
        ("a>b down soon", 10, "'soon' is no moment"),
        ("a>b down at 5 SYN", 15, "'SYN' is one word too many"),
        ("a>b drop bpf", 13, "an expression in quotes is missing"),
    ],
)
def test_a_mistake_is_pointed_at(text: str, column: int, why: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_rule(text)
    assert str(raised.value).startswith(f"wire rule {text!r}, column {column}: {why}")
