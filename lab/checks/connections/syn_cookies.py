"""Checks of a server that gets more SYNs than it can keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import UNTAKEN
from lab.model.claim import Verdict, broken, claim, holds, undecided
from lab.model.event import frame_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Segment
    from lab.analysis.timeline import Timeline

_SYN_ACK = TcpFlags.SYN | TcpFlags.ACK
NO_FLOOD = "no SYN was left without an ACK of its answer"


@claim(
    "Every SYN is answered by a SYN-ACK, however many handshakes are unfinished.",
    source="RFC 4987, 3.6; tcp(7), tcp_syncookies",
    name="answers",
)
def answers_every_syn(timeline: Timeline) -> Verdict:
    """Of the handshakes that nobody finished as of all others."""
    half = _unfinished(timeline)
    if not half:
        return undecided(NO_FLOOD)
    answers = []
    for talk in timeline.conversations:
        answer = _answer(talk)
        if answer is None:
            about = [frame_id(each.crossing) for each in talk.segments]
            return broken(f"the SYN of {talk.flow.id} had no SYN-ACK", about)
        answers.append(frame_id(answer.crossing))
    total = len(timeline.conversations)
    return holds(f"{total} SYNs, {len(half)} of them from nobody: each has a SYN-ACK", answers)


@claim(
    "What the server cannot keep it answers with a cookie.",
    source="RFC 4987, 3.6; Linux, net/ipv4/syncookies.c",
    name="cookies",
)
def sends_cookies(timeline: Timeline) -> Verdict:
    """Most SYN-ACKs were cookies, by the counter of the host that sent them."""
    answers = [a for a in map(_answer, timeline.conversations) if a is not None]
    if not _unfinished(timeline) or not answers:
        return undecided(NO_FLOOD)
    evidence = [frame_id(each.crossing) for each in answers]
    host = timeline.crossing_of[answers[0].crossing].sender
    sent = timeline.counters(host)["TcpExtSyncookiesSent"]
    if sent is None:
        return undecided(f"TcpExtSyncookiesSent of {host} was not read", evidence)
    text = f"TcpExtSyncookiesSent of {host} is {sent}, of {len(answers)} SYN-ACKs"
    if not 0 < sent <= len(answers):
        return undecided(f"{text}: one of the two is wrong, or all had room", evidence)
    return holds(text, evidence)


@claim(
    "A true client connects all the same, by its cookie, and every byte arrives.",
    source="RFC 4987, 3.6",
    name="true-client",
)
def lets_a_true_client_in(timeline: Timeline) -> Verdict:
    """Its SYN came after those of nobody; data goes both ways; a cookie came back."""
    half = _unfinished(timeline)
    true = [talk for talk in timeline.conversations if talk.handshake is not None]
    if not half:
        return undecided(NO_FLOOD)
    if not true:
        about = [frame_id(each.crossing) for each in half[0].segments]
        return broken("nobody has connected", about)
    talk = true[0]
    evidence = [frame_id(each.crossing) for each in talk.segments]
    before = [each for each in half if each.segments[0].crossing < talk.segments[0].crossing]
    if len(true) > 1 or len(before) < len(half):
        return undecided(f"{talk.flow.id} did not come after all others, or alone", evidence)
    streams = talk.client_to_server, talk.server_to_client
    if not all(stream.length and not stream.gaps for stream in streams):
        return broken(f"{talk.flow.id} did not carry data both ways", evidence)
    host = timeline.crossing_of[talk.segments[0].crossing].receiver
    came = timeline.counters(host)["TcpExtSyncookiesRecv"]
    if came is None:
        return undecided(f"TcpExtSyncookiesRecv of {host} was not read", evidence)
    text = f"{talk.flow.id} opened behind {len(half)} unfinished; TcpExtSyncookiesRecv is {came}"
    return holds(text, evidence) if came == 1 else undecided(text, evidence)


def _unfinished(timeline: Timeline) -> Sequence[TcpConversation]:
    """The connections of which a SYN came, and nothing else of the client's."""
    return [
        talk
        for talk in timeline.conversations
        if all(each.flags & _SYN_ACK == TcpFlags.SYN for each in talk.segments if each.from_client)
        and not any(each.notes & UNTAKEN for each in talk.segments if each.from_client)
    ]


def _answer(talk: TcpConversation) -> Segment | None:
    answers = (e for e in talk.segments if not e.from_client and e.flags & _SYN_ACK == _SYN_ACK)
    return next(answers, None)
