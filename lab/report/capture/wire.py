"""wire.pcapng: each frame once, as it left, for Wireshark's own analysis of the flows."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from lab.analysis.key_logs import secrets_for_wireshark
from lab.analysis.timeline import Timeline
from lab.pcap.pcapng_writing import HostName, write_pcapng
from lab.records import Direction, Frame, Recording
from lab.report.capture.comments import frame_comments


def wire_capture(timelines: Sequence[Timeline]) -> bytes:
    """A pcapng file of the steps' frames without canaries, each once for every link it was on.

    A frame has the time when it left; one that was only seen arriving, the time when it arrived.
    Frames are in order of time, each on an interface named by its link, without a direction: a
    link has none. The addresses of the hosts are in a Name Resolution Block, TLS secrets in
    Decryption Secrets Blocks.
    """
    recording = timelines[0].recording
    text_of = frame_comments(timelines)
    # By time too: a frame sent again may have the same bytes.
    comment_of = {
        (frame.time_ns, frame.point, frame.data): text_of[index]
        for index, frame in enumerate(recording.frames)
        if index in text_of
    }
    seen = sorted(_frames(timelines), key=lambda frame: frame.time_ns)
    comments = {
        index: comment_of[key]
        for index, frame in enumerate(seen)
        if (key := (frame.time_ns, frame.point, frame.data)) in comment_of
    }
    link_of = {point.name: point.link for point in recording.points}
    frames = [
        replace(frame, point=link_of[frame.point], direction=Direction.UNKNOWN) for frame in seen
    ]
    links = tuple(dict.fromkeys(link_of.values()))
    secrets = secrets_for_wireshark(recording.key_logs)
    file = io.BytesIO()
    write_pcapng(
        file, links, frames, comments, "wirelab", hosts=_hosts(recording), key_logs=secrets
    )
    return file.getvalue()


def _frames(timelines: Sequence[Timeline]) -> Iterator[Frame]:
    seen: set[int] = set()
    for timeline in timelines:
        for crossing in timeline.crossings:
            for each in crossing.hops or (crossing,):
                frame = each.packet.frame
                # What a NAT made of several fragments is the way of each.
                if id(frame) not in seen:
                    seen.add(id(frame))
                    yield frame


def _hosts(recording: Recording) -> tuple[HostName, ...]:
    """The hosts' names by address, of addresses that one host alone has.

    A loopback address is every host's, a link-local one may be another host's on another link.
    """
    hosts_of: dict[IPv4Address | IPv6Address, set[str]] = defaultdict(set)
    for seen in recording.interfaces:
        for address in seen.addresses:
            if not address.ip.is_loopback:
                hosts_of[address.ip].add(seen.host)
    return tuple(
        HostName(address, *hosts) for address, hosts in hosts_of.items() if len(hosts) == 1
    )
