"""What tracepoints of the kernel tell of packets and of sockets."""

from __future__ import annotations

from lab.frozen import frozen


@frozen
class DropNotice:
    """A packet that the kernel threw away, with its reason."""

    time_ns: int
    reason: str
    """By its name in enum skb_drop_reason: "NO_SOCKET"."""
    interface: str
    """Where it had come in, by the interface's name alone; "" if it had not, or if unknown."""
    arrived_ns: int | None
    """When the kernel took it up there, at or after the capture's own stamp; None if unknown."""
    length: int
    """Bytes from the network header on; 0 if unknown."""
    step: str = ""
    host: str = ""
    """Whose kernel threw it away; "" if unknown."""
    packet: bytes = b""
    """Its first bytes, from the network header on; empty if unknown."""


@frozen
class KernelEvent:
    """Any other tracepoint of the kernel's, with its fields."""

    time_ns: int
    name: str
    """ "sock:sock_send_length"."""
    tid: int
    """The thread that was running."""
    fields: dict[str, int | str]
    """By the names in the event's format file; a socket's address as "sk ffff8881..."."""
    step: str = ""
