"""A sheet for programs: a TCP server that sends back what it gets, whatever its clients do.

wirelab grade sheets/tcp_echo.py SUBMISSION...
"""

from __future__ import annotations

from typing import Any

from tcp_echo_clients import LARGE, WORDS, converse, crowd, leave_time_wait
from tcp_echo_misconceptions import misconceptions
from tcp_echo_sight import AGAIN, PORT, of_client

from lab.api import Check, Seen, Sheet, Submission, SubmissionBench, trial, two_hosts
from lab.testing.patient_client import FIN, REFUSED, RST

CLIENTS_END_S = 60.0
"""Their patience ends long before."""

# Small buffers, the same on every machine: a client that reads late fills them soon.
NETWORK = two_hosts().with_sysctls({
    "net.ipv4.tcp_wmem": "4096 32768 32768",
    "net.ipv4.tcp_rmem": "4096 65536 65536",
})  # fmt: skip


@trial(topology=NETWORK)
def one_by_one(bench: SubmissionBench) -> object:
    """Clients come one after another, over IPv4 and IPv6; each says something and closes."""
    bench.submission()
    said = bench.python(converse, "{server4}", "{server6}", PORT, deadline_s=CLIENTS_END_S)
    bench.run()
    return said.value


@trial(topology=NETWORK, rules_may_miss=True)
def many_at_once(bench: SubmissionBench) -> object:
    """Many clients at once: some wait, one reads late, some reset; segments are lost."""
    bench.wire.drop("SYN-ACK", nth=2, on="server>client")
    bench.wire.drop("data length >900", nth=1, on="client>server")
    bench.wire.drop("data length >900", nth=1, on="server>client")
    bench.python(leave_time_wait, AGAIN, on="server", name="before", first=True)
    bench.submission(name="server")
    bench.submission(str(AGAIN), waits=False, name="again")
    said = bench.python(crowd, "{server4}", "{server6}", PORT, AGAIN, deadline_s=CLIENTS_END_S)
    bench.run()
    return said.value


def _same(what: dict[str, Any]) -> None:
    """Raise AssertionError unless just what was sent has come back."""
    sent, got, end = what["sent"], what["got"], what["end"]
    assert end != REFUSED, "the connection was refused"
    if got == sent:
        return
    at = next((n for n, (a, b) in enumerate(zip(sent, got, strict=False)) if a != b), -1)
    place = min(len(sent), len(got)) if at < 0 else at
    assert got == sent, (
        f"the client sent {len(sent)} bytes, {_shown(sent, place)}, and {len(got)} came back: "
        f"{_shown(got, place)}{_ended(end)}"
    )


def _shown(data: bytes, place: int) -> str:
    """Some of it, from a little before a place."""
    begin = max(0, place - 12)
    end = place + 24
    before, behind = "..." if begin else "", "..." if end < len(data) else ""
    return f"{before}{data[begin:end]!r}{behind}"


def _ended(end: str) -> str:
    return f"; then came a {end}" if end in (FIN, RST) else ""


def answers_over_ipv4(seen: Seen) -> None:
    """Clients reach it over IPv4, and get an answer."""
    _reached(of_client(seen, "words4"))


def answers_over_ipv6(seen: Seen) -> None:
    """Clients reach it over IPv6, and get an answer."""
    _reached(of_client(seen, "words6"))


def _reached(words: dict[str, Any]) -> None:
    assert words["end"] != REFUSED, "the client's SYN was answered with a RST: nobody listens there"
    assert words["got"], f"the client sent {words['sent']!r}, and nothing came back"


def answers_at_once(seen: Seen) -> None:
    """What a client sends comes back before the client sends more, however short it is."""
    words = of_client(seen, "words4")
    number = sum(map(len, words["said"]))
    assert words["before"] >= number and len(words["said"]) == len(WORDS), (
        f"the client sent {b''.join(words['said'])!r}, waited for it, and had got "
        f"{words['got'][: words['before']]!r}{_ended(words['end']) if words['early'] else ''}"
    )


def returns_just_that(seen: Seen) -> None:
    """A client gets back what it sent, and nothing else."""
    _same(of_client(seen, "words4"))
    _same(of_client(seen, "medium"))


def returns_every_byte(seen: Seen) -> None:
    """A byte may have any value, and comes back as it was."""
    _same(of_client(seen, "nul"))
    _same(of_client(seen, "high"))


def answers_after_fin(seen: Seen) -> None:
    """A client that has shut down its writing gets all the rest, and then a FIN."""
    half = of_client(seen, "half")
    _same(half)
    assert half["end"] == FIN, f"all came back, and then {half['end'] or 'nothing'}, not a FIN"


def closes_with_fin(seen: Seen) -> None:
    """Where a client has shut down its writing, the server closes as well: with a FIN."""
    # Not of those who sent what is no text: who dies of that, which another check is about, closes
    # before its client or after, with bytes unread or without, as it happens.
    for name in ("words4", "medium", "half", "empty"):
        port = of_client(seen, name)["port"]
        seen.run.tcp(PORT, client_port=port).no_reset().closes_with_fin(by="client")


