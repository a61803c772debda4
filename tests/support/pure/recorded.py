"""The recordings in tests/recordings, and edits that make a bad run of a good one.

Crossings of both, by number: 1 asks for the neighbour, 2 tells, 3 to 5 open, 6, 8 and 10 are
the client's data, 12 its FIN, 13, 15 and 17 the server's data, 19 its FIN; 7, 9, 11, 14, 16,
18 and 20 are bare acknowledgements.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from frame_bytes import internet_checksum, pseudo_header

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.bracket import find_brackets
from lab.analysis.judging import judge
from lab.analysis.timeline import Timeline
from lab.checks.agreement import makes_the_same_calls, traces_what_is_printed
from lab.checks.traced import (
    accepts_after_the_handshake,
    connects_around_the_handshake,
    reads_each_byte_of_datagrams,
    reads_each_byte_of_streams,
)
from lab.model.claim import Claim, Judgement, Verdict
from lab.recording.storage import load_recording
from lab.records import Direction, Frame, ProgramRun, Recording
from scenarios.tcp import SCENARIO

FOLDER = Path(__file__).parents[2] / "recordings"
ETHERNET = 14
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ACKS = (7, 9, 11, 14, 16, 18, 20)
DATA = (6, 8, 10, 13, 15, 17)

ASKING_THE_TRACE = frozenset(
    claim.check.__name__
    for claim in (
        accepts_after_the_handshake,
        connects_around_the_handshake,
        makes_the_same_calls,
        reads_each_byte_of_datagrams,
        reads_each_byte_of_streams,
        traces_what_is_printed,
    )
)
"""Names of the checks of system calls."""

Edit = Callable[[Recording], Recording]
Change = Callable[[bytes], bytes]


@cache
def recording_of(name: str) -> Recording:
    """One of tests/recordings: the same each time, so that what is made of it is remembered."""
    return load_recording(FOLDER / name)


def recorded(family: int) -> Recording:
    return recording_of(f"tcp{family}")


def told_by_system_calls(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The claims that only a recording with a trace decides."""
    return tuple(claim for claim in claims if claim.check.__name__ in ASKING_THE_TRACE)


