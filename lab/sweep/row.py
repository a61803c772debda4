"""What is kept of a run of a sweep: a row of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, field
from typing import TYPE_CHECKING, Any

from lab.frozen import frozen
from lab.model.claim import Outcome
from lab.sweep.parameter import FAMILY, TRACE, ParameterValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.results import Result
    from lab.sweep.grid import Wanted


@frozen
class RunRow:
    """A run that was made, or could not be: then `failure` says why, and nothing was measured."""

    key: str
    """What the run is known by: Wanted.key."""
    scenario: str
    family: int
    trace: str
    seed: int
    over: Mapping[str, ParameterValue]
    """By name, the values that the sweep's parameters had, family and trace left out."""
    failure: str = ""
    """Why it could not be made; or, of one that was made, the programs that failed."""
    outcome: str = ""
    """HOLDS, BROKEN or UNDECIDED, the worst of its claims; "" of one that could not be made."""
    holds: int = 0
    """How many claims hold."""
    broken: int = 0
    undecided: int = 0
    skipped: int = 0
    not_held: tuple[str, ...] = ()
    """The names of the claims that are broken or undecided."""
    began_ns: int = 0
    """Since 1970."""
    took_s: float = 0.0
    """From the order to run it to its verdicts."""
    lasted_s: float | None = None
    """From the first frame that left to the last that arrived, of each step, added up; None where
    there was no frame."""
    handshake_s: float | None = None
    """From the SYN leaving the client to the SYN-ACK reaching it, of the first connection."""
    frames: int | None = None
    """That hosts sent."""
    lost: int | None = None
    """Of those, the ones that did not arrive."""
    wire_bytes: int | None = None
    """Of all frames, from their Ethernet headers on."""
    payload_bytes: int | None = None
    """That arrived: of TCP each byte once, of UDP that of all datagrams."""
    retransmissions: int | None = None
    """TCP segments that carry what was sent before."""
    goodput_bps: float | None = None
    """8 × payload_bytes / the time from the first to the last frame of all flows, of each step
    added up. Source: RFC 2647, 3.17, where nothing is counted that is sent again."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """By nstat(8)'s names what the kernels of all hosts counted, added up, interfaces left out."""
    machine: str = ""
    """The host name of the machine that made it."""
    kernel: str = ""
    kept: str = ""
    """The folder of its artifacts, below the sweep's own; "" where they were not kept."""

    def as_json(self) -> dict[str, Any]:
        """Its fields as JSON has them."""
        return asdict(self)


def row_of_json(values: Mapping[str, Any]) -> RunRow:
    """The row of which these are the fields."""
    return RunRow(**{**values, "not_held": tuple(values["not_held"])})


def failed_row(wanted: Wanted, failure: str, machine: str, began_ns: int, took_s: float) -> RunRow:
    """The row of a run that could not be made."""
    return RunRow(
        **_what_it_is(wanted),
        failure=failure,
        began_ns=began_ns,
        took_s=took_s,
        machine=machine,
    )


def row_of_result(wanted: Wanted, result: Result, machine: str, took_s: float) -> RunRow:
    """The row of a run that was made."""
    from lab.analysis.tcp.segment import Note

    outcomes = Counter(judgement.verdict.outcome for judgement in result.judgements)
    counters: Counter[str] = Counter()
    for seen in result.recording.counters:
        counters.update({n: by for n, by in seen.changes.items() if by and ":" not in n})
    lasted_ns = flows_ns = frames = lost = wire_bytes = payload_bytes = sent_again = 0
    handshake_ns: int | None = None
    for timeline in result.timelines:
        lasted_ns += _span_ns(timeline.crossings)
        for crossing in timeline.crossings:
            if not crossing.is_made:
                frames += 1
                lost += crossing.lost
                wire_bytes += crossing.packet.frame.wire_bytes
        talk_of = {talk.flow.id: talk for talk in timeline.conversations}
        for flow in timeline.flows:
            talk = talk_of.get(flow.id)
            payload_bytes += _payload_bytes(flow, talk)
            if talk is None:
                continue
            sent_again += sum(Note.RETRANSMISSION in segment.notes for segment in talk.segments)
            if handshake_ns is None and talk.handshake is not None:
                handshake_ns = talk.handshake.syn_to_syn_ack_ns
        flows_ns += _span_ns([each for flow in timeline.flows for each in flow.crossings])
    return RunRow(
        **_what_it_is(wanted),
        failure="; ".join(result.failures),
        outcome=result.outcome.name,
        holds=outcomes[Outcome.HOLDS],
        broken=outcomes[Outcome.BROKEN],
        undecided=outcomes[Outcome.UNDECIDED],
        skipped=outcomes[Outcome.SKIPPED],
        not_held=tuple(
            judgement.claim.name
            for judgement in result.judgements
            if judgement.verdict.outcome in (Outcome.BROKEN, Outcome.UNDECIDED)
        ),
        began_ns=result.recording.started_ns,
        took_s=took_s,
        lasted_s=lasted_ns / 1e9 if frames else None,
        handshake_s=None if handshake_ns is None else handshake_ns / 1e9,
        frames=frames,
        lost=lost,
        wire_bytes=wire_bytes,
        payload_bytes=payload_bytes,
        retransmissions=sent_again,
        goodput_bps=8e9 * payload_bytes / flows_ns if flows_ns else None,
        counters=dict(counters),
        machine=machine,
        kernel=result.recording.kernel,
    )


def _what_it_is(wanted: Wanted) -> dict[str, Any]:
    return {
        "key": wanted.key,
        "scenario": wanted.scenario,
        "family": wanted.family,
        "trace": wanted.trace,
        "seed": wanted.seed,
        "over": {name: value for name, value in wanted.over if name not in (FAMILY, TRACE)},
    }


def _span_ns(crossings: Sequence[Crossing]) -> int:
    """From the first one's leaving to the last one's arriving; 0 of none."""
    if not crossings:
        return 0
    ends = (c.time_ns if c.received_ns is None else c.received_ns for c in crossings)
    return max(ends) - min(crossing.time_ns for crossing in crossings)


def _payload_bytes(flow: Flow, talk: TcpConversation | None) -> int:
    """What arrived of it."""
    if talk is not None:
        return talk.client_to_server.length + talk.server_to_client.length
    return sum(
        each.packet.udp.payload_bytes
        for each in flow.crossings
        if each.packet.udp is not None and not each.lost
    )
