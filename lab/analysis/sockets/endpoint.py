"""A socket or a pipe's end (record)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.analysis.flows.flow import FlowId
    from lab.model.address import EndpointAddress
    from lab.model.event import EventId


@frozen
class Endpoint:
    """A socket or one end of a pipe, as one step's calls used it."""

    id: str
    """ "s1" and so on, in the order in which they were made in the step."""
    program: str
    """Which program made it."""
    host: str
    domain: str
    """ "AF_INET", "AF_UNIX" …; "pipe" for a pipe's end."""
    type: str
    """ "SOCK_STREAM" …; of a pipe "read" or "write"."""
    protocol: str
    """ "tcp", "udp", "unix", "pipe", or the protocol's number."""
    local: EndpointAddress | None
    """None if it has none, or if it is unknown."""
    remote: EndpointAddress | None
    """Its peer's address, where it is connected."""
    listening: bool
    made_by: EventId
    """The call that made it."""
    listener: str = ""
    """Of an accepted socket: the id of the socket that listened."""
    peer: str = ""
    """Id of the endpoint at the other end, where both are the step's programs'."""
    flow: FlowId | None = None
    """The flow on the wire that is its own; None where there is none or several."""
