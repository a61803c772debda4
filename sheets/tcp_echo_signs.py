"""By what the sheet tcp_echo tells what beginners typically get wrong with a stream of TCP.

Each function is given what was seen, and returns what shows the mistake, in words; "" where nothing
does. None of them looks into a program: what counts is what its clients got, the frames, the
sockets that its host has, and its end.
"""

from __future__ import annotations

from tcp_echo_clients import HIGH, MEDIUM, NUL, WORDS
from tcp_echo_sight import (
    PORT,
    connections,
    held,
    listening_addresses,
    listening_ports,
    of_client,
)

from lab.api import Seen
from lab.testing.patient_client import FIN, REFUSED, RST

LOOPBACK = ("127.", "::1", "::ffff:127.")
LINE_ENDS = (b"\n", b"\r\n", b"\0", b"\n\0")
FOREIGN_BYTES = 16
"""So many behind an answer are no line's end any more, but what a buffer happened to have."""


# Where it listens.


def swaps_the_ports_bytes(seen: Seen) -> str:
    """It listens on the port whose two bytes are the other way round."""
    swapped = int.from_bytes(PORT.to_bytes(2, "big"), "little")
    if PORT in listening_ports(seen) or swapped not in listening_ports(seen):
        return ""
    return (
        f"started with port {PORT} (0x{PORT:04x}), it listens on port {swapped} (0x{swapped:04x})"
    )


def has_a_port_of_its_own(seen: Seen) -> str:
    """It listens on a port that it was not given."""
    ports = listening_ports(seen)
    if PORT in ports or not ports or swaps_the_ports_bytes(seen):
        return ""
    return f"started with port {PORT}, it listens on port {min(ports)}"


def is_of_datagrams(seen: Seen) -> str:
    """It has a UDP socket on the port, and none of TCP."""
    bound = [each for each in held(seen, "udp") if each.local_port == PORT]
    if not bound or PORT in listening_ports(seen):
        return ""
    return f"port {PORT} of UDP has a socket, port {PORT} of TCP has none"


def binds_to_loopback(seen: Seen) -> str:
    """It listens on an address that other hosts cannot reach."""
    addresses = listening_addresses(seen)
    if not addresses or not all(each.startswith(LOOPBACK) for each in addresses):
        return ""
    return f"it listens on {' and '.join(addresses)}, port {PORT}; a SYN from outside gets a RST"


def is_of_ipv4_alone(seen: Seen) -> str:
    """It listens with IPv4 alone."""
    addresses = listening_addresses(seen)
    if not addresses or any(":" in each for each in addresses) or binds_to_loopback(seen):
        return ""
    return f"it listens on {' and '.join(addresses)}: a SYN over IPv6 gets a RST"


def is_of_ipv6_alone(seen: Seen) -> str:
    """It listens with IPv6 alone."""
    addresses = listening_addresses(seen)
    words4, words6 = of_client(seen, "words4"), of_client(seen, "words6")
    if words4["end"] != REFUSED or words6["end"] == REFUSED or not addresses:
        return ""
    return f"it listens on {' and '.join(addresses)}, and a SYN over IPv4 gets a RST"


def cannot_start_again(seen: Seen) -> str:
    """It does not start where connections are in TIME-WAIT, and does elsewhere."""
    again, idle = of_client(seen, "again"), of_client(seen, "idle")
    ended = seen.program("again")
    if again["end"] != REFUSED or not idle["got"] or ended.stopped_ns is not None:
        return ""
    return (
        "on a port without connections it starts; where some are in TIME-WAIT it ended by itself, "
        f"with status {ended.exit_status}"
    )


# What it takes for a message.


def answers_once(seen: Seen) -> str:
    """It closes after its first answer."""
    words = of_client(seen, "words4")
    said = b"".join(words["said"])
    if not words["got"] or not words["early"] or not 1 < len(words["said"]) < len(WORDS):
        return ""
    return (
        f"the client sent {said!r}; when {words['got']!r} had come back the server closed by a "
        f"{words['end']}, though the client had not"
    )


def waits_for_a_line(seen: Seen) -> str:
    """It answers nothing before a line's end comes."""
    words = of_client(seen, "words4")
    if words["before"] or not words["line"]:
        return ""
    return f"{WORDS[0]!r} had no answer; when '\\n' followed, {words['got'][:20]!r} came back"


def waits_for_the_end(seen: Seen) -> str:
    """It answers nothing before the client's FIN."""
    words, medium = of_client(seen, "words4"), of_client(seen, "medium")
    if words["line"] or medium["before"] or not words["got"]:
        return ""
    return f"{words['sent']!r} had no answer before the client's FIN; then it came back"


