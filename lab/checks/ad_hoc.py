"""Claims that are true of whatever programs say to each other: those of an ad-hoc run.

Each check takes any number of connections, and is SKIPPED where there is nothing of the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.packets.packet import Tcp, TcpFlags
from lab.analysis.tcp.conversation import Teardown
from lab.checks.agreement import why_untraced
from lab.checks.link import has_right_checksums
from lab.checks.traced import (
    accepts_after_the_handshake,
    connects_around_the_handshake,
    moves_each_byte_of_datagrams,
    moves_each_byte_of_streams,
)
from lab.model.claim import (
    Verdict,
    broken,
    claim,
    first_of,
    frame_ids,
    holds,
    skipped,
    undecided,
)
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

NO_CONNECTION = "no TCP connection was opened"
NO_DATAGRAM = "no UDP datagram was sent"
OPENING = TcpFlags.SYN | TcpFlags.ACK | TcpFlags.FIN | TcpFlags.RST


@claim(
    "Each TCP connection opens with SYN, SYN-ACK and ACK, whose numbers fit.",
    source="RFC 9293, 3.5",
    name="opens",
)
def opens_each_with_three_segments(timeline: Timeline) -> Verdict:
    """SYN, SYN-ACK and ACK for each connection; attempts that came to nothing are named."""
    evidence: list[EventId] = []
    opened = 0
    failed: list[str] = []
    for talk in timeline.conversations:
        handshake = talk.handshake
        if handshake is None:
            if any(segment.length for segment in talk.segments):
                numbers = [segment.crossing for segment in talk.segments]
                return broken(f"{_name(talk)} carries data, unopened", frame_ids(numbers))
            failed.append(_attempt(talk))
            continue
        numbers = [handshake.syn, handshake.syn_ack, handshake.ack]
        if fault := _misfit(talk, _tcps(talk, numbers)):
            return broken(fault, frame_ids(numbers))
        opened += 1
        evidence += frame_ids(numbers)
    attempts = "".join(f"; {each}" for each in failed)
    if not opened:
        return skipped(NO_CONNECTION + attempts)
    return holds(f"{counted(opened, 'connection')}, SYN, SYN-ACK and ACK each{attempts}", evidence)


@claim(
    "No payload travels before its TCP connection is open, or in the SYN (Fast Open).",
    source="RFC 9293, 3.5; RFC 7413, 2",
    name="no-early-payload",
)
def sends_no_payload_before_any_is_open(timeline: Timeline) -> Verdict:
    """Each connection's first segment with payload is the handshake's last, or behind it."""
    evidence: list[EventId] = []
    findings: list[str] = []
    for talk in _opened(timeline):
        assert talk.handshake is not None, "an opened connection has one"
        first = next((s.crossing for s in talk.segments if s.length), None)
        if first is None:
            continue
        numbers = [talk.handshake.ack, first]
        if first < talk.handshake.ack and not _is_fast_open(talk):
            return broken(f"{_name(talk)}: f{first} carries payload too early", frame_ids(numbers))
        evidence += frame_ids(dict.fromkeys(numbers))
        findings.append(f"{_name(talk)} opens with f{numbers[0]}, its payload begins with f{first}")
    if not findings:
        return skipped("no TCP connection carried payload" if _opened(timeline) else NO_CONNECTION)
    return holds(first_of(findings), evidence)


@claim(
    "Each TCP connection ends: a FIN each way, acknowledged, or a RST.",
    source="RFC 9293, 3.5.2 and 3.6",
    name="closes",
)
def closes_each_or_resets_it(timeline: Timeline) -> Verdict:
    """Each connection ends with a FIN each way, acknowledged, or with a RST."""
    evidence: list[EventId] = []
    findings: list[str] = []
    for talk in _opened(timeline):
        ways = (talk.client_to_server, talk.server_to_client)
        ends = [n for way in ways for n in (way.fin, way.fin_acked) if n is not None]
        closed = all(way.fin is not None and way.fin_acked is not None for way in ways)
        if talk.teardown is Teardown.RESET:
            findings.append(f"{_name(talk)} ends with a RST, f{talk.resets[0]}")
        elif closed:
            findings.append(f"{_name(talk)} ends with FINs f{ways[0].fin} and f{ways[1].fin}")
        else:
            return broken(f"{_name(talk)} ended otherwise: {talk.teardown.value}", frame_ids(ends))
        evidence += frame_ids(dict.fromkeys([*ends, *talk.resets[:1]]))
    return holds(first_of(findings), evidence) if findings else skipped(NO_CONNECTION)


@claim(
    "UDP greets nobody: the first frame of an exchange carries data.",
    source="RFC 768; udp(7)",
    name="udp-begins",
)
def begins_each_exchange_with_data(timeline: Timeline) -> Verdict:
    """The first frame of each UDP flow carries payload."""
    flows = [flow for flow in timeline.flows if flow.protocol == "udp"]
    firsts = [flow.crossings[0] for flow in flows]
    empty = [crossing for crossing in firsts if not crossing.packet.payload]
    if not flows:
        return skipped(NO_DATAGRAM)
    if empty:
        frame = empty[0].id
        channels = timeline.correlation.channels
        sent = {n for c in channels for part in c.parts for n in part.segments}
        are_counted = timeline.system_calls and not any(c.uncounted for c in channels)
        if are_counted and frame not in sent:
            return broken(f"{frame} comes first, is empty, and no call sent it", [frame])
        return undecided(
            f"{frame} comes first and is empty: a datagram of the program's, or a greeting of "
            "the protocol's?",
            [frame],
        )
    findings = [
        f"{c.id} comes first, with {counted(len(c.packet.payload), 'byte')}" for c in firsts
    ]
    return holds(first_of(findings), frame_ids(crossing.number for crossing in firsts))


@claim(
    "Every checksum is right.",
    source="RFC 1071; RFC 9293, 3.1; RFC 768; RFC 791, 3.1; RFC 8200, 8.1",
    name="checksums",
)
def has_no_wrong_checksum(timeline: Timeline) -> Verdict:
    """Every checksum of every frame, computed again."""
    if not timeline.crossings:
        return skipped("not one frame was seen")
    return has_right_checksums(timeline)


@claim(
    "What goes through a unix socket puts no frame on any wire.",
    source="unix(7)",
    name="unix-silent",
)
def keeps_unix_sockets_off_the_wire(timeline: Timeline) -> Verdict:
    """Bytes went through unix sockets, and no device of any host saw a frame."""
    recording = timeline.recording
    if recording.family is not None:
        return skipped("the programs were not run for a unix socket (--unix)")
    captured = {(point.host, point.interface) for point in recording.points}
    if missed := [s for s in recording.interfaces if (s.host, s.name) not in captured]:
        return undecided(f"{missed[0].host}/{missed[0].name} was not captured")
    if timeline.crossings:
        numbers = [crossing.number for crossing in timeline.crossings]
        return broken(f"{counted(len(numbers), 'frame')} seen", frame_ids(numbers))
    if not timeline.system_calls:
        return skipped(f"no frame was seen; what was said was not: {why_untraced(timeline)}")
    known = {each.id for each in timeline.endpoints if each.domain == "AF_UNIX"}
    channels = [c for c in timeline.correlation.channels if {c.sender, c.receiver} & known]
    reads = [call for channel in channels for part in channel.parts for call in part.reads]
    total = sum(channel.read for channel in channels)
    if not total:
        return undecided("no frame was seen, but no program read anything from a unix socket")
    points = ", ".join(point.name for point in recording.points)
    return holds(
        f"{counted(total, 'byte')} read, and not one frame seen between the canaries at {points}",
        dict.fromkeys(reads),
    )


def _opened(timeline: Timeline) -> list[TcpConversation]:
    return [talk for talk in timeline.conversations if talk.handshake is not None]


def _name(talk: TcpConversation) -> str:
    """The flow's id, as in the report."""
    return str(talk.flow.id)


