"""Conversations over switches and routers, judged end to end."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from ad_hoc_run import python
from forked_wirelab import forked_wirelab

from lab.analysis.flows.changes import changes
from lab.analysis.flows.flow import ends_seen
from lab.analysis.packets.packet import Arp, IPv4, IPv6
from lab.analysis.timeline import Timeline
from lab.api import (
    Family,
    Nat,
    Outcome,
    Result,
    Step,
    Topology,
    chain,
    dumbbell,
    laid_out,
    lan_behind_nat,
    run,
    star,
)
from lab.checks.link import has_right_checksums
from lab.checks.networks.sizes import reads_it_whole
from lab.ladder.build import build_ladder
from lab.ladder.model import FrameRow
from lab.model.address import SocketAddress
from scenarios.networks.fragments import ALLOWED
from scenarios.networks.fragments import SCENARIO as FRAGMENTS
from scenarios.tcp import SCENARIO

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]

SHAPES = {"star": star(3), "chain": chain(3), "dumbbell": dumbbell(2), "nat": lan_behind_nat(2)}
SHAPES["nat behind nat"] = laid_out(
    [("h1", "home"), ("home", "carrier"), ("carrier", "server")],
    nats=(Nat("home", ("eth1",), (5000, 5999)), Nat("carrier", ("eth1",), (61_000, 61_999))),
)
ROUTERS = {"star": 0, "chain": 1, "dumbbell": 2, "nat": 1, "nat behind nat": 2}
OUTSIDE = {Family.IPV4: ip_address("198.51.100.1"), Family.IPV6: ip_address("2001:db8::1")}
BOTH = pytest.mark.parametrize("family", list(Family), ids=str)
EACH = pytest.mark.parametrize("shape", SHAPES)

ANSWER = """
import socket
listener = socket.create_server(("", {port}))
for _ in range(2):
    peer, _ = listener.accept()
    with peer:
        while data := peer.recv(100):
            peer.sendall(data.upper())
"""
ASK = """
import socket
with socket.create_connection(("{h3}", {port})) as s:
    s.sendall(b"hello")
    s.shutdown(socket.SHUT_WR)
    while s.recv(100):
        pass