def waits_for_a_full_buffer(seen: Seen) -> str:
    """It answers when so many bytes have come as it wants at a time."""
    words, medium = of_client(seen, "words4"), of_client(seen, "medium")
    if words["line"] or not 0 < medium["before"] < len(MEDIUM):
        return ""
    return (
        f"{words['sent']!r} had no answer; of {len(MEDIUM)} bytes {medium['before']} came back, "
        "and the rest not before the client's FIN"
    )


def cuts_to_its_buffer(seen: Seen) -> str:
    """Of much at once it keeps as much as fits its buffer."""
    words, medium = of_client(seen, "words4"), of_client(seen, "medium")
    got = medium["got"]
    is_cut = 0 < len(got) < len(MEDIUM) and MEDIUM.startswith(got)
    if not is_cut or words["got"] != words["sent"] or answers_once(seen):
        return ""
    return f"of {len(MEDIUM)} bytes the first {len(got)} came back, and then a {medium['end']}"


# What it takes for text.


def ends_at_a_nul(seen: Seen) -> str:
    """What is behind a NUL byte does not come back."""
    got, before = of_client(seen, "nul")["got"], NUL[: NUL.index(0)]
    if not got.startswith(before) or NUL[len(before) + 1 :] in got:
        return ""
    return f"the client sent {NUL!r} and got {got!r}"


def takes_bytes_for_text(seen: Seen) -> str:
    """What is no text in UTF-8 does not come back as it was."""
    words, high = of_client(seen, "words4"), of_client(seen, "high")
    is_right = words["got"] == words["sent"] and of_client(seen, "nul")["got"] == NUL
    if not is_right or high["got"] == HIGH or high["end"] == REFUSED:
        return ""
    return f"{words['got']!r} came back as it was; of {HIGH!r} came {high['got']!r}"


def strips(seen: Seen) -> str:
    """Spaces and line ends around what comes are missing in what it sends."""
    words = of_client(seen, "words4")
    kinds = (
        b"".join(map(strip, (*words["said"], b"\n")))
        for strip in (bytes.strip, bytes.rstrip, lambda each: each.rstrip(b"\r\n"))
    )
    if words["got"] == words["sent"] or words["got"] not in kinds:
        return ""
    return f"the client sent {words['said']!r} and got {words['got']!r} in all"


def sends_how_it_is_written(seen: Seen) -> str:
    """It sends b'hello', quotes and all."""
    got = of_client(seen, "words4")["got"]
    if not got.startswith((repr(WORDS[0]).encode(), repr(WORDS[0]).encode()[1:])):
        return ""
    return f"the client sent {WORDS[0].decode()} and got {got[:20].decode(errors='replace')}"


def changes_the_case(seen: Seen) -> str:
    """Letters come back as capitals, or small."""
    words = of_client(seen, "words4")
    got, sent = words["got"], words["sent"]
    if got == sent or got.lower() != sent.lower():
        return ""
    return f"the client sent {sent!r} and got {got!r}"


# What it sends besides.


def speaks_first(seen: Seen) -> str:
    """It sends something before the client has said anything."""
    for talk in connections(seen):
        first = next((each for each in talk.segments if each.length), None)
        if first is not None and not first.from_client:
            return f"in f{first.crossing} the server sends {first.length} bytes, before the client"
    return ""


def adds_line_ends(seen: Seen) -> str:
    """Behind each answer comes a line's end, or a NUL."""
    words = of_client(seen, "words4")
    for end in LINE_ENDS:
        if words["before"] and words["got"] == b"".join(word + end for word in words["said"]):
            return f"the client sent {WORDS[0]!r} and got {WORDS[0] + end!r}"
    return ""


def sends_all_of_its_buffer(seen: Seen) -> str:
    """It sends its whole buffer, however little has come."""
    words = of_client(seen, "words4")
    got = words["got"]
    if not got.startswith(WORDS[0]) or len(got) < len(words["sent"]) + FOREIGN_BYTES:
        return ""
    if speaks_first(seen) or adds_line_ends(seen):
        return ""
    return f"the client sent {len(words['sent'])} bytes and got {len(got)}, {got[:12]!r}..."


def sends_to_others(seen: Seen) -> str:
    """A client gets what another one has sent."""
    talks = [of_client(seen, "idle"), *of_client(seen, "others")]
    for talk in talks:
        for other in talks:
            if talk is not other and other["sent"][:8] and other["sent"][:8] in talk["got"]:
                return f"a client that sent {talk['sent']!r} got {talk['got']!r}"
    return ""


# How it sends much.


