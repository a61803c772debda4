"""What talks with a student's sender and receiver in the sheet udp_transfer, on the other host.

Each function returns what it has seen, whatever the other side does: plain values, which the
sheet's checks and misconceptions look at. The protocol is in the sheet's own text.
"""

from __future__ import annotations

import socket
import struct

from lab.testing.patient_client import wait_for

HEADER = struct.Struct("!BBHI")
"""Type, flags, length, number."""
DATA, ACK, LAST = 1, 2, 1
BLOCK_BYTES = 1000
TRIES = 10

GIVEN = bytes(range(256)) * 21 + b"the end, and no line"
"""What the senders are given: five blocks of 1000 bytes and a short one."""
GIVEN_BLOCKS = [GIVEN[at : at + BLOCK_BYTES] for at in range(0, len(GIVEN), BLOCK_BYTES)]

BLOCKS = (
    b"begin".ljust(BLOCK_BYTES - 5, b"0") + b" goes",
    b"on\0\xff\r\n",
    b"two\n".ljust(700, b"2"),
    b"the third and last",
)
"""What is sent to a receiver."""
SENT = b"".join(BLOCKS)
STRANGE = b"from somebody else"

PATIENCE_S = 2.0
"""The first wait that is in vain lasts so long, a later one less."""
LATER_S = 0.2
LEAST_S = 1.5
"""So long a peer lasts at least: other programs of the same trial are not done before."""
MOST = 60
"""So many datagrams are enough, whatever it sends."""
MOST_TRIES = 30
"""So many times the same show that it goes on for ever."""
END_S = 0.6
"""When all is received, the silent one listens on until nothing has come for so long."""

Datagram = dict[str, object]


def packed(kind: int, number: int, data: bytes = b"", flags: int = 0) -> bytes:
    """A datagram."""
    return HEADER.pack(kind, flags, len(data), number) + data


def taken_apart(datagram: bytes) -> Datagram:
    """What stands in it, whatever it is: type, flags, length, number, data, raw."""
    raw = datagram[: HEADER.size]
    kind, flags, length, number = HEADER.unpack(raw.ljust(HEADER.size, b"\0"))
    data = datagram[HEADER.size :]
    return {
        "type": kind, "flags": flags, "length": length, "number": number, "data": data,
        "raw": raw,
    }  # fmt: skip


def bound(port: int = 0) -> socket.socket:
    """A UDP socket of IPv4 on all addresses."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("", port))
    return made


def receive_as_peer(port: int, silent_port: int) -> dict[str, object]:
    """A receiver that a student's sender talks to, and one beside it that never answers.

    It does not answer the first DATA of number 1, 4 and 5; it answers the first of number 2 with an
    ACK of number 1 again, and that of number 4 from another port; and it acknowledges number 3
    twice. What comes again it acknowledges.
    """
    silent, link, stranger = bound(silent_port), bound(port), bound()
    came: list[Datagram] = []
    unanswered = 0
    expected = 0
    patience = PATIENCE_S
    while True:
        wait_for((link, silent), (), patience)
        readable = [each for each in (link, silent) if wait_for((each,), (), 0.0)[0]]
        if silent in readable:
            silent.recv(65536)
            unanswered += 1
        if link not in readable:
            if not readable or unanswered >= MOST_TRIES:
                break
            continue
        datagram, sender = link.recvfrom(65536)
        what = taken_apart(datagram)
        number = what["number"]
        is_first = all(each["number"] != number for each in came)
        came.append({**what, "expected": expected})
        if len(came) > MOST or what["type"] != DATA or not isinstance(number, int):
            break
        if number > expected:
            continue
        answers = [(link, number)]
        if number == expected and is_first:
            if number in (1, 5):
                answers = []
            elif number == 2:
                answers = [(link, 1)]
            elif number == 3:
                answers = [(link, 3), (link, 3)]
            elif number == 4:
                answers = [(stranger, 4)]
        for by, what_number in answers:
            by.sendto(packed(ACK, what_number), sender)
            if by is link and what_number == expected:
                expected += 1
        if expected == len(GIVEN_BLOCKS):
            patience = END_S
    return {"came": came, "expected": expected, "unanswered": unanswered}


def send_as_peer(address: str, port: int) -> dict[str, object]:
    """A sender that talks to a student's receiver: some DATA twice, too early, or by a stranger."""
    link, stranger = bound(), bound()
    to = (address, port)
    patience = PATIENCE_S
    steps: list[dict[str, object]] = []

    def step(name: str, wanted: int, *datagrams: bytes) -> bool:
        """Send them, and wait for the ACK of that number; whether any answer came."""
        nonlocal patience
        for datagram in datagrams:
            link.sendto(datagram, to)
        answers: list[Datagram] = []
        while len(answers) < MOST and wait_for((link,), (), patience)[0]:
            answers.append(taken_apart(link.recv(65536)))
            if answers[-1]["number"] == wanted:
                break
        else:
            patience = LATER_S
        steps.append({"step": name, "wanted": wanted, "answers": answers})
        return bool(answers)

    begin, end = packed(DATA, 0, BLOCKS[0]), packed(DATA, 3, BLOCKS[3], LAST)
    if step("first", 0, b"\1\0", begin):
        step("again", 0, begin)
        step("early", 1, packed(DATA, 2, BLOCKS[2]), packed(DATA, 1, BLOCKS[1]))
        step("old", 0, begin)
        stranger.sendto(packed(DATA, 2, STRANGE), to)
        step("third", 2, packed(DATA, 2, BLOCKS[2]))
        step("last", 3, end)
        step("last again", 3, end)
    answered, _ = wait_for((stranger,), (), LEAST_S)
    return {
        "steps": steps, "answered_strangers": answered, "port": link.getsockname()[1],
    }  # fmt: skip