def serves_many(seen: Seen) -> None:
    """While a client is connected and says nothing, others are served."""
    for other in of_client(seen, "others"):
        _same(other)
        assert other["before"] == len(other["sent"]), (
            "a client was connected and said nothing; meanwhile another one sent "
            f"{other['sent']!r}, and got nothing before the first had closed"
        )


def waits_for_the_client(seen: Seen) -> None:
    """A client may say nothing for a while; the server does not give it up."""
    idle = of_client(seen, "idle")
    assert not idle["early"], (
        f"a client sent a line, got {idle['got']!r} and said nothing for a second or so; then came "
        f"a {idle['end']}"
    )
    _same(idle)


def survives_loss(seen: Seen) -> None:
    """Where a SYN-ACK is lost, and data on the way there and back, all comes all the same."""
    for name in ("late", "lossy"):
        talk = of_client(seen, name)
        _same(talk)
        assert talk["end"] == FIN, f"all came back, and then {talk['end'] or 'nothing'}, not a FIN"


def returns_all_of_much(seen: Seen) -> None:
    """A client sends 400 kB and twice reads only when the buffers are full: it gets all of it."""
    slow = of_client(seen, "slow")
    assert slow["end"] != REFUSED, "the connection was refused"
    assert slow["sent"] == len(LARGE), (
        f"the client could send {slow['sent']} of {len(LARGE)} bytes{_ended(slow['end'])}"
    )
    assert slow["got"] == slow["common"] == len(LARGE), (
        f"the client sent {slow['sent']} bytes and read late: {slow['got']} came back, of which "
        f"the first {slow['common']} are as they were sent{_ended(slow['end'])}"
    )


def serves_beside_a_slow_one(seen: Seen) -> None:
    """While a client reads nothing and the buffers are full, others are served."""
    quick = of_client(seen, "quick")
    _same(quick)
    assert quick["before"] == len(quick["sent"]), (
        "a client sent much and read nothing; meanwhile another one sent "
        f"{quick['sent']!r}, and got nothing before the first had gone on"
    )


def survives_resets(seen: Seen) -> None:
    """A client that resets its connection touches nobody else."""
    after = of_client(seen, "after")
    assert after["end"] != REFUSED, "three clients reset their connections; the next was refused"
    assert after["got"].startswith(WORDS[0]), (
        "three clients reset their connections; the next one sent "
        f"{after['sent']!r} and got {after['got']!r}"
    )


def starts_again_at_once(seen: Seen) -> None:
    """It can be started while connections of a server before it are in TIME-WAIT."""
    again = of_client(seen, "again")
    assert again["end"] != REFUSED, "it does not listen on a port that has such connections"
    assert again["got"].startswith(WORDS[0]), f"the client sent {again['sent']!r} and got nothing"


ASKED = """\
A program, echo, which is started as `echo PORT`: a server that listens on that TCP port on all
addresses, of IPv4 and of IPv6, and sends back to each client what it gets of it, at once and
unchanged. When a client has shut down its writing it gets the rest, and the server closes its
side as well. Many clients may be connected at a time, may wait, read late or reset; the server
serves on until a signal ends it.
"""

SHEET = Sheet(
    title="A TCP echo server",
    handed_in=ASKED,
    submission=Submission("echo", port=PORT),
    checks=(
        Check("ipv4", 1, answers_over_ipv4, "Where is the socket bound?", of=one_by_one),
        Check("ipv6", 1, answers_over_ipv6, "Which families has the socket?", of=one_by_one),
        Check("at-once", 2, answers_at_once, "When does recv(2) return?", of=one_by_one),
        Check("just-that", 2, returns_just_that, "What did recv(2) return?", of=one_by_one),
        Check("every-byte", 2, returns_every_byte, "Bytes are no text.", of=one_by_one),
        Check("half-close", 2, answers_after_fin, "A FIN ends one direction.", of=one_by_one),
        Check("fin", 1, closes_with_fin, "When does recv(2) return 0?", of=one_by_one),
        Check("many", 2, serves_many, "Accept while others are connected.", of=many_at_once),
        Check("waits", 1, waits_for_the_client, "Where nothing comes, wait.", of=many_at_once),
        Check("loss", 1, survives_loss, "Leave what is lost to TCP.", of=many_at_once),
        Check("much", 2, returns_all_of_much, "What does send(2) return?", of=many_at_once),
        Check("slow", 1, serves_beside_a_slow_one, "Who waits for whom?", of=many_at_once),
        Check("resets", 2, survives_resets, "What if a call fails?", of=many_at_once),
        Check("restart", 1, starts_again_at_once, "What does bind(2) say?", of=many_at_once),
    ),
    misconceptions=misconceptions(one_by_one, many_at_once),
)
