"""Runs that are stepped through with real frames: what each decision does, and what is recorded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ad_hoc_run import python
from stepped import Hand, is_kind, stepped

from lab.ad_hoc import ad_hoc_scenario
from lab.api import run
from lab.model.family import Family
from lab.model.scenario import Scenario
from lab.records import Syscall
from lab.results import Result
from lab.stepping.saved import rules_file, saved_rules
from lab.wire.headers import SYN, Headers
from lab.wire.rule import Term

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]
GONE = ("", "that frame does not wait any more", "the step is over")

SERVER = """
import socket
peer, _ = socket.create_server(("{server}", {port}), family=socket.AF_INET{six}).accept()
while data := peer.recv(100):
    peer.sendall(data)
"""
CLIENT = """
import socket
s = socket.create_connection(("{server}", {port}))
for word in (b"one", b"two", b"three"):
    s.sendall(word)
    print(s.recv(100).decode())
"""


def talk(family: Family = Family.IPV4) -> Scenario:
    """A client that says three words, one after another, each of which comes back."""
    six = "6" if family is Family.IPV6 else ""
    return ad_hoc_scenario(python(SERVER.replace("{six}", six)), python(CLIENT))


TALK = talk()
is_syn, is_data, is_fin = map(is_kind, (Term.SYN, Term.DATA, Term.FIN))
BOTH = pytest.mark.parametrize("family", list(Family), ids=str)


def printed(result: Result) -> list[str]:
    """What the client has printed."""
    (client,) = [each for each in result.recording.programs if each.name == "client"]
    return client.stdout.split()


@BOTH
def test_everything_delivered_is_a_run_like_any(family: Family, tmp_path: Path) -> None:
    def use(hand: Hand) -> None:
        first = hand.deliver_up_to(is_syn)
        assert Headers(first.data).flags & SYN and len(hand.waiting) == 1
        hand.deliver_rest()

    result = stepped(talk(family), use, tmp_path, family=family)
    (timeline,) = result.timelines
    assert timeline.bracket.incomplete == () and result.recording.wire_lost == 0
    assert printed(result) == ["one", "two", "three"]
    (rule,) = result.recording.wire_rules
    assert (rule.text, rule.action) == ("client-server hold", "hold")
    assert rule.matched > rule.strikes == len(timeline.struck) >= 1


def test_one_after_another_by_hand(tmp_path: Path) -> None:
    def use(hand: Hand) -> None:
        while not hand.control.is_over:
            if hand.waiting:
                assert hand.deliver(hand.waiting[0].number) in GONE
            else:
                hand.hear()

    result = stepped(TALK, use, tmp_path)
    assert printed(result) == ["one", "two", "three"]
    (timeline,) = result.timelines
    assert timeline.bracket.incomplete == ()
    assert all(each.text.startswith("held back for") for each in timeline.struck)


def _is_said_by_client(headers: Headers) -> bool:
    return is_data(headers) and headers.ports is not None and headers.ports[1] == 4242


def _is_said_by_server(headers: Headers) -> bool:
    return is_data(headers) and not _is_said_by_client(headers)


def decided(hand: Hand) -> None:
    """The client's first SYN is dropped, its second word edited, the server's first word copied."""
    syn = hand.frame(is_syn)
    assert hand.decide(syn.number, "drop") == ""
    hand.wait(lambda hand: any(is_syn(Headers(f.data)) for f in hand.waiting))  # resent
    again = hand.deliver_up_to(is_data)
    assert again.side == 0
    hand.deliver(again.number)
    answer = hand.deliver_up_to(_is_said_by_server)
    assert hand.decide(answer.number, "duplicate") == ""
    second = hand.deliver_up_to(_is_said_by_client)
    assert hand.decide(second.number, "rewrite window=77") == ""
    hand.wait(lambda hand: any(Headers(each.data).window == 77 for each in hand.waiting))
    hand.deliver_rest()


def test_decisions_are_recorded_as_rules_and_those_do_the_same(tmp_path: Path) -> None:
    result = stepped(TALK, decided, tmp_path)
    assert printed(result) == ["one", "two", "three"]
    (timeline,) = result.timelines
    assert timeline.bracket.incomplete == ()
    rules = saved_rules(timeline)
    assert set(rules) >= {"client>server drop SYN 1", "server>client duplicate data 1"}
    again = run(TALK, trace="none", out=tmp_path, wire=rules)
    (other,) = again.timelines
    assert other.bracket.incomplete == ()
    assert struck(again) == struck(result)


def struck(result: Result) -> list[tuple[str, str, int]]:
    """What was done to which segment, by its kind and what it carries: times and numbers differ."""
    (timeline,) = result.timelines
    frames = {crossing.id: crossing for crossing in timeline.crossings}
    found = []
    for each in timeline.struck:
        if each.rule.action != "hold":
            assert each.frame is not None
            data = Headers(frames[each.frame].packet.frame.data)
            found.append((each.rule.text, each.text, data.flags))
    return sorted(found)


def test_a_dropped_frame_can_be_recalled(tmp_path: Path) -> None:
    def use(hand: Hand) -> None:
        syn = hand.frame(is_syn)
        hand.decide(syn.number, "drop")
        hand.control.undo(syn.number)
        assert hand.answer() == ""
        hand.deliver_rest()

    result = stepped(TALK, use, tmp_path)
    assert [rule.action for rule in result.recording.wire_rules] == ["hold"]
    assert printed(result) == ["one", "two", "three"]


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    def use(hand: Hand) -> None:
        syn = hand.frame(is_syn)
        assert "no number" in hand.decide(syn.number, "rewrite ttl=x")
        assert "does not have that" in hand.decide(
            syn.number, "rewrite id=1 dport=5 dst=2001:db8::"
        )
        hand.deliver_rest()

    stepped(TALK, use, tmp_path)


def test_frames_pass_until_a_fin(tmp_path: Path) -> None:
    def use(hand: Hand) -> None:
        hand.frame(is_syn)
        hand.control.pass_until(Term.FIN)
        hand.answer()
        fin = hand.frame(is_fin)
        assert not hand.is_passing and fin.number > 6
        hand.deliver_rest()

    assert printed(stepped(TALK, use, tmp_path)) == ["one", "two", "three"]


def test_a_frame_that_waits_is_resent_behind_it_by_a_timer_that_is_told_of(tmp_path: Path) -> None:
    def use(hand: Hand) -> None:
        syn = hand.frame(is_syn)
        hand.wait(lambda hand: any(each.timer == "retransmission" for each in hand.sockets))
        (sender,) = [each for each in hand.sockets if each.state == "SYN_SENT"]
        assert (sender.host, sender.remote_port) == ("client", 4242)
        assert sender.due_ns > syn.came_ns
        hand.wait(lambda hand: len(hand.waiting) > 1)
        assert [each.is_resent for each in hand.waiting[:2]] == [False, True]
        assert hand.decide(hand.waiting[1].number, "drop") == ""
        hand.deliver_rest()

    result = stepped(TALK, use, tmp_path)
    (timeline,) = result.timelines
    assert saved_rules(timeline) == ()
    assert "left out: 1" in rules_file(result.timelines)


def test_calls_are_told_of_while_they_wait_and_when_they_return(tmp_path: Path) -> None:
    def named(hand: Hand, program: str, name: str) -> list[Syscall]:
        return [c for c in hand.calls.values() if (c.program, c.name) == (program, name)]

    def use(hand: Hand) -> None:
        hand.frame(is_syn)
        hand.wait(lambda hand: bool(named(hand, "client", "connect")))
        hand.wait(lambda hand: any("accept" in c.name for c in hand.calls.values()))
        (connect,) = named(hand, "client", "connect")
        assert connect.exit_ns is None
        hand.deliver_up_to(is_data)
        hand.wait(lambda hand: named(hand, "client", "connect")[0].exit_ns is not None)
        assert named(hand, "client", "connect")[0].result == 0
        hand.deliver_rest()

    stepped(TALK, use, tmp_path, trace="ptrace")


def test_the_line_that_makes_the_call_is_told(tmp_path: Path) -> None:
    program = tmp_path / "client.py"
    program.write_text(
        "import socket\n\ns = socket.socket()\ns.connect(('{}', 4242))\n".format("192.0.2.9")
    )
    program.write_text(
        "import socket, sys\n\ns = socket.socket()\ns.connect((sys.argv[1], 4242))\n"
    )
    program.chmod(0o644)
    scenario = ad_hoc_scenario(
        python("import socket; socket.create_server(('{server}', {port})).accept()"),
        f"{{python}} {program} {{server}}",
    )

    def use(hand: Hand) -> None:
        hand.frame(is_syn)
        hand.wait(lambda hand: "client" in hand.programs and bool(hand.programs["client"].line))
        line = hand.programs["client"].line
        assert (Path(line.file).name, line.number) == ("client.py", 4)
        hand.deliver_rest()

    stepped(scenario, use, tmp_path / "runs", source=True, trace="ptrace")


@pytest.mark.parametrize("drops", [False, True], ids=["delivered", "dropped"])
def test_finishing_opens_the_gates(drops: bool, tmp_path: Path) -> None:
    def use(hand: Hand) -> None:
        hand.frame(is_syn)
        hand.control.finish(drops=drops)
        while not hand.control.is_over:
            hand.hear()

    result = stepped(TALK, use, tmp_path)
    assert printed(result) == ["one", "two", "three"]
    texts = [rule.text for rule in result.recording.wire_rules]
    assert texts == ["client-server hold", *(["client>server drop SYN 1"] if drops else [])]


def test_at_the_deadline_everything_passes(tmp_path: Path) -> None:
    def use(hand: Hand) -> None:
        while not hand.control.is_over:
            hand.hear()

    result = stepped(TALK, use, tmp_path, deadline_s=2.0)
    assert printed(result) == ["one", "two", "three"]


def test_somebody_who_goes_away_leaves_a_run_that_ends(tmp_path: Path) -> None:
    def use(hand: Hand) -> None:
        hand.frame(is_syn)

    assert printed(stepped(TALK, use, tmp_path)) == ["one", "two", "three"]


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    def use(hand: Hand) -> None:
        hand.frame(is_syn)
        raise KeyboardInterrupt

    before = children()
    with pytest.raises(KeyboardInterrupt):
        stepped(TALK, use, tmp_path)
    assert children() == before
    assert list(tmp_path.iterdir()) == []


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_neighbours_are_held_if_that_is_wanted(tmp_path: Path) -> None:
    def use(hand: Hand) -> None:
        frame = hand.frame(lambda headers: headers.ether_type == 0x0806)
        assert frame.number == 1
        hand.deliver_rest()

    stepped(TALK, use, tmp_path, neighbours=True)


def test_rules_come_before_decisions(tmp_path: Path) -> None:
    def use(hand: Hand) -> None:
        syn = hand.frame(is_syn)
        assert Headers(syn.data).window == 999
        hand.decide(syn.number, "drop")
        hand.deliver_rest()

    wire = ("client>server rewrite window=999 SYN",)
    result = stepped(TALK, use, tmp_path, wire=wire)
    (timeline,) = result.timelines
    assert timeline.bracket.incomplete == ()
    assert saved_rules(timeline) == ("client>server drop SYN 1",)