def _attempt(talk: TcpConversation) -> str:
    """What became of an attempt to connect."""
    if talk.resets:
        return f"{_name(talk)} was refused with a RST, f{talk.resets[0]}"
    return f"{_name(talk)} was never answered"


def _tcps(talk: TcpConversation, numbers: list[int]) -> list[Tcp]:
    """The TCP headers of crossings of a flow."""
    by_number: dict[int, Crossing] = {c.number: c for c in talk.flow.crossings}
    found = [by_number[number].packet.tcp for number in numbers]
    return [tcp for tcp in found if tcp is not None]


def _misfit(talk: TcpConversation, tcps: list[Tcp]) -> str:
    """What is wrong with a handshake; "" where nothing is."""
    syn, syn_ack, ack = tcps
    flags = [tcp.flags & OPENING for tcp in tcps[:2]]
    after = [(number + 1) % (1 << 32) for number in (syn.seq, syn_ack.seq)]
    if flags != [TcpFlags.SYN, TcpFlags.SYN | TcpFlags.ACK]:
        return f"{_name(talk)} opens with other flags than SYN and SYN-ACK"
    if ack.flags & (TcpFlags.SYN | TcpFlags.RST) or not ack.flags & TcpFlags.ACK:
        return f"{_name(talk)} opens with something else than an ACK in the end"
    if ack.ack != after[1] or (not _is_fast_open(talk) and syn_ack.ack != after[0]):
        return f"{_name(talk)}: the numbers of its handshake do not fit"
    return ""


def _is_fast_open(talk: TcpConversation) -> bool:
    """Whether the SYN carried data (RFC 7413)."""
    syn = next((s for s in talk.segments if s.flags & TcpFlags.SYN and s.from_client), None)
    return syn is not None and syn.length > 0


AD_HOC_CLAIMS = (
    opens_each_with_three_segments,
    sends_no_payload_before_any_is_open,
    connects_around_the_handshake.saying(
        "The SYN leaves after connect() is called, which returns after the SYN-ACK has come.",
        source="connect(2); RFC 9293, 3.10.1",
    ),
    accepts_after_the_handshake.saying(
        "accept() returns after the handshake's ACK has come.",
    ),
    moves_each_byte_of_streams,
    closes_each_or_resets_it,
    begins_each_exchange_with_data,
    moves_each_byte_of_datagrams,
    keeps_unix_sockets_off_the_wire,
    has_no_wrong_checksum,
)
"""What is judged of two programs that the lab knows nothing of."""
