"""What makes a namespace's kernel a NAT: a table of nftables for each IP version.

pyroute2 encodes the messages. Its NFTSocket would start an event loop for each namespace, and
sends each command as a batch of its own, so that a table could be there without its rules.

Source: nft(8), NAT STATEMENTS; include/uapi/linux/netfilter/nf_tables.h, nfnetlink.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from types import ModuleType
from typing import Any

from lab.errors import KernelRefused, MachineError
from lab.kernel.netlink.dumps import NLM_F_REQUEST, NLMSG_ERROR
from lab.kernel.network.netlink import NLM_F_ACK, NLM_F_CREATE, import_pyroute2
from lab.model.topology import Interface, Nat

NETLINK_NETFILTER = 12
NFNL_SUBSYS_NFTABLES = 10
NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END = 16, 17
NFT_MSG_NEWTABLE, NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE = 0, 3, 6
NFT_META_OIF = 5
NFT_PAYLOAD_NETWORK_HEADER = 1
NF_INET_POST_ROUTING = 4
NF_IP_PRI_NAT_SRC = 100
TABLE, CHAIN = "nat", "postrouting"
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}  # NFPROTO_IPV4 and NFPROTO_IPV6 are the same
SOURCE_OFFSET = {4: 12, 6: 8}
"""Where an IP header has its source address. Source: RFC 791, 3.1; RFC 8200, 3."""
NO_NFTABLES = "nf_tables (CONFIG_NF_TABLES; modprobe nf_tables)"
MISSING = {
    "table": {
        4: "nf_tables for IPv4 (CONFIG_NF_TABLES_IPV4)",
        6: "nf_tables for IPv6 (CONFIG_NF_TABLES_IPV6)",
    },
    "chain": dict.fromkeys(
        (4, 6),
        "chains of nf_tables for NAT (CONFIG_NFT_NAT, CONFIG_NF_NAT; modprobe nft_chain_nat)",
    ),
    "rule": dict.fromkeys((4, 6), "the statement snat (CONFIG_NFT_NAT; modprobe nft_nat)"),
}
"""By what was asked for and the IP version what a kernel that refuses it lacks."""
LACKS = frozenset({errno.ENOENT, errno.EOPNOTSUPP, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT})

_HEADER = struct.Struct("=IHHII")
_ERROR = struct.Struct("=i")
_PORT = struct.Struct("!H")
_INDEX = struct.Struct("=I")

_Expression = dict[str, Any]
_Request = tuple[str, int, bytes]
"""What it asks for, the IP version, and the encoded message."""


def make_nat(nat: Nat, interfaces: Iterable[Interface], indexes: Mapping[str, int]) -> None:
    """Make the entered namespace one, whose interfaces have those indexes by their names.

    All of its rules are there then, or none. Raises MachineError if this kernel lacks what a NAT
    needs, with its name, and KernelRefused.
    """
    nft = import_pyroute2("pyroute2.netlink.nfnetlink.nftsocket")
    outside = [each for each in interfaces if each.name in nat.outside]
    requests: list[_Request] = []
    for version in FAMILIES:
        rules = [
            _rule(indexes[each.name], address.ip, nat.ports)
            for each in outside
            for address in _first_of(each, version)
        ]
        if rules:
            requests += _table(nft, version, rules)
    _commit(nat.host, requests)


def _first_of(interface: Interface, version: int) -> Iterator[Any]:
    """The interface's first address of that IP version, if there is one."""
    fit = (a for a in interface.addresses if a.version == version and not a.is_link_local)
    if (first := next(fit, None)) is not None:
        yield first


def _table(nft: ModuleType, version: int, rules: Sequence[Sequence[_Expression]]) -> list[_Request]:
    """A table with one chain and its rules."""
    hook = {
        "attrs": [
            ("NFTA_HOOK_HOOKNUM", NF_INET_POST_ROUTING),
            ("NFTA_HOOK_PRIORITY", NF_IP_PRI_NAT_SRC),
        ]
    }
    chain = [("NFTA_CHAIN_TABLE", TABLE), ("NFTA_CHAIN_NAME", CHAIN),
             ("NFTA_CHAIN_HOOK", hook), ("NFTA_CHAIN_TYPE", "nat")]  # fmt: skip
    found = [
        _request(
            nft.nft_table_msg, "table", NFT_MSG_NEWTABLE, version, [("NFTA_TABLE_NAME", TABLE)]
        ),
        _request(nft.nft_chain_msg, "chain", NFT_MSG_NEWCHAIN, version, chain),
    ]
    for rule in rules:
        attributes = [
            ("NFTA_RULE_TABLE", TABLE),
            ("NFTA_RULE_CHAIN", CHAIN),
            ("NFTA_RULE_EXPRESSIONS", rule),
        ]
        found.append(_request(nft.nft_rule_msg, "rule", NFT_MSG_NEWRULE, version, attributes))
    return found


