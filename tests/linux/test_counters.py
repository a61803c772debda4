from __future__ import annotations

from lab.linux.counters import OF_INTERFACE, OF_QUEUEING, CounterMeaning, meaning
from lab.linux.meanings import MEANINGS


def test_a_counter_of_an_interface_means_the_same_on_each() -> None:
    assert meaning("eth0:rx_packets") == meaning("a:b:rx_packets")
    assert meaning("eth0:rx_packets") == CounterMeaning(*MEANINGS[":rx_packets"])


def test_what_no_table_explains_has_no_meaning() -> None:
    assert meaning("TcpExtNothing") is None
    assert meaning("rx_packets") is None
    assert meaning("eth0:TcpRetransSegs") is None


def test_columns_of_interfaces_have_the_names_that_the_table_explains() -> None:
    assert {name for name in MEANINGS if name.startswith(":")} <= {
        f":{n}" for n in (*OF_INTERFACE, *OF_QUEUEING)
    }
