"""What a host's kernel was set to, and what it counts and tracks."""

from __future__ import annotations

from lab.frozen import frozen


@frozen
class SysctlSet:
    """A sysctl of a host's network namespace, set before the first step."""

    host: str
    name: str
    """ "net.ipv4.tcp_syn_retries" """
    asked: str
    """The value that was written."""
    before: str | None
    """Its value until then; None, as `value`, where this kernel does not have it and the scenario
    can do without."""
    value: str | None
    """What the kernel had of it from then on."""

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.host}: {self.name} is none of this kernel's, and was not set"
        was = "as before" if self.before == self.value else f"{self.before} before"
        return f"{self.host}: {self.name} = {self.value} ({was})"


@frozen
class Translation:
    """A connection to which a NAT gave other addresses or ports, as its kernel tracked it.

    Source: conntrack(8); include/uapi/linux/netfilter/nfnetlink_conntrack.h.
    """

    time_ns: int
    """When it was read: at the end of the step."""
    host: str
    """The NAT."""
    protocol: int
    """By its number in an IP header."""
    source: str
    """The address that the first packet came from."""
    source_port: int
    """Of ICMP the identifier; 0 where the protocol has neither."""
    destination: str
    """The address that it went to."""
    destination_port: int
    left_source: str
    """The address from which it left the NAT, and which the answers go to."""
    left_source_port: int
    left_destination: str
    left_destination_port: int
    step: str = ""


@frozen
class CountersSeen:
    """What a host's kernel counted in a step, between its opening canaries and its closing ones.

    Source: proc(5), /proc/net/netstat, snmp, snmp6 and dev.
    """

    host: str
    changes: dict[str, int]
    """By how much each counter changed that did, by nstat(8)'s names: "TcpExtTCPTimeouts";
    "eth0:rx_packets" of an interface."""
    step: str = ""
