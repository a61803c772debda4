"""A sheet for programs: a file over UDP, reliably, by stop-and-wait.

wirelab grade sheets/udp_transfer.py SUBMISSION...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from udp_transfer_misconceptions import misconceptions
from udp_transfer_peers import (
    ACK,
    BLOCK_BYTES,
    DATA,
    GIVEN,
    GIVEN_BLOCKS,
    HEADER,
    LAST,
    MOST_TRIES,
    SENT,
    STRANGE,
    TRIES,
    receive_as_peer,
    send_as_peer,
)
from udp_transfer_sight import (
    FAR_PORT,
    PEERS_PORT,
    PORT,
    SILENT_PORT,
    SOON_S,
    arrived,
    came,
    delivered,
    ended,
    said,
    sent_to,
    step,
    too_soon,
)

from lab.api import Check, Seen, Sheet, Submission, SubmissionBench, trial

if TYPE_CHECKING:
    from collections.abc import Callable

PEERS_END_S = 30.0
SUBMISSIONS_END_S = 3.0
"""After the peers have ended, where one goes on: a receiver waits a second for what may come again,
and a machine may be busy."""

PROTOCOL = f"""\
A program, transfer, which is started as `transfer receive PORT` or `transfer send HOST PORT
FILE`. The sender sends the file over UDP and IPv4; the receiver writes it to its standard output.

Each datagram begins with a header of {HEADER.size} bytes, its numbers in network byte order: type
(1 byte: {DATA} DATA, {ACK} ACK), flags (1 byte: {LAST} on the last DATA, else 0), length (2
bytes) and number (4 bytes). DATA goes on with `length` bytes of the file: {BLOCK_BYTES}, the last
one with what is left, which is none where the file is empty. DATA are numbered from 0. An ACK has
the number of the DATA that it acknowledges, flags 0, length 0.

The sender sends DATA 0, and DATA n+1 when the ACK of DATA n has come from where it sends to.
Where that has not come after 100 ms it sends DATA n again, {TRIES} times in all; then it gives up
with an exit status other than 0. Everything else that comes changes nothing: not what is sent,
and not when. When the last DATA is acknowledged it ends with 0.

The receiver binds its port on all addresses. Who sends DATA 0 is its sender, and datagrams of
others are ignored, as is what is no DATA. DATA of the number that it expects is written out and
acknowledged, to the address and port that it came from; DATA of a lower number is acknowledged
again and not written again; of a higher number it is ignored. After the last DATA it stays, since
its ACK may be lost, until nothing has come for 1 s; then it ends with 0.
"""


@trial(rules_may_miss=True)
def transfers(bench: SubmissionBench) -> object:
    """Sender and receiver talk with peers of the sheet's, and together over a bad link."""
    data = f"udp dst port {FAR_PORT} and udp[8] = {DATA} and udp[12:4]"
    acks = f"udp src port {FAR_PORT} and udp[8] = {ACK} and udp[12:4]"
    bench.wire.rule(f"client>server drop bpf '{data} = 1' 1")
    bench.wire.rule(f"server>client drop bpf '{acks} = 2' 1")
    bench.wire.rule(f"client>server duplicate bpf '{data} = 3' 1")
    bench.wire.rule(f"client>server delay 250ms bpf '{data} = 4' 1")
    bench.wire.rule(f"server>client drop bpf '{acks} = {len(GIVEN_BLOCKS) - 1}' 1")
    receiving = bench.python(
        receive_as_peer, PEERS_PORT, SILENT_PORT, on="server", name="receiving-peer",
        listens=PEERS_PORT, deadline_s=PEERS_END_S,
    )  # fmt: skip
    for name, port in (("sender", PEERS_PORT), ("lonely-sender", SILENT_PORT)):
        _start_sender(bench, name, port)
    for name, port in (("receiver", PORT), ("far-receiver", FAR_PORT)):
        bench.submission(f"receive {port}", name=name, linger_s=SUBMISSIONS_END_S)
    _start_sender(bench, "far-sender", FAR_PORT)
    sending = bench.python(
        send_as_peer, "{server4}", PORT, name="sending-peer", deadline_s=PEERS_END_S
    )
    bench.run()
    return {"receiving": receiving.value, "sending": sending.value}


def _start_sender(bench: SubmissionBench, name: str, port: int) -> None:
    words = f"send {{server4}} {port} given.bin"
    bench.submission(words, on="client", name=name, waits=False, linger_s=SUBMISSIONS_END_S)


