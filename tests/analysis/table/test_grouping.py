from __future__ import annotations

import random

import frame_bytes as fb
import link_bytes as lb
from tabled import any_conversations, check_alike, framed

from lab.records import Frame

SYN, ACK, FIN, RST = 2, 16, 1, 4


def segment(flags: int, seq: int, ack: int = 0, *, back: bool = False, port: int = 1000) -> Frame:
    ports = (80, port) if back else (port, 80)
    ends = (fb.V4_B, fb.V4_A) if back else (fb.V4_A, fb.V4_B)
    tcp = fb.tcp(
        sport=ports[0], dport=ports[1], seq=seq, ack=ack, flags=flags,
        source=ends[0], destination=ends[1],
    )  # fmt: skip
    return framed(fb.ethernet(fb.ipv4(tcp, source=ends[0], destination=ends[1])))


def lengths(frames: list[Frame]) -> list[int]:
    """How many packets each flow has, which is the same by single packets."""
    flows = check_alike(frames).flows
    return [len(flows.rows(flow)) for flow in range(len(flows))]


OPEN = [segment(SYN, 100), segment(SYN | ACK, 900, 101, back=True), segment(ACK, 101, 901)]
CLOSE = [segment(FIN | ACK, 101, 901), segment(FIN | ACK, 901, 102, back=True)]


def test_another_syn_begins_another_flow() -> None:
    assert lengths([*OPEN, segment(SYN, 5000)]) == [3, 1]


def test_the_same_syn_does_so_behind_an_end_alone() -> None:
    assert lengths([*OPEN, OPEN[0]]) == [4]
    assert lengths([*OPEN, *CLOSE, OPEN[0]]) == [5, 1]
    assert lengths([*OPEN, segment(RST, 101), OPEN[0]]) == [4, 1]


def test_an_answer_that_comes_again_stays_with_its_flow() -> None:
    assert lengths([OPEN[0], *OPEN, *CLOSE, OPEN[1]]) == [7]


def test_a_syn_in_the_midst_is_compared_with_what_was_implied() -> None:
    assert lengths([segment(ACK, 101, 901), segment(SYN, 100), segment(SYN, 7)]) == [2, 1]


def test_flows_are_numbered_by_protocol_and_sides_by_who_began() -> None:
    frames = [OPEN[1], framed(fb.ethernet(fb.ipv4(fb.udp(b"x"), 17))), segment(ACK, 5, port=2000)]
    flows = check_alike(frames).flows
    assert flows.number.tolist() == [0, 0, 1]
    assert flows.a_port.tolist() == [1000, 5000, 2000]


def test_a_socket_may_talk_to_itself() -> None:
    def to_itself(flags: int, seq: int, ack: int = 0) -> Frame:
        tcp = fb.tcp(sport=7, dport=7, seq=seq, ack=ack, flags=flags, destination=fb.V4_A)
        return framed(fb.ethernet(fb.ipv4(tcp, destination=fb.V4_A)))

    frames = [
        to_itself(SYN, 5),
        to_itself(SYN | ACK, 5, 6),
        to_itself(ACK, 6, 6),
        to_itself(SYN, 9),
    ]
    flows = check_alike(frames).flows
    assert flows.is_of_one_socket.tolist() == [True, True]


DATAGRAM = fb.udp(b"a" * 40)


def fragments(identification: int, more: bool = True) -> list[Frame]:
    """A datagram in two fragments, of which the second may be missing."""
    first = fb.ipv4(DATAGRAM[:24], 17, flags=1, identification=identification)
    last = fb.ipv4(DATAGRAM[24:], 17, flags=0, offset=24, identification=identification)
    return [framed(fb.ethernet(each)) for each in (first, last)][: 1 + more]


def later(frames: list[Frame], seconds: int) -> list[Frame]:
    return [framed(frame.data, seconds * 10**9) for frame in frames]


def test_fragments_belong_to_the_datagram_that_they_make_whole_or_name() -> None:
    frames = [*fragments(1), *fragments(2, more=False), *fragments(3)[::-1]]
    frames += later(fragments(2, more=False), 61) + later(fragments(1)[1:], 70)
    flows = check_alike(frames).flows
    assert len(flows) == 1 and len(flows.parts[0]) > 2


def quoting(payload: bytes) -> Frame:
    return framed(fb.ethernet(fb.ipv4(fb.icmp(3, 3, bytes(4), payload), 1)))


def test_errors_belong_to_the_flow_that_they_quote_if_there_is_one() -> None:
    quoted = fb.ipv4(DATAGRAM, 17)
    datagram = framed(fb.ethernet(quoted))
    flows = check_alike([quoting(quoted), datagram, quoting(quoted), quoting(quoted[:28])]).flows
    assert flows.errors == {0: [2, 3]}


def cut(data: bytes, size: int) -> Frame:
    return framed(data[:size], more=len(data) - size)


def test_headers_that_were_cut_name_flows_before_and_after_whole_ones() -> None:
    whole = OPEN[0].data
    other = segment(ACK, 5, port=2000).data
    datagram = fb.ethernet(fb.ipv4(fb.udp(b"x", sport=9), 17))
    for size in (34 + 4, 34 + 8, 34 + 16):
        frames = [cut(other, size), cut(whole, size), OPEN[0], cut(whole, size), cut(datagram, 40)]
        frames += [framed(datagram), quoting(other[14:]), segment(SYN, 7777), cut(whole, size)]
        check_alike(frames)


def test_what_carries_a_tunnel_is_numbered_and_no_flow() -> None:
    outer = lb.vxlan(OPEN[0].data)
    plain = fb.ethernet(fb.ipv4(fb.udp(b"x", dport=4789), 17))
    check_alike([framed(each) for each in (outer, plain, OPEN[1].data, outer, plain)])
    check_alike([framed(data) for data in lb.TUNNELS.values()] * 2)


def test_conversations_of_any_kind_are_grouped_as_single_packets_are() -> None:
    for seed in range(40):
        check_alike(any_conversations(seed), together=17)


def test_oddities_among_conversations_are_grouped_as_single_packets_are() -> None:
    for seed in range(30):
        rng = random.Random(seed)
        frames = []
        for frame in any_conversations(1000 + seed, 40):
            frames.append(frame)
            quoted = frame.data[14 : 14 + rng.choice((28, 40, 60))]
            frames.append(
                rng.choice((frame, cut(frame.data, rng.randrange(34, 55)), quoting(quoted)))
            )
        rng.shuffle(frames)
        check_alike(frames, together=13)
