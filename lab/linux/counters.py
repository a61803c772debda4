"""What Linux counts in each network namespace: the counters' names, and what many of them mean.

A name is the one that nstat(8) has for it: the group and the name in /proc/net/netstat or snmp,
"TcpExtTCPTimeouts", or the name in snmp6, "Ip6InReceives". Of an interface it is "eth0:rx_packets",
as ip(8) and /sys/class/net/eth0/statistics name it.
"""

from __future__ import annotations

from lab.frozen import frozen

OF_INTERFACE = (
    "rx_bytes", "rx_packets", "rx_errors", "rx_dropped", "rx_fifo_errors", "rx_frame_errors",
    "rx_compressed", "multicast",
    "tx_bytes", "tx_packets", "tx_errors", "tx_dropped", "tx_fifo_errors", "collisions",
    "tx_carrier_errors", "tx_compressed",
)  # fmt: skip
"""In the order of the columns of /proc/net/dev."""
OF_QUEUEING = ("qdisc_drops", "qdisc_overlimits", "qdisc_requeues", "ingress_drops")
"""What the queueing disciplines of an interface count (tc(8)); one without any counts nothing."""
WITHIN_INTERFACE = ":"
"""Between an interface's name and what is counted of it."""


@frozen
class CounterMeaning:
    """What a counter counts, and where that is written."""

    text: str
    source: str


def meaning(name: str) -> CounterMeaning | None:
    """What the counter means; None where this table does not say."""
    from lab.linux.meanings import MEANINGS

    found = MEANINGS.get(of_any_interface(name))
    return CounterMeaning(*found) if found else None


def of_any_interface(name: str) -> str:
    """The name without the interface's: ":rx_packets"; that of any other counter as it is."""
    _, within, of_interface = name.rpartition(WITHIN_INTERFACE)
    return within + of_interface
