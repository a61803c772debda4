"""Why a SYN that came is not taken: too many handshakes are unfinished at the listening socket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids
from lab.analysis.causes.opening.connects import client_failed
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import DISCARDED, Segment
from lab.model.counted import counted
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.tcp.conversation import TcpConversation

_FULL = "TcpExtTCPReqQFullDrop"
"""Rises by one for a SYN that is dropped so: nstat(8)."""

Opening = tuple["TcpConversation", list[Segment]]
"""A conversation, and its SYNs and SYN-ACKs."""


def full_syn_queues(facts: StepFacts, openings: Sequence[Opening]) -> dict[str, Cause]:
    """The cause by server, of those whose kernel says that it dropped SYNs for want of room.

    Without SYN cookies a listening socket keeps so many unfinished handshakes as its backlog
    allows, and ignores the SYNs beyond. Source: tcp(7), tcp_syncookies; RFC 4987, 3.6.
    """
    ignored: dict[str, list[Opening]] = {}
    for talk, syns in openings:
        if _is_ignored(facts, syns):
            ignored.setdefault(facts.host_of(talk, False), []).append((talk, syns))
    return {host: _cause(facts, host, of) for host, of in ignored.items() if _full(facts, host)}


def _full(facts: StepFacts, host: str) -> bool:
    return bool(facts.counted(host, _FULL))


def _is_ignored(facts: StepFacts, syns: list[Segment]) -> bool:
    """Whether the first came, and nothing ever answered."""
    came = facts.arrival_ns(syns[0]) is not None and not syns[0].notes & DISCARDED
    return came and all(each.from_client for each in syns)


def _cause(facts: StepFacts, host: str, ignored: list[Opening]) -> Cause:
    """That of the client that tried longest: what is meant to fill a queue tries once."""
    talk, syns = max(ignored, key=lambda opening: len(opening[1]))
    first = syns[0]
    again = f", which is sent {counted(len(syns) - 1, 'time')} again" if syns[1:] else ""
    failed = client_failed(facts, talk, first)
    unfinished = [
        each for each in facts.timeline.conversations if _is_unfinished(facts, each, host)
    ]
    return Cause(
        "syn-queue-full",
        f"As many handshakes are unfinished at {host} as its listening socket keeps, and it sends "
        f"no SYN cookies: its kernel ignores the SYN ({frame_id(first.crossing)}){again}, and says "
        f"nothing{'' if failed is None else f': {failed}'}.",
        str(talk.flow.id),
        known_ids(
            *(frame_id(each.segments[0].crossing) for each in unfinished),
            *(frame_id(each.crossing) for each in syns),
            failed.call if failed else None,
        ),
        "tcp(7), tcp_max_syn_backlog, tcp_syncookies; RFC 4987, 3",
        Surprise.ELSEWHERE,
        facts.counted(host, _FULL, "TcpExtListenDrops"),
        times=len(ignored),
    )


def _is_unfinished(facts: StepFacts, talk: TcpConversation, host: str) -> bool:
    """Whether that host answered by a SYN-ACK, and no ACK came for it."""
    answered = any(
        int(each.flags) & int(TcpFlags.SYN) and not each.from_client for each in talk.segments
    )
    return answered and talk.handshake is None and facts.host_of(talk, False) == host
