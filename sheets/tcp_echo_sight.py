"""What was seen in the trials of the sheet tcp_echo, for its checks and its misconceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.api import Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.analysis.tcp.conversation import TcpConversation
    from lab.records import HeldSocket

PORT = 4242
AGAIN = 4343
"""The port of a server that is started while connections of one before it are in TIME-WAIT."""


def of_client(seen: Seen, name: str) -> Any:  # noqa: ANN401  what a client has returned
    """What a client has seen; of several clients a list."""
    assert isinstance(seen.value, dict)
    assert name in seen.value, (
        "the first client sent a line and waited for it, and nothing came back: the others did not "
        "come"
    )
    return seen.value[name]


def held(seen: Seen, protocol: str) -> Iterator[HeldSocket]:
    """The sockets that the server's host has."""
    for timeline in seen.run.timelines:
        for each in timeline.held:
            if each.host == "server" and each.protocol == protocol:
                yield each


def listening_ports(seen: Seen) -> set[int]:
    """The ports of TCP that somebody listens on at the server's host."""
    return {each.local_port for each in held(seen, "tcp") if each.state == "LISTEN"}


def listening_addresses(seen: Seen) -> list[str]:
    """Where it listens on its port."""
    listening = (each for each in held(seen, "tcp") if each.state == "LISTEN")
    return sorted({each.local_address for each in listening if each.local_port == PORT})


def connections(seen: Seen) -> Iterator[TcpConversation]:
    """All of them, in order of their first segments."""
    for timeline in seen.run.timelines:
        yield from timeline.conversations