def sends_as_agreed(seen: Seen) -> None:
    """The sender's datagrams are as agreed: header, numbers from 0, and the file's bytes."""
    datagrams = came(seen)
    assert datagrams, "no datagram came from the sender"
    for each in datagrams:
        raw = each["raw"].hex(" ")
        assert each["type"] == DATA, f"a datagram begins with {raw}: its type is no DATA"
        assert each["length"] == len(each["data"]), (
            f"a datagram begins with {raw}: its length is {each['length']}, and "
            f"{len(each['data'])} bytes follow"
        )
        number = each["number"]
        assert number < len(GIVEN_BLOCKS), (
            f"a datagram begins with {raw}: number {number}, and the file has {len(GIVEN_BLOCKS)} "
            "blocks, from 0"
        )
        block = GIVEN_BLOCKS[number]
        assert each["data"] == block, (
            f"DATA {number} has {len(each['data'])} bytes, {each['data'][:20]!r}..., where the "
            f"file's block has {len(block)}, {block[:20]!r}..."
        )
        flags = LAST if number == len(GIVEN_BLOCKS) - 1 else 0
        assert each["flags"] == flags, f"DATA {number} has flags {each['flags']}, not {flags}"
    assert datagrams[0]["number"] == 0, f"the first DATA has number {datagrams[0]['number']}"


def sends_again(seen: Seen) -> None:
    """Where no ACK comes the sender sends the same again, until one does."""
    numbers = [each["number"] for each in came(seen)]
    assert said(seen, "receiving")["expected"] == len(GIVEN_BLOCKS), (
        f"the peer does not acknowledge each DATA at once; it got the numbers {numbers}, and not "
        "all of the file"
    )
    for number in (1, 2, 4, 5):
        assert numbers.count(number) > 1, f"DATA {number} was not acknowledged and came once"


def stops_and_waits(seen: Seen) -> None:
    """DATA n+1 is sent when the ACK of DATA n has come from the receiver, and not before."""
    datagrams = came(seen)
    assert len(datagrams) > 1, "the sender has sent no second datagram"
    for each in datagrams:
        assert each["number"] <= each["expected"], (
            f"DATA {each['number']} came when DATA {each['expected']} was not acknowledged"
        )


def sends_not_too_soon(seen: Seen) -> None:
    """An ACK of another number, or twice the same, makes the sender send nothing."""
    assert len(came(seen)) > 1, "the sender has sent no second datagram"
    gap = too_soon(seen, PEERS_PORT)
    assert gap is None, f"DATA {gap} was sent again within {SOON_S * 1000:g} ms" if gap else ""


def gives_up(seen: Seen) -> None:
    """Where nobody answers the sender tries 10 times, 100 ms apart, and then ends, not with 0."""
    tries = len(sent_to(seen, SILENT_PORT))
    assert 2 < tries < 2 * TRIES, (
        f"the sender has sent {'at least ' if tries >= MOST_TRIES else ''}{tries} datagrams to a "
        f"receiver that answers nothing, not {TRIES}"
    )
    assert too_soon(seen, SILENT_PORT) is None, (
        f"to a receiver that answers nothing it was sent again within {SOON_S * 1000:g} ms"
    )
    how = ended(seen, "lonely-sender")
    assert how not in ("", "0"), (
        f"then it {'ended with status 0, as if all were well' if how else 'did not end'}"
    )


def sender_ends(seen: Seen) -> None:
    """When the last DATA is acknowledged the sender ends with status 0."""
    how = ended(seen, "sender")
    done = said(seen, "receiving")["expected"] == len(GIVEN_BLOCKS)
    assert done, "the last DATA was never acknowledged, since it did not come in its turn"
    assert how == "0", f"it ended with {how}" if how else "it did not end"


def acknowledges(seen: Seen) -> None:
    """The receiver acknowledges DATA that it expects, by its number, to where it came from."""
    for name in ("first", "early", "third", "last"):
        what = step(seen, name)
        numbers = [each["number"] for each in what["answers"] if each["type"] == ACK]
        assert what["wanted"] in numbers, (
            f"DATA {what['wanted']} was sent; what came back was {_listed(what['answers'])}"
        )


def acknowledges_again(seen: Seen) -> None:
    """DATA that has come before is acknowledged again, since its ACK may be lost."""
    for name in ("again", "old"):
        what = step(seen, name)
        assert [each["number"] for each in what["answers"]] == [0], (
            f"DATA 0 was sent again; what came back was {_listed(what['answers'])}"
        )


def takes_in_order(seen: Seen) -> None:
    """DATA of a number that it does not expect yet is neither written nor acknowledged."""
    answers = step(seen, "early")["answers"]
    assert [each["number"] for each in answers] == [1], (
        "DATA 2 was sent when DATA 1 was expected, and DATA 1 behind it; what came back was "
        f"{_listed(answers)}"
    )


