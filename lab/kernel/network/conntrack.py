"""The connections that a namespace's kernel tracks: read, and forgotten.

pyroute2 decodes the messages.

Source: include/uapi/linux/netfilter/nfnetlink_conntrack.h; conntrack(8).
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import Any

from lab.errors import KernelRefused, MachineError
from lab.frozen import frozen
from lab.kernel.netlink.dumps import NLM_F_DUMP, NLM_F_REQUEST, dump
from lab.kernel.network.netlink import NLM_F_ACK, import_pyroute2

NETLINK_NETFILTER = 12
NFNL_SUBSYS_CTNETLINK = 1
IPCTNL_MSG_CT_GET, IPCTNL_MSG_CT_DELETE = 1, 2
NO_CTNETLINK = (
    "nf_conntrack_netlink (CONFIG_NF_CT_NETLINK; modprobe nf_conntrack_netlink), by which the "
    "connections of a NAT are read"
)
LACKS = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.EPROTONOSUPPORT})

_HEADER = struct.Struct("=IHHII")
_GENERIC = struct.Struct("!BBH")  # struct nfgenmsg


@frozen
class Tuple:
    """From whom to whom the packets of one direction go."""

    source: str
    destination: str
    source_port: int
    """Of ICMP the identifier, both here and there; 0 where the protocol has neither."""
    destination_port: int

    @property
    def reversed(self) -> Tuple:
        """The other direction, if nothing is translated."""
        return Tuple(self.destination, self.source, self.destination_port, self.source_port)


@frozen
class Tracked:
    """A connection, or what looks like one: the packets that belong together."""

    protocol: int
    """By its number in an IP header."""
    original: Tuple
    """As its first packet came."""
    reply: Tuple
    """As what answers it comes: from where the first packet went, to where it left from."""


def read_tracked() -> list[Tracked]:
    """The connections that the entered namespace tracks, in no order.

    Raises MachineError if this kernel cannot list them, and KernelRefused.
    """
    decoder = import_pyroute2("pyroute2.netlink.nfnetlink.nfctsocket")
    found: list[Tracked] = []
    for data in _asked(IPCTNL_MSG_CT_GET, NLM_F_DUMP, "list"):
        message = decoder.nfct_msg(data)
        message.decode()
        original, reply = message.get_attr("CTA_TUPLE_ORIG"), message.get_attr("CTA_TUPLE_REPLY")
        number = original.get_attr("CTA_TUPLE_PROTO").get_attr("CTA_PROTO_NUM")
        found.append(Tracked(number, _tuple(original), _tuple(reply)))
    return found


def forget_tracked() -> None:
    """Make the entered namespace forget all of them. Raises as read_tracked."""
    _asked(IPCTNL_MSG_CT_DELETE, NLM_F_ACK, "forget")


def _asked(kind: int, flags: int, verb: str) -> list[bytes]:
    body = _GENERIC.pack(socket.AF_UNSPEC, 0, 0)
    number = NFNL_SUBSYS_CTNETLINK << 8 | kind
    header = _HEADER.pack(_HEADER.size + len(body), number, NLM_F_REQUEST | flags, 0, 0)
    try:
        return list(dump(NETLINK_NETFILTER, header + body))
    except OSError as error:
        if error.errno in LACKS:
            raise MachineError(f"this kernel has no {NO_CTNETLINK}") from error
        name = errno.errorcode.get(error.errno or 0, str(error.errno))
        raise KernelRefused(f"cannot {verb} tracked connections: {name}") from error


def _tuple(message: Any) -> Tuple:  # noqa: ANN401  of pyroute2
    address, ports = message.get_attr("CTA_TUPLE_IP"), message.get_attr("CTA_TUPLE_PROTO")
    version = "V4" if address.get_attr("CTA_IP_V4_SRC") is not None else "V6"
    of_icmp = ports.get_attr("CTA_PROTO_ICMP_ID"), ports.get_attr("CTA_PROTO_ICMPV6_ID")
    identifier = next((each for each in of_icmp if each is not None), 0)
    source, destination = (ports.get_attr(f"CTA_PROTO_{end}_PORT") for end in ("SRC", "DST"))
    return Tuple(
        address.get_attr(f"CTA_IP_{version}_SRC"),
        address.get_attr(f"CTA_IP_{version}_DST"),
        identifier if source is None else source,
        identifier if destination is None else destination,
    )
