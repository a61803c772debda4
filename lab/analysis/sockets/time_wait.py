"""TIME-WAIT as the kernel has it: since when and until when, of what sock_diag showed.

Linux reports no change of state when a connection goes into TIME-WAIT, nor when it leaves it: a
small record without a socket waits in its place, which sock_diag(7) shows with the time that it
has to go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.calls.address import socket_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.model.address import SocketAddress
    from lab.records import HeldSocket

LENGTH_MS = 60_000
"""TCP_TIMEWAIT_LEN. A FIN that comes again begins it anew."""


class TimeWait(NamedTuple):
    """A connection that one side had in TIME-WAIT. Times are right to a tick of the kernel's."""

    since_ns: int
    until_ns: int
    """When it ends, unless a new connection takes its place."""
    seen_ns: int
    """When the kernel was asked."""


def time_wait_of(
    held: Sequence[HeldSocket], host: str, local: SocketAddress, remote: SocketAddress
) -> TimeWait | None:
    """The TIME-WAIT of a connection on a host, by its addresses there; None if none was seen."""
    for each in held:
        if each.state == "TIME_WAIT" and each.expires_ms and each.host == host:
            ends = (
                socket_address(each.local_address, each.local_port),
                socket_address(each.remote_address, each.remote_port),
            )
            if ends == (local, remote):
                until_ns = each.time_ns + each.expires_ms * 1_000_000
                return TimeWait(until_ns - LENGTH_MS * 1_000_000, until_ns, each.time_ns)
    return None