def minds_no_strangers(seen: Seen) -> None:
    """Datagrams from another port than its sender's are ignored."""
    assert step(seen, "third")["answers"], "the receiver had ended, or answered nothing"
    assert not said(seen, "sending")["answered_strangers"], (
        "DATA from another port than the sender's was answered"
    )
    assert STRANGE not in delivered(seen, "receiver"), (
        "what came from another port than the sender's was written out"
    )


def acknowledges_the_last_again(seen: Seen) -> None:
    """When the last DATA comes again, its ACK being lost, it is acknowledged again."""
    answers = step(seen, "last again")["answers"]
    assert [each["number"] for each in answers] == [3], (
        f"the last DATA was sent again; what came back was {_listed(answers)}"
    )


def writes_the_file(seen: Seen) -> None:
    """What the receiver writes out is the file, each byte once and in order."""
    _is_written(delivered(seen, "receiver"), SENT)


def receiver_ends(seen: Seen) -> None:
    """When nothing has come for a second after the last DATA, the receiver ends with status 0."""
    how = ended(seen, "receiver")
    assert step(seen, "last")["answers"], "the last DATA was not acknowledged"
    assert how == "0", f"it ended with {how}" if how else "it did not end"


def bears_a_bad_link(seen: Seen) -> None:
    """Over a link that loses, doubles and delays datagrams the file arrives; both end with 0."""
    _is_written(delivered(seen, "far-receiver"), GIVEN)
    came_there = arrived(seen, FAR_PORT)
    for number, block in enumerate(GIVEN_BLOCKS):
        assert block in came_there, (
            f"the receiver wrote the bytes of DATA {number}, and no datagram that came to it had "
            "them: they were not transferred"
        )
    for name in ("far-sender", "far-receiver"):
        how = ended(seen, name)
        assert how == "0", f"the {name[4:]} {f'ended with {how}' if how else 'did not end'}"


def _is_written(written: bytes, wanted: bytes) -> None:
    """Raise AssertionError unless that is what was written."""
    if written == wanted:
        return
    pairs = enumerate(zip(written, wanted, strict=False))
    at = next((n for n, (one, other) in pairs if one != other), min(len(written), len(wanted)))
    raise AssertionError(
        f"of {len(wanted)} bytes other ones were written, {len(written)} of them: from byte {at} "
        f"on {written[at : at + 24]!r}, not {wanted[at : at + 24]!r}"
    )


def _listed(answers: list[dict[str, Any]]) -> str:
    words = [
        f"ACK {each['number']}" if each["type"] == ACK else f"bytes {each['raw'].hex(' ')}"
        for each in answers
    ]
    return ", ".join(words) or "nothing"


def _check(
    name: str, points: float, expects: Callable[[Seen], None], hint: str, about: str
) -> Check:
    """A check of one of the program's starts: that another one never listened is nothing to it."""
    return Check(name, points, expects, hint, of=transfers, about=about)


SHEET = Sheet(
    title="A file over UDP, by stop-and-wait",
    handed_in=PROTOCOL,
    submission=Submission("transfer", port=PORT, given={"given.bin": GIVEN}),
    checks=(
        _check("format", 2, sends_as_agreed, "Look at the header's bytes.", "sender"),
        _check("resends", 2, sends_again, "A sender waits, and not for ever.", "sender"),
        _check("stop-and-wait", 2, stops_and_waits, "Compare the ACK's number.", "sender"),
        _check("not-too-soon", 1, sends_not_too_soon, "Let time alone decide.", "sender"),
        _check("gives-up", 1, gives_up, "Count the tries.", "lonely-sender"),
        _check("sender-ends", 1, sender_ends, "What follows the last ACK?", "sender"),
        _check("acks", 2, acknowledges, "Look at recvfrom(2).", "receiver"),
        _check("acks-again", 2, acknowledges_again, "An ACK may be lost.", "receiver"),
        _check("in-order", 1, takes_in_order, "Compare the number.", "receiver"),
        _check("strangers", 1, minds_no_strangers, "Compare the address.", "receiver"),
        _check("last-ack", 2, acknowledges_the_last_again, "Is the last ACK safe?", "receiver"),
        _check("written", 3, writes_the_file, "Compare it with the file.", "receiver"),
        _check("receiver-ends", 1, receiver_ends, "Wait for a time.", "receiver"),
        _check("bad-link", 3, bears_a_bad_link, "Who waits for whom?", "far-receiver"),
    ),
    misconceptions=misconceptions(transfers),
)  # fmt: skip
