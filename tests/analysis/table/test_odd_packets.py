from __future__ import annotations

import frame_bytes as fb
import link_bytes as lb
from tabled import check_alike, framed, table_of

from lab.analysis.table.addresses import AddressNumbers
from lab.analysis.table.columns import TCP, columns_of
from lab.analysis.table.odd_packets import OddPackets
from lab.records import Frame

SACK = bytes.fromhex("0101050a0000000100000002")


def taken(*frames: Frame) -> OddPackets:
    odd = OddPackets(AddressNumbers())
    columns = columns_of({}, len(frames))
    for row, frame in enumerate(frames):
        odd.take(row, frame, columns, row)
    return odd


def test_a_segment_in_a_tunnel_has_its_columns_and_its_carrier() -> None:
    inside = fb.ethernet(fb.ipv4(fb.tcp(b"x", options=SACK)))
    odd = OddPackets(AddressNumbers())
    columns = columns_of({}, 1)
    odd.take(7, framed(lb.vxlan(inside)), columns, 0)
    assert (columns.kind[0], columns.source_port[0], columns.payload[0]) == (TCP, 40000, 1)
    assert odd.with_more[0].row == 7
    assert odd.with_more[0].carrier is not None and odd.with_more[0].carrier[2].port == 4789
    assert (odd.sacks[0].rows.tolist(), odd.sacks[0].edges[0, :2].tolist()) == ([7], [1, 2])


def test_fragments_are_made_whole_across_frames() -> None:
    datagram = fb.udp(b"a" * 40)
    first, last = (
        framed(fb.ethernet(fb.ipv4(part, 17, flags=flags, offset=offset)))
        for part, flags, offset in ((datagram[:24], 1, 0), (datagram[24:], 0, 24))
    )
    odd = taken(first, last)
    assert [each.row for each in odd.with_more] == [0, 1]
    fragment, whole = odd.with_more
    assert fragment.mention is not None and fragment.mention.datagram == whole.datagram
    assert whole.datagram is not None and whole.mention is None


def test_of_what_names_no_flow_there_is_no_more() -> None:
    assert taken(framed(b""), framed(fb.ethernet(b"?" * 40, 38))).with_more == []


def test_a_table_says_which_rows_were_dissected_by_themselves() -> None:
    plain = framed(fb.ethernet(fb.ipv4(fb.tcp())))
    cut = framed(plain.data[:40], more=9)
    table = table_of([plain, cut, plain])
    assert table.odd.tolist() == [1]
    check_alike([plain, cut, plain])
