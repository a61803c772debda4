"""Which frames of a flow have wrong checksums, and which senders left theirs to their cards."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from lab.analysis.flows.flow import transport_endpoints
from lab.analysis.packets.packet import Tcp, Udp
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow
    from lab.model.address import SocketAddress


@frozen
class Checksums:
    """What there is to say of a flow's checksums, where any is not as it ought to be."""

    wrong: frozenset[int]
    """Numbers of crossings whose TCP or UDP checksum is wrong: their receiver drops them."""
    left_to_card: tuple[SocketAddress, ...]
    """Senders whose checksums their network cards compute, after the capture point."""


NOTHING_WRONG = Checksums(frozenset(), ())


def judge_checksums(flow: Flow) -> Checksums:
    """The flow's checksums, each sender's by itself.

    A checksum that is its pseudo-header's sum alone was left to the network card; so were all
    of a sender's where none is right, as cards differ in what they want to be there. Any other
    wrong one is wrong: RFC 9293, 3.1 and RFC 1122, 4.1.3.4 have it dropped.
    """
    others = (each for each in flow.crossings if not each.is_plain)
    if not any(_header(each).checksum_ok is False for each in others):
        return NOTHING_WRONG
    of_sender: defaultdict[SocketAddress, list[Crossing]] = defaultdict(list)
    for crossing in flow.crossings:
        ends = transport_endpoints(crossing.packet)
        if ends is not None and _header(crossing).checksum_ok is not None:
            of_sender[ends[0]].append(crossing)
    wrong: set[int] = set()
    left: list[SocketAddress] = []
    for sender, sent in of_sender.items():
        bad = [each for each in sent if _header(each).checksum_ok is False]
        odd = [each for each in bad if not _header(each).is_left_to_card]
        is_left = len(odd) < len(bad)
        if is_left or len(bad) == len(sent):
            left.append(sender)
        if is_left or len(bad) < len(sent):
            wrong |= {each.number for each in odd}
    return Checksums(frozenset(wrong), tuple(left))


def _header(crossing: Crossing) -> Tcp | Udp:
    header = crossing.packet.tcp or crossing.packet.udp
    assert header is not None, "only packets with a transport header are put into flows"
    return header
