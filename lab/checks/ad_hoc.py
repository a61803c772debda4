"""Claims that are true of whatever programs say to each other: those of an ad-hoc run.

Each check takes any number of connections, and is SKIPPED where there is nothing of the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.packets.packet import Tcp, TcpFlags
from lab.analysis.tcp.conversation import Teardown
from lab.checks.ad_hoc_calls import (
    NO_DATAGRAM,
    accepts_where_it_is_called,
    connects_where_it_is_called,
    hidden_use,
    moves_each_byte_of_datagrams,
    moves_each_byte_of_streams,
    raw_sockets,
)
from lab.checks.agreement import why_untraced
from lab.checks.link import check_checksums
from lab.checks.traced import NO_CONNECTION
from lab.model.address import SocketAddress
from lab.model.claim import (
    Verdict,
    broken,
    claim,
    first_of,
    frame_ids,
    holds,
    nothing_seen,
    skipped,
    undecided,
)
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

OPENING = TcpFlags.SYN | TcpFlags.ACK | TcpFlags.FIN | TcpFlags.RST


@claim(
    "Each TCP connection opens with SYN, SYN-ACK and ACK, whose numbers fit.",
    source="RFC 9293, 3.5",
    name="opens",
    by_headers=True,
)
def opens_each_with_three_segments(timeline: Timeline) -> Verdict:
    """SYN, SYN-ACK and ACK for each connection; attempts that came to nothing are named."""
    evidence: list[EventId] = []
    opened = 0
    failed: list[str] = []
    for talk in timeline.conversations:
        handshake = talk.handshake
        if handshake is None:
            is_known = talk.is_of_one_socket or raw_sockets(timeline)
            if (data := _unopened_data(talk)) and not is_known:
                return broken(f"{_name(talk)} carries data, unopened", frame_ids(data))
            failed.append(_attempt(talk))
            continue
        numbers = [handshake.syn, handshake.syn_ack, handshake.ack]
        if fault := _misfit(talk, _tcps(talk, numbers)):
            return broken(fault, frame_ids(numbers))
        opened += 1
        evidence += frame_ids(numbers)
    attempts = "".join(f"; {each}" for each in failed)
    if not opened:
        return nothing_seen(NO_CONNECTION + attempts)
    return holds(f"{counted(opened, 'connection')}, SYN, SYN-ACK and ACK each{attempts}", evidence)


@claim(
    "No payload travels before its TCP connection is open, or in the SYN (Fast Open).",
    source="RFC 9293, 3.5; RFC 7413, 2",
    name="no-early-payload",
    by_headers=True,
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
        why = "no TCP connection carried payload" if _opened(timeline) else NO_CONNECTION
        return nothing_seen(why)
    return holds(first_of(findings), evidence)


@claim(
    "Each TCP connection ends: a FIN each way, acknowledged, or a RST.",
    source="RFC 9293, 3.5.2 and 3.6",
    name="closes",
    by_headers=True,
)
def closes_each_or_resets_it(timeline: Timeline) -> Verdict:
    """Each connection ends with a FIN each way, acknowledged, or with a RST."""
    still_open: Verdict | None = None
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
        elif timeline.recording.unfinished:
            still_open = still_open or undecided(
                f"{_name(talk)} was still open when the capture ended: {talk.teardown.value}",
                frame_ids(ends),
            )
        else:
            return broken(f"{_name(talk)} ended otherwise: {talk.teardown.value}", frame_ids(ends))
        evidence += frame_ids(dict.fromkeys([*ends, *talk.resets[:1]]))
    if still_open is not None:
        return still_open
    return holds(first_of(findings), evidence) if findings else nothing_seen(NO_CONNECTION)


@claim(
    "UDP greets nobody: the first frame of an exchange carries data.",
    source="RFC 768; udp(7)",
    name="udp-begins",
)
def begins_each_exchange_with_data(timeline: Timeline) -> Verdict:
    """The first frame of each UDP flow carries payload, or is what a call sent: nothing."""
    flows = [flow for flow in timeline.flows if flow.protocol == "udp"]
    firsts = [flow.crossings[0] for flow in flows]
    if not flows:
        return nothing_seen(NO_DATAGRAM)
    channels = timeline.correlation.channels
    sent = {frame: part.call for c in channels for part in c.parts for frame in part.segments}
    findings: list[str] = []
    evidence: list[EventId] = []
    for crossing in firsts:
        frame = crossing.id
        evidence.append(frame)
        if crossing.packet.payload:
            length = len(crossing.packet.payload)
            findings.append(f"{frame} comes first, with {counted(length, 'byte')}")
        elif frame in sent:
            evidence.append(sent[frame])
            findings.append(f"{frame} comes first, empty as {sent[frame]} sent it")
        elif not timeline.system_calls:
            why = why_untraced(timeline)
            return skipped(f"{frame} comes first and is empty; whether a call sent it: {why}")
        elif hidden := hidden_use(timeline, crossing.sender):
            return hidden
        elif any(c.uncounted for c in channels) or raw_sockets(timeline, crossing.sender):
            why = f"{frame} comes first and is empty; whether a call sent it so is unknown"
            return undecided(why, [frame])
        else:
            return _sent_by_none(timeline, crossing)
    return holds(first_of(findings), evidence)


@claim(
    "Every checksum is right.",
    source="RFC 1071; RFC 9293, 3.1; RFC 768; RFC 791, 3.1; RFC 8200, 8.1",
    name="checksums",
)
def has_no_wrong_checksum(timeline: Timeline) -> Verdict:
    """Every checksum of every frame, computed again."""
    if not timeline.crossings:
        return nothing_seen("not one frame was seen")
    return check_checksums([timeline]) or nothing_seen("no frame has a checksum")


@claim(
    "What goes through a unix socket puts no frame on any wire.",
    source="unix(7)",
    name="unix-silent",
)
def keeps_unix_sockets_off_the_wire(timeline: Timeline) -> Verdict:
    """What calls sent through unix sockets is on no device of any host.

    Frames may be seen all the same where the programs have other sockets too.
    """
    recording = timeline.recording
    if recording.family is not None:
        return skipped("the programs were not run for a unix socket (--unix)")
    captured = {(point.host, point.interface) for point in recording.points}
    if missed := [s for s in recording.interfaces if (s.host, s.name) not in captured]:
        return undecided(f"{missed[0].host}/{missed[0].name} was not captured")
    frames = _frames_of_no_other_socket(timeline)
    if frames:
        if hidden := hidden_use(timeline):
            return hidden
        return broken(f"{counted(len(frames), 'frame')} seen", frame_ids(frames))
    if not timeline.system_calls:
        return skipped(f"no frame was seen; what was said was not: {why_untraced(timeline)}")
    known = {each.id for each in timeline.endpoints if each.domain == "AF_UNIX"}
    channels = [c for c in timeline.correlation.channels if {c.sender, c.receiver} & known]
    parts = [part for channel in channels for part in channel.parts]
    sent, read = (sum(getattr(c, what) for c in channels) for what in ("sent", "read"))
    if not parts:
        if hidden := hidden_use(timeline):
            return hidden
        return nothing_seen("nothing went through a unix socket")
    points = ", ".join(point.name for point in recording.points)
    others = " but those of other sockets" if timeline.crossings else ""
    return holds(
        f"{counted(sent, 'byte')} sent, {read} read, and not one frame was seen{others} between "
        f"the canaries at {points}",
        dict.fromkeys(call for part in parts for call in (part.call, *part.reads)),
    )


def _sent_by_none(timeline: Timeline, crossing: Crossing) -> Verdict:
    """Of an empty datagram that no traced call sent: what its host's programs print decides."""
    said = f"{crossing.id} comes first, is empty, and no call sent it"
    here = [run.name for run in timeline.programs if run.host == crossing.sender]
    agreements = [timeline.agreements.get(program) for program in here]
    if here and all(each is not None and each.is_whole for each in agreements):
        return broken(said, [crossing.id])
    return undecided(f"{said}: the tracer or the capture is wrong", [crossing.id])