"""
FROM_PORT = ASK.replace("{h3}", "{server}").replace(
    "{port}))", '{port}), source_address=("", 4000))'
)


def between(topology: Topology) -> tuple[str, str]:
    ends = [host for host in topology.hosts if host not in (*topology.switches, *topology.routers)]
    return ends[0], ends[-1]


@cache
def tcp_over(shape: str, family: Family) -> Result:
    """The scenario tcp between the first host of the shape and its last."""
    topology = SHAPES[shape]
    client, server = between(topology)
    host_of = {"client": client, "server": server}
    steps = tuple(
        Step(
            step.name,
            tuple(
                replace(
                    program,
                    host=host_of[program.host],
                    argv=tuple(word.replace("{server}", f"{{{server}}}") for word in program.argv),
                )
                for program in step.programs
            ),
        )
        for step in SCENARIO.steps
    )
    there = replace(SCENARIO, name="over", topology=topology, steps=steps)
    with TemporaryDirectory() as folder:
        return run(there, family=family, out=Path(folder))


def only(result: Result) -> Timeline:
    (timeline,) = result.timelines
    return timeline


@BOTH
@EACH
def test_every_claim_of_tcp_holds_end_to_end(shape: str, family: Family) -> None:
    result = tcp_over(shape, family)
    assert [j for j in result.judgements if j.verdict.outcome is not Outcome.HOLDS] == []


@BOTH
@EACH
def test_a_segment_is_one_however_many_links_it_goes_over(shape: str, family: Family) -> None:
    timeline = only(tcp_over(shape, family))
    client, server = between(SHAPES[shape])
    (talk,) = timeline.conversations
    assert [str(segment.notes) for segment in talk.segments if segment.notes] == []
    assert {(c.sender, c.receiver) for c in talk.flow.crossings} == {
        (client, server), (server, client),
    }  # fmt: skip


@BOTH
@EACH
def test_every_router_counts_down_and_leaves_the_rest(shape: str, family: Family) -> None:
    timeline = only(tcp_over(shape, family))
    for crossing in timeline.conversations[0].flow.crossings:
        lives = []
        for hop in crossing.hops:
            ip = hop.packet.ip
            assert ip is not None
            lives.append(ip.ttl if isinstance(ip, IPv4) else ip.hop_limit)
            assert hop.packet.payload == crossing.packet.payload
        assert lives[0] - lives[-1] == ROUTERS[shape]


@BOTH
def test_a_nat_changes_addresses_and_ports_alone_and_its_table_says_so(family: Family) -> None:
    timeline = only(tcp_over("nat", family))
    (talk,) = timeline.conversations
    (entry,) = timeline.recording.translations
    inside = talk.flow.a
    assert (entry.source, entry.source_port) == (str(inside.address), inside.port)
    outside = SocketAddress(ip_address(entry.left_source), entry.left_source_port)
    assert outside.address == OUTSIDE[family]
    assert ends_seen(talk.flow) == (outside, talk.flow.b)
    for crossing in talk.flow.crossings:
        fields = [
            {change.field: (change.before, change.after) for change in changes(*pair)}
            for pair in pairwise(hop.packet for hop in crossing.hops)
        ]
        (translated,) = (each for each in fields if each)
        if crossing.sender == "h1":
            assert translated["source"] == (str(inside), str(outside))
            assert "destination" not in translated
        else:
            assert translated["destination"] == (str(outside), str(inside))
            assert "source" not in translated


def test_a_switch_floods_a_broadcast_and_no_other_frame() -> None:
    timeline = only(tcp_over("star", Family.IPV4))
    copies = [c for c in timeline.crossings if c.sender == "s1"]
    assert {(c.receiver, isinstance(c.packet.layers[1], Arp)) for c in copies} == {("h2", True)}


def test_the_ladder_has_lanes_for_those_that_have_a_part() -> None:
    ladder = build_ladder(only(tcp_over("star", Family.IPV4)))
    assert [lane.host for lane in ladder.lanes] == ["h1", "s1", "h3"]
    texts = [row.text for row in ladder.every_row() if isinstance(row, FrameRow) and row.hop == 2]
    assert texts[0] == "s1 forwards it, and to 1 host more"
    assert set(texts[1:]) == {"s1 forwards it"}


@EACH
def test_the_lab_sees_the_whole_of_every_link(shape: str) -> None:
    timeline = only(tcp_over(shape, Family.IPV6))
    assert timeline.bracket.incomplete == ()
    assert timeline.bracket.canaries_seen == timeline.bracket.canaries_sent
    assert len(timeline.recording.points) == 2 * len(SHAPES[shape].links)
    assert isinstance(timeline.conversations[0].flow.crossings[0].packet.ip, IPv6)


def test_programs_of_ones_own_run_on_any_hosts_and_are_judged(tmp_path: Path) -> None:
    commands = [("h3", python(ANSWER)), ("h1", python(ASK)), ("h4", python(ASK))]
    words = [word for host, command in commands for word in ("--on", host, command)]
    run = forked_wirelab("run", "--topology", "dumbbell:4", *words, "--out", tmp_path, "--json")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    outcomes = {claim["id"]: claim["verdict"] for claim in report["claims"]}
    assert set(outcomes.values()) <= {"HOLDS", "SKIPPED"}
    assert outcomes["ad-hoc-opens"] == outcomes["ad-hoc-stream-bytes"] == "HOLDS"
    frames = [event for event in report["events"] if "tcp" in event]
    assert {(event["from"], event["to"]) for event in frames} == {
        ("h1", "h3"), ("h3", "h1"), ("h4", "h3"), ("h3", "h4"),
    }  # fmt: skip
    far = [event["hops"] for event in frames if event["from"] == "h1"]
    assert {tuple(hop["ttl"] for hop in hops) for hops in far} == {(64, 64, 63, 62, 62)}


def test_programs_behind_a_nat_are_judged_by_what_each_end_saw(tmp_path: Path) -> None:
    commands = [("server", python(ANSWER)), ("h1", python(FROM_PORT)), ("h2", python(FROM_PORT))]
    words = [word for host, command in commands for word in ("--on", host, command)]
    done = forked_wirelab("run", "--topology", "nat:2", *words, "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {claim["verdict"] for claim in report["claims"]} <= {"HOLDS", "SKIPPED"}
    # Which of two programs started at once is first is not settled.
    assert {flow["a"] for flow in report["flows"]} == {"10.0.0.2:4000", "10.0.0.3:4000"}
    left = {(each["source"], each["left_source_port"]) for each in report["translations"]}
    assert len(left) == 2
    for event in report["events"]:
        if "tcp" in event and event["to"] == "server":
            (source,) = (
                hop["changes"]["source"] for hop in event["hops"] if "source" in hop["changes"]
            )
            client, port = (each.rpartition(":") for each in source)
            assert (client[0], int(port[2])) in left
            assert client[2] == "4000"


def test_the_server_outside_cannot_be_given_an_address_inside(tmp_path: Path) -> None:
    words = ("--on", "h1", "true", "--on", "server", "ping -c1 {h1}")
    done = forked_wirelab("run", "--topology", "nat:1", *words, "--out", tmp_path)
    assert done.returncode == 2
    assert "10.0.0.2" in done.stderr
    assert "gives it no route there" in done.stderr


ANSWER_ONE = ANSWER.replace("range(2)", "range(1)")


def test_what_a_wire_drops_before_the_nat_was_for_who_is_behind_it(tmp_path: Path) -> None:
    words = ("--on", "server", python(ANSWER_ONE), "--on", "h1", python(FROM_PORT))
    rule = ("--wire", "server>nat drop data 1")
    done = forked_wirelab("run", "--topology", "nat:1", *rule, *words, "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {claim["verdict"] for claim in report["claims"]} <= {"HOLDS", "SKIPPED"}
    assert [flow["a"] for flow in report["flows"]] == ["10.0.0.2:4000"]
    frames = [event for event in report["events"] if "tcp" in event]
    (lost,) = (event for event in frames if "lost" in event["tcp"]["notes"])
    assert (lost["from"], lost["to"], lost["received_ns"]) == ("server", "h1", None)
    assert [(hop["from"], hop["to"]) for hop in lost["hops"]] == [("server", "nat")]
    again = [event for event in frames if "retransmission" in event["tcp"]["notes"]]
    # Once or more: on a busy machine a probe or a timer may be sooner than what asks for it.
    assert {(event["from"], event["to"]) for event in again} == {("server", "h1")}


BEHIND_A_NAT = laid_out(
    [("client", "nat"), ("nat", "r"), ("r", "server")],
    routers=("r",),
    nats=(Nat("nat", ("eth1",), (61_000, 61_999)),),
    mtus={("nat", "r"): 1280},
)


def datagram_of(size: int, folder: Path) -> Timeline:
    """The scenario's datagrams that may be cut, so large, over a NAT before a smaller link."""
    reader, sender = ALLOWED.programs
    code = Path(sender.argv[2]).read_text("utf-8")
    changed = code.replace("SIZE = 1400", f"SIZE = {size}")
    assert f"SIZE = {size}" in changed
    (folder / "sender.py").write_text(changed)
    sender = replace(sender, argv=(*sender.argv[:2], str(folder / "sender.py"), *sender.argv[3:]))
    cut = replace(
        FRAGMENTS,
        name="cut",
        topology=BEHIND_A_NAT,
        steps=(step := replace(ALLOWED, programs=(reader, sender)),),
        claims=tuple(each.on(step) for each in (reads_it_whole, has_right_checksums)),
        lesson=None,
    )
    result = run(cut, out=folder)
    assert [j for j in result.judgements if j.verdict.outcome is not Outcome.HOLDS] == []
    return only(result)


@pytest.mark.parametrize(("size", "frames", "links"), [(1400, 1, [5]), (2000, 2, [5, 3])])
def test_a_datagram_that_a_nat_translates_and_cuts_is_judged_whole(
    size: int, frames: int, links: list[int], tmp_path: Path
) -> None:
    """Of 2,000 bytes the client makes two fragments, which the NAT joins and cuts elsewhere."""
    timeline = datagram_of(size, tmp_path)
    (flow,) = timeline.flows
    assert [len(crossing.packet.payload) for crossing in flow.crossings] == [size, size, 1]
    assert not any(crossing.lost for crossing in timeline.crossings)
    sent = [c for c in timeline.crossings if c.sender == "client" and isinstance(c.packet.ip, IPv4)]
    assert {(c.sender, c.receiver) for c in sent} == {("client", "server")}
    assert len(sent) == 2 * frames + 1
    assert [len(c.hops) for c in sent[:frames]] == links
    (ends,) = {ends_seen(flow)}
    assert ends[0].address == ip_address("198.18.0.1")