def told_by_frames_and_words(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The other claims: of frames, and of what the programs print."""
    return tuple(claim for claim in claims if claim.check.__name__ not in ASKING_THE_TRACE)


CLAIMS = told_by_frames_and_words(SCENARIO.claims)
"""What the recordings tcp4 and tcp6, which have no trace, decide of their scenario's claims."""


def judged(
    recording: Recording, claims: Iterable[Claim] = SCENARIO.claims
) -> tuple[tuple[Timeline, ...], tuple[Judgement, ...]]:
    """The timeline of the recording's one step, and the verdicts."""
    timelines = build_timelines(recording)
    return timelines, judge(claims, timelines)


def verdict_of(claim: str, recording: Recording) -> Verdict:
    """The one claim's verdict alone, as `judge` gives it."""
    claims = [each for each in SCENARIO.claims if each.id == claim]
    (judgement,) = judge(claims, build_timelines(recording))
    return judgement.verdict


def sightings(recording: Recording, number: int) -> list[Frame]:
    """The two frames of a crossing, departure first."""
    frames = [frame for bracket in find_brackets(recording) for frame in bracket.frames]
    story = sorted(frames, key=lambda frame: frame.time_ns)
    departures = [frame for frame in story if frame.direction is Direction.OUT]
    left = departures[number - 1]
    later = (f for f in story if f.direction is Direction.IN and f.time_ns >= left.time_ns)
    came = (f for f in later if f.data == left.data)
    return [left, next(came)]


def with_frames(recording: Recording, frames: list[Frame]) -> Recording:
    """Other frames, and points that counted them: nothing tells that this was not the run."""
    counts = Counter(frame.point for frame in frames)
    points = tuple(replace(point, frames=counts[point.name]) for point in recording.points)
    ordered = tuple(sorted(frames, key=lambda frame: frame.time_ns))
    return replace(recording, frames=ordered, points=points)


def without(*numbers: int) -> Edit:
    """Crossings that never happened."""

    def edit(recording: Recording) -> Recording:
        gone = [frame for number in numbers for frame in sightings(recording, number)]
        return with_frames(recording, [f for f in recording.frames if f not in gone])

    return edit


def lost(*numbers: int) -> Edit:
    """Crossings that left and never arrived."""

    def edit(recording: Recording) -> Recording:
        gone = [sightings(recording, number)[1] for number in numbers]
        return with_frames(recording, [f for f in recording.frames if f not in gone])

    return edit


def changed(number: int, change: Change, *, fix: bool = True) -> Edit:
    """A crossing with other bytes, whose checksums are right again if `fix`."""

    def edit(recording: Recording) -> Recording:
        old = sightings(recording, number)
        data = change(old[0].data)
        data = with_checksums(data) if fix else data
        frames = [
            replace(f, data=data, wire_bytes=len(data)) if f in old else f for f in recording.frames
        ]
        return with_frames(recording, frames)

    return edit


def moved(number: int, after: int) -> Edit:
    """A crossing that happened just behind another."""

    def edit(recording: Recording) -> Recording:
        moving, before = sightings(recording, number), sightings(recording, after)
        later = before[1].time_ns + 1 - moving[0].time_ns
        frames = [
            replace(f, time_ns=f.time_ns + later) if f in moving else f for f in recording.frames
        ]
        return with_frames(recording, frames)

    return edit


def repeated(
    number: int, delay_ns: int, change: Callable[[bytes], bytes] = lambda data: data
) -> Edit:
    """A crossing that happens once more, with the same bytes unless they are changed."""

    def edit(recording: Recording) -> Recording:
        again = [
            replace(f, time_ns=f.time_ns + delay_ns, data=change(f.data))
            for f in sightings(recording, number)
        ]
        return with_frames(recording, [*recording.frames, *again])

    return edit


def printed(program: str, change: Callable[[str], str]) -> Edit:
    """A program that printed something else."""

    def of(run: ProgramRun) -> ProgramRun:
        return replace(run, stdout=change(run.stdout)) if run.name == program else run

    return lambda recording: replace(recording, programs=tuple(map(of, recording.programs)))


def silent(recording: Recording) -> Recording:
    """Programs that print nothing."""
    programs = tuple(replace(run, stdout="") for run in recording.programs)
    return replace(recording, programs=programs)


def both(*edits: Edit) -> Edit:
    """One edit after the other; numbers are of the crossings as the last one left them."""

    def edit(recording: Recording) -> Recording:
        for each in edits:
            recording = each(recording)
        return recording

    return edit


def tcp_at(data: bytes) -> int:
    return ETHERNET + (20 if data[ETHERNET] >> 4 == 4 else 40)


def patch(at: int, new: bytes) -> Change:
    """Other bytes at an offset."""
    return lambda data: data[:at] + new + data[at + len(new) :]


def set_tcp(**fields: int) -> Change:
    """Other numbers in the TCP header: source_port, seq, ack, data_offset, flags, checksum."""
    places = {
        "source_port": (0, 2), "seq": (4, 4), "ack": (8, 4), "data_offset": (12, 1),
        "flags": (13, 1), "checksum": (16, 2),
    }  # fmt: skip

    def change(data: bytes) -> bytes:
        for name, value in fields.items():
            at, size = places[name]
            value = value << 4 if name == "data_offset" else value
            data = patch(tcp_at(data) + at, value.to_bytes(size, "big"))(data)
        return data

    return change


def add_to(name: str, amount: int) -> Change:
    """`seq` or `ack` more by that much."""

    def change(data: bytes) -> bytes:
        at = tcp_at(data) + {"seq": 4, "ack": 8}[name]
        number = int.from_bytes(data[at : at + 4], "big")
        return set_tcp(**{name: (number + amount) % 2**32})(data)

    return change


def parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    """What comes before the TCP options, the options, and the payload."""
    options = tcp_at(data) + 20
    payload = tcp_at(data) + (data[tcp_at(data) + 12] >> 4) * 4
    return data[:options], data[options:payload], data[payload:]


def joined(head: bytes, options: bytes, payload: bytes) -> bytes:
    """A frame of those parts, with lengths to suit."""
    assert len(options) % 4 == 0
    data = set_tcp(data_offset=5 + len(options) // 4)(head + options + payload)
    ip = data[ETHERNET:]
    if ip[0] >> 4 == 4:
        return patch(ETHERNET + 2, struct.pack("!H", len(ip)))(data)
    return patch(ETHERNET + 4, struct.pack("!H", len(ip) - 40))(data)


def set_payload(payload: bytes) -> Change:
    return lambda data: joined(*parts(data)[:2], payload)


def add_options(more: bytes) -> Change:
    def change(data: bytes) -> bytes:
        head, options, payload = parts(data)
        return joined(head, options + more, payload)

    return change


def drop_option(kind: int) -> Change:
    """No-operations in the place of an option."""

    def change(data: bytes) -> bytes:
        head, options, payload = parts(data)
        at = 0
        while options[at] != kind:
            at += 1 if options[at] < 2 else options[at + 1]
        length = options[at + 1]
        return joined(head, options[:at] + b"\1" * length + options[at + length :], payload)

    return change


def with_checksums(data: bytes) -> bytes:
    """A TCP frame whose IPv4 header's and TCP checksums are right; others as they are."""
    kind = int.from_bytes(data[12:14], "big")
    ip = data[ETHERNET:]
    if kind == 0x0800 and ip[9] == 6:
        header = ip[:10] + b"\0\0" + ip[12:20]
        data = patch(ETHERNET + 10, struct.pack("!H", internet_checksum(header)))(data)
        addresses = ip_address(ip[12:16]), ip_address(ip[16:20])
    elif kind == 0x86DD and ip[6] == 6:
        addresses = ip_address(ip[8:24]), ip_address(ip[24:40])
    else:
        return data
    at = tcp_at(data)
    segment = data[at : at + 16] + b"\0\0" + data[at + 18 :]
    total = internet_checksum(pseudo_header(*addresses, 6, len(segment)) + segment)
    return patch(at + 16, struct.pack("!H", total))(data)


def incomplete(recording: Recording) -> Recording:
    """A run in which the kernel says that it dropped a frame at each point."""
    points = tuple(replace(p, dropped=1, frames=p.frames + 1) for p in recording.points)
    return replace(recording, points=points)


def judge_with(check: Callable[[Timeline], Verdict], recording: Recording) -> Verdict:
    """The verdict of a claim that is checked so."""
    (judgement,) = judge([Claim("x", "X.", "RFC 1", check)], build_timelines(recording))
    return judgement.verdict


def twice(first: Recording) -> Recording:
    """A run of two steps, "conversation" and "again", that are the same but for their times."""
    later_ns = 10**9
    payloads = {canary.payload: canary.payload[::-1] for canary in first.canaries}
    canaries = [
        replace(canary, payload=payloads[canary.payload], step="again") for canary in first.canaries
    ]
    frames = [
        replace(
            frame,
            time_ns=frame.time_ns + later_ns,
            data=frame.data[:ETHERNET] + payloads.get(frame.data[ETHERNET:], frame.data[ETHERNET:]),
        )
        for frame in first.frames
    ]
    programs = [
        replace(
            run,
            name=f"{run.name}-again",
            step="again",
            started_ns=run.started_ns + later_ns,
            ended_ns=run.ended_ns + later_ns,
        )
        for run in first.programs
    ]
    whole = replace(
        first,
        canaries=(*first.canaries, *canaries),
        programs=(*first.programs, *programs),
    )
    return with_frames(whole, [*first.frames, *frames])
