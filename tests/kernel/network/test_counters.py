"""What the kernels count, of files as they are and of real traffic."""

from __future__ import annotations

import inside
import pytest

from lab.kernel.network.counters import CounterReading, changes, names
from lab.kernel.sandbox.sandbox import Sandbox
from lab.linux.counters import OF_INTERFACE, OF_QUEUEING
from lab.model.topology import two_hosts

DEV = b"""Inter-|   Receive  |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls
  eth0: %d 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0
a:b:1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 %d
"""


def reading(
    retrans: int = 0, received: int = 0, kind: str = "OutType3", sent: int = 0
) -> CounterReading:
    return CounterReading(
        b"TcpExt: TCPTimeouts TW\nTcpExt: 7 0\nIpExt: InOctets\nIpExt: 18446744073709551615\n",
        f"Tcp: MaxConn RetransSegs\nTcp: -1 {retrans}\nIcmpMsg: {kind}\nIcmpMsg: 2\n".encode(),
        b"Ip6InReceives                   \t5\n",
        DEV % (received, sent),
    )


def test_only_what_changed_is_there() -> None:
    assert changes(reading(), reading()) == {}
    assert changes(reading(), reading(retrans=2)) == {"TcpRetransSegs": 2}
    assert changes(reading(), reading(received=9)) == {"eth0:rx_bytes": 9}
    assert changes(reading(), reading(sent=1)) == {"a:b:tx_compressed": 1}


def test_types_of_icmp_are_listed_once_there_was_one() -> None:
    assert changes(reading(), reading(kind="InType8")) == {"IcmpMsgInType8": 2}


def test_a_kernel_without_ipv6_has_no_such_file() -> None:
    without = CounterReading(reading().netstat, reading().snmp, b"", reading().dev)
    assert changes(without, without) == {}
    assert "Ip6InReceives" not in names(without)


def test_every_counter_is_named_and_those_of_interfaces_once() -> None:
    assert names(reading()) == (
        "TcpExtTCPTimeouts",
        "TcpExtTW",
        "IpExtInOctets",
        "TcpMaxConn",
        "TcpRetransSegs",
        "IcmpMsgOutType3",
        "Ip6InReceives",
        *(f":{name}" for name in (*OF_INTERFACE, *OF_QUEUEING)),
    )


@pytest.mark.kernel
def test_each_host_counts_its_own(sandbox: Sandbox) -> None:
    found = sandbox.call(inside.counted_of_a_datagram, two_hosts())
    assert found["client"]["UdpOutDatagrams"] == 1
    assert found["client"]["IcmpInDestUnreachs"] == 1
    assert found["client"]["eth0:tx_packets"] == found["server"]["eth0:rx_packets"] == 2
    assert found["server"]["UdpNoPorts"] == 1
    assert "UdpOutDatagrams" not in found["server"]
