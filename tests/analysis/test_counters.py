from __future__ import annotations

from lab.analysis.counters import Counters, counter_table, counters_of
from lab.records import CountersSeen

NAMES = ("TcpExtTCPTimeouts", "TcpRetransSegs", ":rx_packets")
SEEN = (
    CountersSeen("client", {"TcpExtUnknown": 1, "TcpRetransSegs": 3}, "one"),
    CountersSeen("idle", {}, "one"),
    CountersSeen("server", {"TcpCurrEstab": -1, "eth0:rx_packets": 7}, "one"),
    CountersSeen("client", {"TcpRetransSegs": 1}, "two"),
)


def test_a_counter_that_changed_is_what_it_changed_by() -> None:
    counters = counters_of(SEEN, NAMES, "one", "client")
    assert counters["TcpRetransSegs"] == 3
    assert counters_of(SEEN, NAMES, "two", "client")["TcpRetransSegs"] == 1
    assert counters_of(SEEN, NAMES, "one", "server")["TcpCurrEstab"] == -1


def test_one_that_did_not_change_is_zero_and_one_that_there_is_not_is_unknown() -> None:
    counters = counters_of(SEEN, NAMES, "one", "client")
    assert counters["TcpExtTCPTimeouts"] == 0
    assert counters["eth1:rx_packets"] == 0
    assert counters["TcpExtTCPTimeout"] is None
    assert counters["eth1:rx_segments"] is None


def test_what_was_not_read_is_unknown_and_not_zero() -> None:
    assert counters_of(SEEN, NAMES, "two", "server")["TcpRetransSegs"] is None
    assert counters_of((), (), "one", "client")["TcpRetransSegs"] is None
    assert Counters({}, frozenset())["TcpRetransSegs"] is None


def test_a_table_has_what_changed_explained_before_unexplained() -> None:
    table = counter_table(SEEN, "one")
    assert table.hosts == ("client", "server")
    assert [(row.name, row.changes, row.meaning is not None) for row in table.rows] == [
        ("TcpRetransSegs", (3, 0), True),
        ("TcpCurrEstab", (0, -1), True),
        ("eth0:rx_packets", (0, 7), True),
        ("TcpExtUnknown", (1, 0), False),
    ]


def test_a_step_without_counters_has_an_empty_table() -> None:
    assert counter_table(SEEN, "three").rows == ()
