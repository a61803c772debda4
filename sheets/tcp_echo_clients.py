"""What the clients of the sheet tcp_echo say and hear, on the host client.

Each function returns what it has seen, whatever the server does: plain values, which the sheet's
checks and misconceptions look at.
"""

from __future__ import annotations

import socket

from lab.testing.patient_client import REFUSED, Patience, PatientClient

WORDS = (b"hello", b" two words ", b"a line\n", b"3")
NUL = b"before\0behind"
HIGH = b"caf\xe9 \x80\xc3\x28\xff end"
"""No text in UTF-8."""
MEDIUM = b"".join(b"%09d\n" % number for number in range(2000))
LOST = b"lost once, and sent again ".ljust(999, b".") + b"\n"
LARGE = b"".join(b"%09d\n" % number for number in range(40_000))
FIRST_PART = len(LARGE) // 2
"""Each part of it is more than what fits on the way there and back."""
UNREAD = LARGE[:60_000]
"""More than a server can send that nobody reads of, and less than what fits on the way to it."""
AFTERWARDS = 1000
"""So many bytes are sent once all has been read: there is room for these."""
SLOW_CLIENT_BYTES = 8192
"""The receive buffer of a client that reads late."""


def leave_time_wait(port: int) -> None:
    """Leave connections in TIME-WAIT on a port of this host, as a server does that is ended.

    For each family one over lo, whose server closes first (RFC 9293, 3.3.2: TIME-WAIT).
    """
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.create_server((address, port), family=family) as listener:
            client = socket.create_connection((address, port))
            accepted, _ = listener.accept()
            accepted.close()
            client.recv(1)
            client.close()


def converse(server4: str, server6: str, port: int) -> dict[str, object]:
    """One client after another: each says something, listens, and closes."""
    patience = Patience()
    seen: dict[str, object] = {
        "words4": (words4 := _words(PatientClient(server4, port, patience))),
        "words6": _words(PatientClient(server6, port, patience)),
    }
    server = server6 if words4["end"] == REFUSED else server4

    def whole(data: bytes) -> dict[str, object]:
        talk = PatientClient(server, port, patience)
        talk.say(data)
        talk.finish()
        talk.hear_end()
        return _told(talk)

    talk = PatientClient(server, port, patience)
    talk.say(MEDIUM)
    talk.hear(len(MEDIUM))
    before = len(talk.got)
    talk.finish()
    talk.hear_end()
    seen["medium"] = {**_told(talk), "before": before}
    for name, data in (("half", MEDIUM), ("empty", b""), ("nul", NUL), ("high", HIGH)):
        seen[name] = whole(data)
    return seen


def crowd(server4: str, server6: str, port: int, again: int) -> dict[str, object]:
    """Many clients at once: idle ones, one that lost segments, one that reads late, some rude.

    Where the first one gets no answer the others do not come.
    """
    patience = Patience()
    server = server4

    def talking(data: bytes = b"", receive_buffer: int | None = None) -> PatientClient:
        talk = PatientClient(server, port, patience, receive_buffer=receive_buffer)
        talk.say(data)
        talk.hear(len(data))
        return talk

    idle = talking(b"I shall wait\n")
    if idle.end == REFUSED:
        server = server6
        idle = talking(b"I shall wait\n")
    if not idle.got:
        return {"idle": _told(idle)}
    # Its SYN-ACK is lost, and comes again after a second, which idle waits as well.
    late = PatientClient(server, port, patience, waits=False)
    others = []
    for number in range(3):
        others.append(talking(b"client %d\n" % number))
        if not others[-1].got:
            break
    heard = [len(talk.got) for talk in others]
    lossy = talking(LOST)
    late.wait_until_open()
    for talk, data in ((late, b"here I am\n"), (idle, b"I waited\n")):
        talk.say(data)
        talk.hear(len(talk.sent))
    for talk in (idle, late, lossy, *others):
        talk.finish()
    for talk in (idle, late, lossy, *others):
        talk.hear_end()
    seen: dict[str, object] = {
        "idle": _told(idle),
        "others": [{**_told(talk), "before": n} for talk, n in zip(others, heard, strict=True)],
        "late": _told(late),
        "lossy": _told(lossy),
        "again": _words(PatientClient(server, again, patience)),
    }

    slow = talking(receive_buffer=SLOW_CLIENT_BYTES)
    pushed = slow.push(LARGE[:FIRST_PART])
    quick = talking(b"quick\n")
    heard_meanwhile = len(quick.got)
    slow.say(LARGE[pushed:FIRST_PART])
    # Who threw bytes away sends again once there is room, and what comes then is not what is next.
    slow.hear(FIRST_PART)
    slow.say(LARGE[FIRST_PART : FIRST_PART + AFTERWARDS])
    slow.hear(len(slow.sent))
    # Full again, so that the FIN comes while bytes of it are still to be sent.
    pushed += slow.push(LARGE[len(slow.sent) :])
    slow.say(LARGE[len(slow.sent) :])
    slow.finish()
    slow.hear_end()
    quick.hear(len(quick.sent))
    quick.finish()
    quick.hear_end()
    seen["quick"] = {**_told(quick), "before": heard_meanwhile}
    seen["slow"] = _measured(slow, pushed)

    talking(b"I am rude\n").reset()
    rude = talking(receive_buffer=SLOW_CLIENT_BYTES)
    rude.push(LARGE[:FIRST_PART])
    rude.reset()
    rude = talking(receive_buffer=SLOW_CLIENT_BYTES)
    rude.push(UNREAD)
    rude.finish()
    rude.wait_until_finished()
    rude.reset()
    seen["after"] = _words(PatientClient(server, port, patience))
    return seen


def _words(talk: PatientClient) -> dict[str, object]:
    """A few words, each waited for before the next; a line's end where none comes back."""
    said = []
    for word in WORDS:
        said.append(word)
        if not talk.say(word) or not talk.hear(len(talk.sent)):
            break
    before = len(talk.got)
    if talk.is_open and before < len(talk.sent):
        talk.say(b"\n")
        talk.hear(len(talk.sent))
    line = len(talk.got)
    talk.finish()
    talk.hear_end()
    return {**_told(talk), "said": said, "before": before, "line": line}


def _told(talk: PatientClient) -> dict[str, object]:
    return {
        "sent": bytes(talk.sent),
        "got": bytes(talk.got[: 2 * len(MEDIUM)]),
        "end": talk.end,
        "early": talk.ended_early,
        "port": talk.port,
    }


def _measured(talk: PatientClient, pushed: int) -> dict[str, object]:
    """Of much data: how much of it, and not the data."""
    sent, got = bytes(talk.sent), bytes(talk.got)
    pairs = enumerate(zip(sent, got, strict=False))
    common = next((n for n, (one, other) in pairs if one != other), min(len(sent), len(got)))
    return {
        "sent": len(sent),
        "got": len(got),
        "common": common,
        "pushed": pushed,
        "in_order": set(got.split()) <= set(sent.split()),
        "end": talk.end,
    }
