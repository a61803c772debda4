"""Rules at work on real links: what each does to a conversation, and what is recorded of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from ad_hoc_run import python

from lab.ad_hoc import ad_hoc_network, ad_hoc_scenario
from lab.api import Family, Result, Scenario, run
from lab.errors import UsageError
from lab.model.shapes import star
from lab.model.topology import two_hosts
from lab.records import Direction

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]

READ = """
import socket
s = socket.socket(socket.AF_INET{six}, socket.SOCK_DGRAM)
s.bind(("{server}", {port}))
print(sorted(iter(lambda: s.recv(100), b"end")))
"""
SEND = """
import socket, time
s = socket.socket(socket.AF_INET{six}, socket.SOCK_DGRAM)
s.connect(("{server}", {port}))
for number in range(6):
    s.send(b"%d" % number)
while True:
    try:
        s.send(b"end")
    except ConnectionRefusedError:
        break
    time.sleep(0.01)
"""
ALL = ["0", "1", "2", "3", "4", "5"]
BOTH = pytest.mark.parametrize("family", list(Family), ids=str)


BULK = ad_hoc_scenario(
    python(
        "import socket; peer, _ = socket.create_server(('{server}', {port})).accept()\n"
        "while peer.recv(4096): pass"
    ),
    python(
        "import socket; s = socket.create_connection(('{server}', {port}))\n"
        "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\n"
        "for _ in range(8): s.send(bytes(1000))"
    ),
)
"""Eight segments of 1,000 bytes, as many as may be sent before the first ACK (RFC 6928)."""


def datagrams(family: Family = Family.IPV4) -> Scenario:
    """Six datagrams, and then one that says so until nobody is there any more."""
    six = "6" if family is Family.IPV6 else ""
    server, client = (python(code.replace("{six}", six)) for code in (READ, SEND))
    return ad_hoc_scenario(server, client)


def sent(out: Path, *wire: str, family: Family = Family.IPV4) -> Result:
    return run(datagrams(family), family, trace="none", out=out, wire=wire)


def read(result: Result) -> list[str]:
    """The datagrams that the server read, in order of their texts."""
    (server,) = [each for each in result.recording.programs if each.name == "server"]
    return [word.decode() for word in eval(server.stdout)]


@BOTH
@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ("client>server drop udp data 3", ["0", "1", "3", "4", "5"]),
        ("client>server drop data from 2 to 3", ["0", "3", "4", "5"]),
        ("client>server duplicate 2 data 1", ["0", "0", "0", "1", "2", "3", "4", "5"]),
        ("client>server corrupt -1 data 2", ["0", "2", "3", "4", "5"]),
        ("client>server swap data 1", ALL),
        ("client-server delay 1", ALL),
        ("server>client drop icmp 1", ALL),
        ("client>server rate 10M queue 100", ALL),
    ],
)
def test_what_arrives(rule: str, left: list[str], family: Family, tmp_path: Path) -> None:
    result = sent(tmp_path, rule, family=family)
    (timeline,) = result.timelines
    assert timeline.bracket.incomplete == ()
    assert result.recording.wire_lost == 0
    assert read(result) == left
    assert timeline.struck and {each.rule.text for each in timeline.struck} == {rule}
    frames = {crossing.id: crossing for crossing in timeline.crossings}
    for each in timeline.struck:
        assert each.frame is not None
        assert frames[each.frame].strikes == (each.id,)
        assert frames[each.frame].lost == (each.strike.is_end or bool(each.strike.changed))
        assert len(each.made) == each.strike.copies + bool(each.strike.changed)


def test_a_rewritten_datagram_goes_where_the_wire_sends_it(tmp_path: Path) -> None:
    result = sent(tmp_path, "client>server rewrite dport=9 data 1")
    assert read(result) == ALL[1:]
    (timeline,) = result.timelines
    (struck,) = timeline.struck
    (made,) = [each for each in timeline.crossings if each.id in struck.made]
    udp = made.packet.udp
    assert udp is not None and (udp.destination_port, udp.checksum_ok) == (9, True)


def test_a_bpf_expression_says_which(tmp_path: Path) -> None:
    result = sent(tmp_path, "client>server drop bpf 'udp[8] = 0x34'")  # "4"
    assert read(result) == ["0", "1", "2", "3", "5"]


def test_a_wrong_bpf_expression_is_named_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"bpf 'udp and': .*syntax error"):
        sent(tmp_path, "client>server drop bpf 'udp and'")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rule", ["client>serve drop", "client>server dorp"])
def test_a_wrong_rule_is_named_before_anything_runs(rule: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^wire rule"):
        sent(tmp_path, rule)
    assert list(tmp_path.iterdir()) == []


def test_a_rule_without_a_frame_decides_nothing(tmp_path: Path) -> None:
    result = sent(tmp_path, "client>server drop RST")
    assert result.timelines[0].bracket.incomplete == (
        "the wire rule 'client>server drop RST' matched no frame",
    )


def test_a_link_that_is_down_carries_nothing_and_then_does_again(tmp_path: Path) -> None:
    rules = ("client>server down after data 2", "client>server up after data 4")
    result = sent(tmp_path, *rules)
    assert read(result) == ["0", "1", "4", "5"]
    counts = Counter((each.rule.text, each.text) for each in result.timelines[0].struck)
    assert counts == {
        (rules[0], "link down"): 1, (rules[0], "dropped"): 2, (rules[1], "link up"): 1,
    }  # fmt: skip


def test_a_delay_is_at_least_what_the_rule_says(tmp_path: Path) -> None:
    (timeline,) = sent(tmp_path, "client>server delay 30 data 1").timelines
    (struck,) = timeline.struck
    (frame,) = [each for each in timeline.crossings if each.id == struck.frame]
    assert frame.sent_ns and frame.received_ns
    assert frame.received_ns - frame.sent_ns >= 30_000_000
    assert frame.sent_ns <= struck.strike.time_ns <= frame.received_ns


def test_a_copy_comes_behind_its_frame_and_before_the_next(tmp_path: Path) -> None:
    result = sent(tmp_path, "client>server duplicate data 2")
    payloads = [
        frame.data[42:43]
        for frame in result.recording.frames
        if (frame.point, frame.direction) == ("server/eth0", Direction.IN)
        and frame.data[12:14] == b"\x08\0" and frame.data[23] == 17
    ]  # fmt: skip
    assert payloads[:5] == [b"0", b"1", b"1", b"2", b"3"]


def test_a_wire_between_a_switch_and_a_host(tmp_path: Path) -> None:
    server, client = (
        python(code.replace("{six}", "").replace("{server}", "{h1}")) for code in (READ, SEND)
    )
    scenario = ad_hoc_network(star(3), [("h1", server), ("h2", client)])
    rules = ("s1>h1 drop data 2", "h2>s1 corrupt -1 data 4")
    result = run(scenario, trace="none", out=tmp_path, wire=rules)
    (timeline,) = result.timelines
    assert timeline.bracket.incomplete == ()
    (reader,) = [each for each in result.recording.programs if each.name == "h1"]
    assert reader.stdout == "[b'0', b'2', b'4', b'5']\n"
    corrupted, dropped = sorted(timeline.struck, key=lambda each: each.text)
    assert (dropped.text, corrupted.text) == ("dropped", "corrupted")
    by_id = {crossing.id: crossing for crossing in timeline.crossings}
    assert dropped.frame and corrupted.frame
    assert [hop.receiver for hop in by_id[dropped.frame].hops] == ["s1", "h1"]
    assert by_id[dropped.frame].sender == "h2" and by_id[dropped.frame].lost
    (made,) = (by_id[name] for name in corrupted.made)
    assert (made.is_made, made.receiver, made.lost) == (True, "h1", False)


KILL = "import os, signal; os.kill(-1, signal.SIGKILL)"


def test_a_program_that_kills_the_carrier_is_named(tmp_path: Path) -> None:
    scenario = ad_hoc_scenario(None, python(KILL))
    result = run(scenario, trace="none", out=tmp_path, wire=("client>server drop",))
    (disturbance,) = result.recording.disturbances
    assert disturbance.programs == ("client",)
    assert "the process that carries the links' frames was killed" in disturbance.what
    assert any("canary" in reason for reason in result.timelines[0].bracket.incomplete)


def test_the_topology_seen_is_the_topology_without_the_wires_own_namespace(tmp_path: Path) -> None:
    recording = sent(tmp_path, "client>server drop data 1").recording
    assert [seen.host for seen in recording.interfaces if seen.name != "lo"] == list(
        two_hosts().hosts
    )
    assert {point.host for point in recording.points} == set(two_hosts().hosts)


@pytest.mark.parametrize(
    "rules",
    [
        ("client>server drop data 3",),
        ("client>server drop FIN 1",),
        ("client>server drop data 3", "client>server drop retransmission 1"),
        ("client>server duplicate data every 4", "client>server rewrite ttl=9 data from 2 to 3"),
    ],
)
def test_a_rule_strikes_the_same_segment_in_every_run(
    rules: tuple[str, ...], tmp_path: Path
) -> None:
    struck: set[tuple[tuple[str, int, int], ...]] = set()
    for _ in range(5):
        wire = ("client-server delay 20", *rules)
        (timeline,) = run(BULK, trace="none", out=tmp_path, wire=wire).timelines
        segments = {
            each.crossing: each for talk in timeline.conversations for each in talk.segments
        }
        struck.add(
            tuple(
                (each.text, segments[each.frame.number].seq, segments[each.frame.number].length)
                for each in timeline.struck
                if each.frame is not None and not each.strike.delay_ns
            )
        )
    (same,) = struck
    assert same
