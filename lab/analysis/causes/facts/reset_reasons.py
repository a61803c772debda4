"""The reason that a kernel itself gives for a RST, where it gives one.

Linux has a tracepoint where TCP sends a RST (since 4.16), with a reason since 6.10. What a packet
filter answers with a RST passes by it. Source: Linux, include/net/rstreason.h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import known_ids

if TYPE_CHECKING:
    from lab.analysis.causes.facts.reset import Reset
    from lab.model.address import SocketAddress

_UNSAID = frozenset({"NOT_SPECIFIED", "MAX", ""})
_EARLIER_NS, _LATER_NS = 5_000_000, 100_000
"""So long before it is seen to leave, or after that, a RST was sent."""

NO_SOCKET = "NO_SOCKET"
_OF_NO_SOCKET = frozenset({"reset-nobody-listens", "reset-handshake-by-hand", "reset-half-open"})
_OF_A_SOCKET = frozenset({"reset-unread", "reset-linger", "reset-queue-closed"})

ALONE = {
    "TCP_ABORT_ON_LINGER": "TCP_LINGER2 below 0 has close(2) end the connection at once, which "
    "would wait in FIN-WAIT-2 for the peer's FIN else",
    "TCP_ABORT_ON_MEMORY": "there was no memory left for the connection",
    "TCP_TIMEWAIT_SOCKET": "what came met a connection in TIME-WAIT that it does not fit",
    "TCP_INVALID_ACK_SEQUENCE": "what came acknowledges what is none of this connection's",
    "TCP_ACK_UNSENT_DATA": "what came acknowledges what was never sent",
    "TCP_OLD_ACK": "what came acknowledges what had been acknowledged long before",
    "TCP_TOO_OLD_ACK": "what came acknowledges what had been acknowledged long before",
    "TCP_RFC7323_PAWS": "what came has a timestamp that is older than the last one's",
    "TCP_FLAGS": "what came has flags that fit no state of the connection",
    "INVALID_SYN": "a SYN came in the middle of the connection",
}
"""What those say that no program's call explains."""


def reset_reason(reset: Reset) -> str:
    """The reason by its name in Linux, without SK_RST_REASON_; "" where none is known."""
    facts, is_client, left_ns = reset.facts, reset.rst.from_client, reset.left_ns
    near, far = (facts.place_of(reset.talk, each) for each in (is_client, not is_client))
    events = [
        event
        for event in facts.resets_sent.get((_end(near), _end(far)), ())
        if -_EARLIER_NS <= event.time_ns - left_ns <= _LATER_NS
    ]
    reasons = {str(event.fields.get("reason", "")) for event in events}
    # Of several that close together nobody can tell which is whose.
    found = next(iter(reasons)) if len(reasons) == 1 else ""
    return "" if found in _UNSAID else found


def contradicts(reason: str, cause: str) -> bool:
    """Whether a cause of that name cannot be, by the kernel's reason."""
    if reason == NO_SOCKET:
        return cause in _OF_A_SOCKET
    return bool(reason) and cause in _OF_NO_SOCKET


def by_reason(reset: Reset, reason: str) -> Cause | None:
    """What the kernel says that no call explains. Source: Linux, include/net/rstreason.h."""
    if reason not in ALONE:
        return None
    return Cause(
        "reset-reason",
        f"The kernel of {reset.host} gives {reason} as its reason for the RST ({reset.id}): "
        f"{ALONE[reason]}{reset.and_so()}.",
        reset.host,
        known_ids(reset.id, reset.failed),
        "Linux, include/net/rstreason.h; tcp(7), TCP_LINGER2"
        if reason == "TCP_ABORT_ON_LINGER"
        else "Linux, include/net/rstreason.h; RFC 9293, 3.10.7",
        Surprise.HIDDEN,
    )


def _end(place: SocketAddress) -> str:
    """An address and a port as events have them."""
    return f"{place.address} {place.port}"