def _frames_of_no_other_socket(timeline: Timeline) -> list[int]:
    """The frames that no other socket of the programs accounts for.

    One that is connected or bound to an internet address has its flows; around those the kernel
    sends what it must: ARP, Neighbor Discovery, ICMP.
    """
    others = [e for e in timeline.endpoints if e.domain not in ("AF_UNIX", "AF_NETLINK", "pipe")]
    if not others:
        return [crossing.number for crossing in timeline.crossings]
    if raw_sockets(timeline):
        return []
    ports = {
        place.port
        for each in others
        for place in (each.local, each.remote)
        if isinstance(place, SocketAddress)
    }
    return [
        crossing.number
        for flow in timeline.flows
        if not ports & {flow.a.port, flow.b.port}
        for crossing in flow.crossings
    ]


def _unopened_data(talk: TcpConversation) -> list[int]:
    """The segments that carry data outside a SYN, which may (RFC 9293, 3.10.7.3; RFC 7413)."""
    return [s.crossing for s in talk.segments if s.length and not s.flags & TcpFlags.SYN]


def _opened(timeline: Timeline) -> list[TcpConversation]:
    return [talk for talk in timeline.conversations if talk.handshake is not None]


def _name(talk: TcpConversation) -> str:
    """The flow's id, as in the report."""
    return str(talk.flow.id)


def _attempt(talk: TcpConversation) -> str:
    """What became of an attempt to connect."""
    if talk.is_of_one_socket:
        return f"{_name(talk)} is of one socket, which has connected to itself"
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
    connects_where_it_is_called,
    accepts_where_it_is_called,
    moves_each_byte_of_streams,
    closes_each_or_resets_it,
    begins_each_exchange_with_data,
    moves_each_byte_of_datagrams,
    keeps_unix_sockets_off_the_wire,
    has_no_wrong_checksum,
)
"""What is judged of two programs that the lab knows nothing of."""