def _rule(
    index: int, address: IPv4Address | IPv6Address, ports: tuple[int, int] | None
) -> list[_Expression]:
    """As nft(8) has it: oif INDEX ip saddr != ADDRESS snat to ADDRESS[:FIRST-LAST].

    The namespace's own packets have that address already, and are left as they are.
    """
    source = {
        "NFTA_PAYLOAD_DREG": 1,
        "NFTA_PAYLOAD_BASE": NFT_PAYLOAD_NETWORK_HEADER,
        "NFTA_PAYLOAD_OFFSET": SOURCE_OFFSET[address.version],
        "NFTA_PAYLOAD_LEN": len(address.packed),
    }
    snat = {
        "NFTA_NAT_TYPE": 0,
        "NFTA_NAT_FAMILY": FAMILIES[address.version],
        "NFTA_NAT_REG_ADDR_MIN": 1,
    }
    rule = [
        _expression("meta", NFTA_META_KEY=NFT_META_OIF, NFTA_META_DREG=1),
        _compared(_INDEX.pack(index), is_equal=True),
        _expression("payload", **source),
        _compared(address.packed, is_equal=False),
        _loaded(1, address.packed),
    ]
    if ports is not None:
        rule += [_loaded(2, _PORT.pack(ports[0])), _loaded(3, _PORT.pack(ports[1]))]
        snat |= {"NFTA_NAT_REG_PROTO_MIN": 2, "NFTA_NAT_REG_PROTO_MAX": 3}
    return [*rule, _expression("nat", **snat)]


def _compared(value: bytes, *, is_equal: bool) -> _Expression:
    """Go on with the rule if register 1 is the value, or is not."""
    return _expression(
        "cmp", NFTA_CMP_SREG=1, NFTA_CMP_OP=0 if is_equal else 1, NFTA_CMP_DATA=_data(value)
    )


def _loaded(register: int, value: bytes) -> _Expression:
    return _expression("immediate", NFTA_IMMEDIATE_DREG=register, NFTA_IMMEDIATE_DATA=_data(value))


def _data(value: bytes) -> _Expression:
    return {"attrs": [("NFTA_DATA_VALUE", value)]}


def _expression(name: str, **attributes: object) -> _Expression:
    data = {"attrs": list(attributes.items())}
    return {"attrs": [("NFTA_EXPR_NAME", name), ("NFTA_EXPR_DATA", data)]}


def _request(
    kind: type, what: str, number: int, version: int, attributes: Sequence[tuple[str, object]]
) -> _Request:
    message = kind()
    message["nfgen_family"] = FAMILIES[version]
    message["attrs"] = list(attributes)
    message["header"]["type"] = NFNL_SUBSYS_NFTABLES << 8 | number
    message["header"]["flags"] = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE
    message.encode()
    return what, version, bytes(message.data)


def _commit(host: str, requests: Sequence[_Request]) -> None:
    """Send them as one batch, of which the kernel does all or nothing."""
    messages = [_bound(NFNL_MSG_BATCH_BEGIN, 0)]
    for sequence, (_, _, data) in enumerate(requests, start=1):
        messages.append(data[:8] + struct.pack("=I", sequence) + data[12:] + bytes(-len(data) % 4))
    messages.append(_bound(NFNL_MSG_BATCH_END, len(messages)))
    try:
        with socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER
        ) as netlink:
            netlink.send(b"".join(messages))
            waiting = set(range(1, len(requests) + 1))
            while waiting:
                for sequence, code in _acknowledged(netlink.recv(1 << 16)):
                    if code:
                        _refuse(host, code, requests, sequence)
                    waiting.discard(sequence)
    except OSError as error:
        if error.errno in LACKS:
            raise MachineError(f"this kernel has no NAT: it lacks {NO_NFTABLES}") from error
        raise KernelRefused(f"cannot make {host} a NAT: {error.strerror}") from error


def _bound(kind: int, sequence: int) -> bytes:
    """What begins or ends a batch: a struct nfgenmsg with the subsystem's number."""
    body = struct.pack("!BBH", socket.AF_UNSPEC, 0, NFNL_SUBSYS_NFTABLES)
    return _HEADER.pack(_HEADER.size + len(body), kind, NLM_F_REQUEST, sequence, 0) + body


def _acknowledged(data: bytes) -> Iterator[tuple[int, int]]:
    """Of each answer the request's number and the errno, 0 where it was done."""
    offset = 0
    while offset < len(data):
        length, kind, _, sequence, _ = _HEADER.unpack_from(data, offset)
        if kind == NLMSG_ERROR:
            yield sequence, -_ERROR.unpack_from(data, offset + _HEADER.size)[0]
        offset += length + 3 & ~3


def _refuse(host: str, code: int, requests: Sequence[_Request], sequence: int) -> None:
    """Raise MachineError or KernelRefused; number 0 is the whole batch."""
    if code in LACKS:
        lacking = NO_NFTABLES
        if sequence:
            what, version, _ = requests[sequence - 1]
            lacking = MISSING[what][version]
        raise MachineError(f"this kernel has no NAT: it lacks {lacking}")
    name = errno.errorcode.get(code, str(code))
    what = requests[sequence - 1][0] if sequence else "table"
    raise KernelRefused(f"cannot make {host} a NAT: {what}: {name} ({os.strerror(code)})")
