"""Rules in words: every action, every match, every selection; what is wrong, and where."""

from __future__ import annotations

import pytest

from lab.errors import PointedError
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
        ("window-update 1", [Match(Term.WINDOW_UPDATE)], Which(1, 1)),
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
    ("text", "wrong", "column", "why"),
    [
        ("", "", 1, "a link, such as client>server is missing"),
        ("client drop", "client", 1, "no link; write client>server"),
        ("a>b>c drop", "a>b>c", 1, "no link"),
        (">b drop", ">b", 1, "no link"),
        ("a>b", "", 4, "an action is missing"),
        ("a>b dorp SYN", "dorp", 5, "no action; did you mean 'drop'?"),
        ("a>b explode", "explode", 5, "no action; there are: drop, duplicate, delay"),
        ("a>b drop SYM", "SYM", 10, "no match; did you mean 'SYN'?"),
        ("a>b drop SYN 0", "0", 14, "not from 1"),
        ("a>b drop SYN 1 2", "2", 16, "one word too many"),
        ("a>b drop 1 SYN", "SYN", 12, "one word too many"),
        ("a>b drop port", "", 14, "a number behind port is missing"),
        ("a>b drop port http", "http", 15, "a number behind port is wanted here"),
        ("a>b drop port 70000", "70000", 15, "too large"),
        ("a>b drop from 5 to 2", "2", 20, "from 5 to 2 is none"),
        ("a>b drop every", "", 15, "a number is missing"),
        ("a>b delay", "", 10, "a time in milliseconds"),
        ("a>b delay fast", "fast", 11, "a time in milliseconds"),
        ("a>b loss 5", "5", 10, "a percentage"),
        ("a>b loss 101%", "101%", 10, "more than 100%"),
        ("a>b rate 0", "0", 10, "no rate"),
        ("a>b queue 10", "queue", 5, "queue goes with rate"),
        ("a>b corrupt 3:0", "3:0", 13, "the mask is not from 1 to 0xff"),
        ("a>b corrupt 3:0x100", "3:0x100", 13, "a byte's OFFSET"),
        ("a>b rewrite", "", 12, "rewrite needs FIELD=VALUE"),
        ("a>b rewrite tll=1", "tll", 13, "no field; did you mean 'ttl'?"),
        ("a>b rewrite ttl=300", "300", 17, "not from 0 to 255"),
        ("a>b rewrite flags=XY", "XY", 19, "no TCP flags"),
        ("a>b rewrite dst=nowhere", "nowhere", 17, "no IP address"),
        ("a>b rewrite eth.src=1:2", "1:2", 21, "no hardware address"),
        ("a>b down soon", "soon", 10, "no moment"),
        ("a>b down at 5 SYN", "SYN", 15, "one word too many"),
        ("a>b drop bpf", "", 13, "an expression in quotes is missing"),
        ("a>b drop 'web'", "'web'", 10, "no match"),
    ],
)
def test_a_mistake_is_pointed_at(text: str, wrong: str, column: int, why: str) -> None:
    with pytest.raises(PointedError) as raised:
        parse_rule(text)
    error = raised.value
    assert (error.text, error.text[error.start : error.end]) == (text, wrong)
    named = f"{wrong!r}: " if wrong else ""
    assert str(error).startswith(f"wire rule {text!r}, column {column}: {named}{why}")
    assert error.start == column - 1
