"""Edits of the recordings udp4 and udp6, and what their claims make of them.

Crossings of both recordings, by number, two that find the neighbour before each step's others:

3 to 6 the client's datagrams, 5 the empty one, 7 and 8 the replies; 11 the one that is too large
for its reader, 12 the next; 15 to 17 the fragments of one, 18 the next; 21 and 23 to nobody, of the
unconnected and of the connected socket, 22 and 24 the errors about them.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from ipaddress import ip_address

import pytest
import recorded as r
from frame_bytes import internet_checksum, pseudo_header

from lab.analysis.assembly import build_timelines
from lab.analysis.judging import judge
from lab.model.claim import Verdict
from lab.model.family import Family
from lab.records import Recording
from scenarios.udp import SCENARIO

FAMILIES = [4, 6]

Case = tuple[str, r.Edit, str]
"""A claim, what breaks it, and what is said then."""


def recorded(family: int) -> Recording:
    return r.recording_of(f"udp{family}")


def verdict_of(claim: str, recording: Recording) -> Verdict:
    claims = [each for each in SCENARIO.claims if each.id == claim]
    (judgement,) = judge(claims, build_timelines(recording))
    return judgement.verdict


def claims_of(module: str) -> set[str]:
    """The claims of the scenario whose checks are in that module."""
    return {claim.id for claim in SCENARIO.claims if claim.check.__module__ == module}


def parameters(family: int, cases: list[Case]) -> list[object]:
    """The cases over that family, by names."""
    return [
        pytest.param(family, *case, id=f"{case[0]}-over-ipv{family}-{number}")
        for number, case in enumerate(cases)
    ]


def udp_at(data: bytes) -> int:
    return r.ETHERNET + (20 if data[r.ETHERNET] >> 4 == 4 else 40)


def refit(data: bytes) -> bytes:
    """A frame of UDP or ICMP whose IPv4 header's and own checksum are right."""
    ip, at = data[r.ETHERNET :], udp_at(data)
    version, protocol = (4, ip[9]) if ip[0] >> 4 == 4 else (6, ip[6])
    if version == 4:
        header = internet_checksum(ip[:10] + b"\0\0" + ip[12:20])
        data = r.patch(r.ETHERNET + 10, struct.pack("!H", header))(data)
    size = 4 if version == 4 else 16
    source, destination = (ip[at - r.ETHERNET - n * size :][:size] for n in (2, 1))
    place = at + {17: 6, 1: 2, 58: 2}[protocol]
    own = data[at:place] + b"\0\0" + data[place + 2 :]
    pseudo = pseudo_header(ip_address(source), ip_address(destination), protocol, len(own))
    total = internet_checksum((b"" if protocol == 1 else pseudo) + own)
    return r.patch(place, struct.pack("!H", total))(data)


def resized(data: bytes) -> bytes:
    """The frame with its IP header's length as long as it is."""
    if data[r.ETHERNET] >> 4 == 4:
        return r.patch(r.ETHERNET + 2, struct.pack("!H", len(data) - r.ETHERNET))(data)
    return r.patch(r.ETHERNET + 4, struct.pack("!H", len(data) - r.ETHERNET - 40))(data)


def changed(number: int, change: r.Change) -> r.Edit:
    """A datagram or error with other bytes, its checksums right again."""
    return r.changed(number, lambda data: refit(change(data)), fix=False)


def with_payload(payload: bytes) -> r.Change:
    def change(data: bytes) -> bytes:
        at = udp_at(data)
        length = struct.pack("!H", 8 + len(payload))
        return resized(data[: at + 4] + length + data[at + 6 : at + 8] + payload)

    return change


def patch_udp(offset: int, new: bytes) -> r.Change:
    return lambda data: r.patch(udp_at(data) + offset, new)(data)


def patch_quoted_udp(offset: int, new: bytes) -> r.Change:
    """Other bytes in the UDP header that an ICMP error quotes."""
    ip_bytes = {4: 20, 6: 40}
    return lambda data: r.patch(udp_at(data) + 8 + ip_bytes[data[r.ETHERNET] >> 4] + offset, new)(
        data
    )


def other_code(data: bytes) -> bytes:
    return patch_udp(1, b"\1" if data[r.ETHERNET] >> 4 == 4 else b"\3")(data)


def place_in_fragment(data: bytes) -> tuple[int, int]:
    """Where identification, and offset with its flags, stand."""
    if data[r.ETHERNET] >> 4 == 4:
        return r.ETHERNET + 4, r.ETHERNET + 6
    return udp_at(data) + 4, udp_at(data) + 2


def refragmented(number: int, identification: bytes = b"", flags: bytes = b"") -> r.Edit:
    """A fragment of another datagram, or with another place."""

    def change(data: bytes) -> bytes:
        id_at, flags_at = place_in_fragment(data)
        data = r.patch(id_at, identification)(data)
        data = r.patch(flags_at, flags)(data)
        if data[r.ETHERNET] >> 4 == 4:
            header = data[r.ETHERNET : r.ETHERNET + 20]
            total = internet_checksum(header[:10] + b"\0\0" + header[12:])
            data = r.patch(r.ETHERNET + 10, struct.pack("!H", total))(data)
        return data

    return r.changed(number, change, fix=False)


def grown(number: int, amount: int) -> r.Edit:
    """A fragment with so many bytes more."""

    def change(data: bytes) -> bytes:
        data = resized(data + bytes(amount))
        if data[r.ETHERNET] >> 4 == 4:
            header = data[r.ETHERNET : r.ETHERNET + 20]
            total = internet_checksum(header[:10] + b"\0\0" + header[12:])
            data = r.patch(r.ETHERNET + 10, struct.pack("!H", total))(data)
        return data

    return r.changed(number, change, fix=False)


def foreign(number: int) -> r.Edit:
    """A frame of no protocol that the lab knows in the place of a crossing."""
    return r.changed(number, lambda data: data[:12] + b"\x88\xb5" + data[14:], fix=False)


def told(program: str, old: str, new: str) -> r.Edit:
    """A program that printed one thing instead of another, which it did print."""

    def change(text: str) -> str:
        assert old in text, text
        return text.replace(old, new)

    return r.printed(program, change)


def untold(program: str, word: str) -> r.Edit:
    """A program that did not print the lines with that word."""

    def change(text: str) -> str:
        assert word in text, text
        return "".join(line for line in text.splitlines(True) if word not in line)

    return r.printed(program, change)


def other_family(recording: Recording) -> Recording:
    other = Family.IPV6 if recording.family is Family.IPV4 else Family.IPV4
    return replace(recording, family=other)


def of_family_6(recording: Recording) -> Recording:
    programs = [
        replace(p, stdout=p.stdout.replace("AF_INET,", "AF_INET6,")) for p in recording.programs
    ]
    return replace(recording, programs=tuple(programs), family=Family.IPV6)


def answered(number: int) -> r.Edit:
    """A datagram back, just as a crossing of the client's comes."""

    def edit(recording: Recording) -> Recording:
        reply = r.sightings(recording, 7)
        at = r.sightings(recording, number)[1].time_ns
        first = reply[0].time_ns
        again = [replace(f, time_ns=at + 1 + f.time_ns - first) for f in reply]
        return r.with_frames(recording, [*recording.frames, *again])

    return edit
