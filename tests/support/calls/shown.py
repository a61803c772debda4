"""Addresses, flows and arguments by the texts that reports show, and the other way round."""

from __future__ import annotations

from dataclasses import dataclass, fields
from ipaddress import ip_address

from lab.analysis.calls.constants import MESSAGE_FLAGS, SHUTDOWN_WAYS
from lab.analysis.calls.system_call import Argument
from lab.analysis.flows.flow import FlowId
from lab.analysis.sockets.endpoint import Endpoint
from lab.model.address import EndpointAddress, SocketAddress, UnixName

_NUMBERS = {
    name: number for names in (MESSAGE_FLAGS, SHUTDOWN_WAYS) for number, name in names.items()
}
_SOMEWHERE = 0x7F0000


def address(text: str) -> EndpointAddress | None:
    """The address "10.0.0.1:80", "[::]:53", "/run/x" or "@name"; None of ""."""
    if text.startswith(("/", "@")):
        return UnixName(text.removeprefix("@"), text.startswith("@"))
    host, _, port = text.rpartition(":")
    return SocketAddress(ip_address(host.strip("[]")), int(port)) if text else None


def flow_id(text: str) -> FlowId:
    """The flow "tcp 0"."""
    protocol, _, number = text.partition(" ")
    return FlowId("tcp" if protocol == "tcp" else "udp", int(number))


def argument(name: str, text: str) -> Argument:
    """An argument of that text, with the number that it must have been."""
    if text == "NULL" or text.startswith("0x"):
        return Argument(name, text, 0 if text == "NULL" else int(text, 16), is_pointer=True)
    if name in ("addr", "dest_addr"):
        return Argument(name, text, _SOMEWHERE, False, None, address(text.strip('"')))
    if text.lstrip("-").isdigit():
        return Argument(name, text, int(text) % (1 << 64))
    words = text.split("|")
    known = all(word in _NUMBERS for word in words)
    return Argument(name, text, sum(_NUMBERS[word] for word in words) if known else _SOMEWHERE)


@dataclass(frozen=True, slots=True)
class ShownEndpoint:
    """An endpoint, its addresses and flow in text; "" where there is none."""

    id: str
    program: str
    host: str
    domain: str
    type: str
    protocol: str
    local: str
    remote: str
    listening: bool
    made_by: str
    listener: str
    peer: str
    flow: str


def shown(endpoint: Endpoint) -> ShownEndpoint:
    """The endpoint as a report would show it."""
    found = {each.name: getattr(endpoint, each.name) for each in fields(endpoint)}
    for name in ("local", "remote", "made_by", "flow"):
        found[name] = "" if found[name] is None else str(found[name])
    return ShownEndpoint(**found)