def takes_send_for_all(seen: Seen) -> str:
    """Where send(2) takes less than it is given, the rest is missing."""
    slow = of_client(seen, "slow")
    if not _is_well(seen) or (not slow["in_order"] and slow["common"] == slow["got"]):
        return ""
    if not slow["common"] < slow["got"] < slow["sent"]:
        return ""
    return (
        f"a client that reads late sent {slow['sent']} bytes and got {slow['got']}: what is behind "
        f"byte {slow['common']} is missing, and later bytes come there"
    )


def drops_what_is_left_at_fin(seen: Seen) -> str:
    """When the client's FIN comes, what is still to be sent is not."""
    slow = of_client(seen, "slow")
    is_cut = slow["got"] < slow["sent"] and slow["common"] == slow["got"]
    if not _is_well(seen) or not is_cut or slow["end"] != FIN:
        return ""
    return (
        f"the client sent {slow['sent']} bytes and a FIN and read late; after {slow['got']} bytes "
        "came the server's FIN"
    )


def closes_with_bytes_unread(seen: Seen) -> str:
    """It closes where bytes of the client's are unread: a RST."""
    slow = of_client(seen, "slow")
    is_cut = slow["got"] < slow["sent"] and slow["common"] == slow["got"]
    if not _is_well(seen) or not is_cut or slow["end"] != RST:
        return ""
    return (
        f"the client sent {slow['sent']} bytes and a FIN and read late; after {slow['got']} bytes "
        "came a RST"
    )


# How it ends connections.


def never_closes(seen: Seen) -> str:
    """It does not close after the client's FIN."""
    words = of_client(seen, "words4")
    waits = [each for each in held(seen, "tcp") if each.state == "CLOSE_WAIT"]
    if words["end"] or words["got"] != words["sent"] or not waits:
        return ""
    return (
        "all came back, and no FIN after the client's; the server's host has "
        f"{len({each.remote_port for each in waits})} connections in CLOSE-WAIT"
    )


def spins_at_the_end(seen: Seen) -> str:
    """It does not close after the client's FIN, and reads on and on."""
    found = never_closes(seen)
    cell = seen.program().cell
    if not found or cell is None or not cell.was_at_work:
        return ""
    return f"{found}; there the program waits for nothing, and takes the processor's time"


def resets_instead(seen: Seen) -> str:
    """It ends connections by a RST, with nothing unread."""
    words, medium = of_client(seen, "words4"), of_client(seen, "medium")
    for talk in (words, medium):
        if talk["end"] != RST or talk["got"] != talk["sent"]:
            return ""
    return "all came back; the client's FIN was answered with a RST, though nothing was unread"


# How it serves many.


def serves_one_alone(seen: Seen) -> str:
    """It ends after its first client."""
    words4, words6 = of_client(seen, "words4"), of_client(seen, "words6")
    ended = seen.program()
    if not words4["got"] or words6["end"] == "" or ended.stopped_ns is not None:
        return ""
    if words6["got"] or is_of_ipv4_alone(seen):
        return ""
    return f"when the first client had closed it ended by itself, with status {ended.exit_status}"


def serves_one_at_a_time(seen: Seen) -> str:
    """Others wait until the first client has closed."""
    others = of_client(seen, "others")
    first = others[0]
    if first["before"] or not first["got"]:
        return ""
    return (
        f"a client sent {first['sent']!r} while another one was connected and silent; it got its "
        "answer when that one had closed"
    )


def lets_a_slow_one_stop_it(seen: Seen) -> str:
    """Others wait until a client that reads late has gone on."""
    quick = of_client(seen, "quick")
    if not _is_well(seen) or quick["before"] or quick["got"] != quick["sent"]:
        return ""
    return (
        f"while a client read nothing, another one sent {quick['sent']!r}; its answer came when "
        "the first had begun to read"
    )


def gives_up_waiting(seen: Seen) -> str:
    """It closes where a client says nothing for a while."""
    idle, others = of_client(seen, "idle"), of_client(seen, "others")
    if not idle["early"] or not idle["got"] or any(each["early"] for each in others):
        return ""
    return f"a client that said nothing for a second or so got a {idle['end']}"


def ends_by_a_reset(seen: Seen) -> str:
    """A client that resets its connection ends the server."""
    after, ended = of_client(seen, "after"), seen.program("server")
    if after["got"] or not of_client(seen, "quick")["got"] or ended.stopped_ns is not None:
        return ""
    how = f"signal {-ended.exit_status}" if ended.exit_status < 0 else f"status {ended.exit_status}"
    return f"clients reset their connections, and the server ended with {how}"


def _is_well(seen: Seen) -> bool:
    """Whether clients that send little, several at a time, get it back."""
    return all(each["got"] == each["sent"] for each in of_client(seen, "others"))
