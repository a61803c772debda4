"""By what the sheet udp_transfer tells what beginners typically get wrong with datagrams.

Each function is given what was seen, and returns what shows the mistake, in words; "" where nothing
does. None of them looks into a program: what counts is what its peers got, the frames, the sockets
that its host has, what it wrote, and its end.
"""

from __future__ import annotations

from typing import Any

from udp_transfer_peers import (
    ACK,
    BLOCK_BYTES,
    BLOCKS,
    DATA,
    GIVEN,
    GIVEN_BLOCKS,
    HEADER,
    LAST,
    MOST_TRIES,
    STRANGE,
)
from udp_transfer_sight import (
    FAR_PORT,
    PEERS_PORT,
    PORT,
    SILENT_PORT,
    SOON_S,
    answered_from,
    came,
    delivered,
    ended,
    said,
    sent_to,
    step,
    too_soon,
)

from lab.api import Seen

LOOPBACK = ("127.", "::1", "::ffff:127.")


# Ports and addresses.


def swaps_the_ports_bytes(seen: Seen) -> str:
    """The receiver's port, or that which the sender sends to, has its bytes the other way round."""
    ports = {port for port, _ in _bound(seen)}
    if PORT not in ports and _swapped(PORT, 2) in ports:
        return (
            f"started with port {PORT} (0x{PORT:04x}), the receiver binds port "
            f"{_swapped(PORT, 2)} (0x{_swapped(PORT, 2):04x})"
        )
    other = _swapped(PEERS_PORT, 2)
    if not sent_to(seen, PEERS_PORT) and sent_to(seen, other):
        return (
            f"started with port {PEERS_PORT} (0x{PEERS_PORT:04x}), the sender sends to port "
            f"{other} (0x{other:04x})"
        )
    return ""


def binds_to_loopback(seen: Seen) -> str:
    """The receiver binds an address that other hosts cannot reach."""
    addresses = sorted({address for port, address in _bound(seen) if port == PORT})
    if not addresses or not all(each.startswith(LOOPBACK) for each in addresses):
        return ""
    return f"the receiver binds {' and '.join(addresses)}, port {PORT}"


def answers_to_another_port(seen: Seen) -> str:
    """The receiver's ACKs go elsewhere than to where DATA came from."""
    own = said(seen, "sending")["port"]
    ports = {port for port, _ in answered_from(seen, PORT)} | {
        port for port, _ in answered_from(seen, FAR_PORT)
    }
    wrong = sorted(ports & {PORT, FAR_PORT, PEERS_PORT, PORT + 1})
    if not wrong or own in ports:
        return ""
    return f"DATA came from port {own}; the ACKs go to port {wrong[0]}"


# The header.


def has_the_hosts_byte_order(seen: Seen) -> str:
    """Numbers or lengths have their least significant byte first."""
    for each in came(seen):
        length, number = int(each["length"]), int(each["number"])
        size = len(each["data"])
        is_swapped = 0 < _swapped(number, 4) < len(GIVEN_BLOCKS) and number > len(GIVEN_BLOCKS)
        if is_swapped or (length != size and _swapped(length, 2) == size):
            return f"a DATA of the sender's with {size} bytes begins with {each['raw'].hex(' ')}"
    for name in ("early", "third", "last"):
        for each in _answers(seen, name):
            if each["type"] == ACK and 0 < _swapped(int(each["number"]), 4) < len(BLOCKS):
                return f"an ACK of the receiver's is {each['raw'].hex(' ')}"
    early = _answers(seen, "early")
    if (
        _answers(seen, "again")
        and not early
        and not _answers(seen, "last")
        and delivered(seen, "receiver") == BLOCKS[0]
        and not ended(seen, "receiver")
    ):
        # It took number 0 twice, which has no order of bytes, and no number behind it.
        return "the receiver acknowledges DATA 0 and no DATA of another number"
    return ""


def numbers_from_one(seen: Seen) -> str:
    """The sender's first DATA is number 1, or the receiver waits for that."""
    datagrams = came(seen)
    if datagrams and datagrams[0]["number"] == 1 and datagrams[0]["data"] == GIVEN_BLOCKS[0]:
        return "the sender's first DATA, of the file's first bytes, has number 1"
    return ""


def numbers_alternate(seen: Seen) -> str:
    """Numbers are 0 and 1 in turn."""
    for each in came(seen):
        if each["data"] == GIVEN_BLOCKS[2] and each["number"] == 0:
            return "the file's third block, DATA 2, is sent as number 0"
    return ""


def acknowledges_the_next(seen: Seen) -> str:
    """An ACK has the number of the DATA that it waits for next, as in TCP."""
    first = _answers(seen, "first")
    if not first or first[0]["type"] != ACK or first[0]["number"] != 1:
        return ""
    return "DATA 0 was answered with ACK 1"


def sends_too_much_at_once(seen: Seen) -> str:
    """A DATA has more of the file than agreed."""
    for each in came(seen):
        if len(each["data"]) > BLOCK_BYTES:
            return f"a DATA of the sender's has {len(each['data'])} bytes of the file"
    return ""


def writes_the_header_too(seen: Seen) -> str:
    """The receiver writes the header out as well."""
    text = delivered(seen, "receiver")
    at = text.find(BLOCKS[0][:8])
    if not 0 < at <= 4 * HEADER.size:
        return ""
    return f"before the first bytes of the file the receiver writes {text[:at]!r}"


def cuts_datagrams(seen: Seen) -> str:
    """The receiver's buffer is smaller than a datagram: its end is lost."""
    begin, size = BLOCKS[0][:5], BLOCKS[0].count(b"0")
    text = delivered(seen, "receiver")
    behind = text.removeprefix(begin)
    came_through = len(behind) - len(behind.lstrip(b"0"))
    if behind == text or not 0 < came_through < size:
        return ""
    return (
        f"of DATA 0, with {len(BLOCKS[0])} bytes, the receiver writes {len(begin) + came_through} "
        "out, and then what follows"
    )


def takes_bytes_for_text(seen: Seen) -> str:
    """Bytes that are no text, or line ends, are other ones in what is sent or written."""
    sent = b"".join(each["data"] for each in came(seen)[:1])
    if sent and not GIVEN.startswith(sent) and not _headers_differ(seen):
        return "the file has bytes that are no text, and DATA 0 has other ones in their place"
    text, first, second = delivered(seen, "receiver"), BLOCKS[0], BLOCKS[1]
    behind = text.removeprefix(first)
    numbers = [each["number"] for each in _answers(seen, "early")]
    if behind == text or behind.startswith((second, first[:8])) or 2 in numbers:
        return ""
    if 1 in numbers:
        return f"DATA 1 has the bytes {BLOCKS[1].hex(' ')}; the receiver writes {behind[:12]!r}"
    if not numbers and ended(seen, "receiver") not in ("", "0"):
        return f"DATA 1 has the bytes {BLOCKS[1].hex(' ')}; by it the receiver ended with an error"
    return ""


# Time, and what is lost.


def trusts_that_datagrams_arrive(seen: Seen) -> str:
    """The sender sends each DATA once, and waits for its ACK for ever, or not at all."""
    tries = len(sent_to(seen, SILENT_PORT))
    numbers = [each["number"] for each in came(seen)]
    if does_not_wait(seen) or tries != 1 or len(set(numbers)) < len(numbers):
        return ""
    if ended(seen, "lonely-sender"):
        return ""
    return "a DATA that nobody acknowledged was sent once, and its ACK waited for without end"


def gives_up_at_once(seen: Seen) -> str:
    """The sender ends when the first ACK does not come in time."""
    tries = len(sent_to(seen, SILENT_PORT))
    how = ended(seen, "lonely-sender")
    if tries != 1 or not how or does_not_wait(seen):
        return ""
    return f"a DATA that nobody acknowledged was sent once; then the sender ended with {how}"


def never_gives_up(seen: Seen) -> str:
    """The sender sends the same for ever."""
    tries = len(sent_to(seen, SILENT_PORT))
    if tries < MOST_TRIES or ended(seen, "lonely-sender"):
        return ""
    return f"a DATA that nobody acknowledged was sent {tries} times, and the sender had not ended"


def does_not_wait(seen: Seen) -> str:
    """The sender sends all DATA without waiting for ACKs."""
    numbers = [each["number"] for _, each in sent_to(seen, SILENT_PORT)]
    if len(set(numbers)) < 2:
        return ""
    return f"to a receiver that answers nothing the sender sent DATA {_list(numbers[:8])}"


def does_not_let_time_pass(seen: Seen) -> str:
    """The sender sends again without waiting for the time."""
    if does_not_wait(seen) or too_soon(seen, SILENT_PORT) is None:
        return ""
    return (
        "a DATA that nobody acknowledged was sent again within "
        f"{SOON_S * 1000:g} ms, with nothing come between"
    )


def takes_any_ack(seen: Seen) -> str:
    """An ACK of an earlier number is taken for that of the DATA just sent."""
    early = [each for each in came(seen) if each["number"] == 3 and each["expected"] == 2]
    if not early or does_not_wait(seen):
        return ""
    return "DATA 2 was answered with ACK 1, which had come before, and DATA 3 was sent"


def takes_strangers_acks(seen: Seen) -> str:
    """An ACK from elsewhere is taken for the receiver's."""
    early = [each for each in came(seen) if each["number"] == 5 and each["expected"] == 4]
    if not early or does_not_wait(seen) or takes_any_ack(seen):
        return ""
    return "an ACK 4 came from another port than DATA is sent to, and DATA 5 was sent"


def answers_an_ack_with_data(seen: Seen) -> str:
    """An ACK that is not awaited makes the sender send again at once."""
    number = too_soon(seen, PEERS_PORT)
    if number is None or too_soon(seen, SILENT_PORT) is not None:
        return ""
    return (
        f"when an ACK came again, DATA {number} was sent again within {SOON_S * 1000:g} ms, where "
        "its time had not passed"
    )


# Duplicates, and the end.


def does_not_acknowledge_again(seen: Seen) -> str:
    """DATA that comes again is ignored."""
    again, old = _answers(seen, "again"), _answers(seen, "old")
    if not _answers(seen, "first") or again or old:
        return ""
    return "DATA 0 was acknowledged; when it came again there was no ACK"


def writes_twice(seen: Seen) -> str:
    """DATA that comes again is written again."""
    if delivered(seen, "receiver").count(BLOCKS[0][:8]) > 1:
        return "DATA 0 came three times, as where its ACK is lost, and is written more than once"
    again = _written_again(delivered(seen, "far-receiver"))
    return f"over the bad link DATA {again} came twice, and is written twice" if again else ""


def _written_again(text: bytes) -> int:
    """The number of a block of the file that is written again, behind itself; 0 if none is."""
    blocks = GIVEN_BLOCKS
    number = 0
    while text and number < len(blocks):
        if number and text.startswith(blocks[number - 1]):
            return number - 1
        if not text.startswith(blocks[number]):
            return 0
        text = text.removeprefix(blocks[number])
        number += 1
    return number - 1 if text and text.startswith(blocks[-1]) else 0


def does_not_look_at_the_number(seen: Seen) -> str:
    """DATA of any number is taken."""
    if not any(each["number"] == 2 for each in _answers(seen, "early")):
        return ""
    return "DATA 2 came when DATA 1 was expected, and was acknowledged"


def takes_data_of_strangers(seen: Seen) -> str:
    """DATA from another port than its sender's is written."""
    if STRANGE not in delivered(seen, "receiver"):
        return ""
    return f"{STRANGE!r}, which came from another port than the sender's, is written"


def leaves_with_the_last(seen: Seen) -> str:
    """The receiver ends when it has acknowledged the last DATA."""
    last, again = _answers(seen, "last"), _answers(seen, "last again")
    if not last or again or not _answers(seen, "again") or ended(seen, "receiver") == "":
        return ""
    return "the last DATA was acknowledged; when it came again nobody was there"


def never_ends(seen: Seen) -> str:
    """The receiver waits on when all is there."""
    if not _answers(seen, "last") or ended(seen, "receiver") or ended(seen, "far-receiver"):
        return ""
    return "the last DATA had come seconds ago, and the receiver waited on"


def forgets_what_is_left(seen: Seen) -> str:
    """The file's last bytes, less than a block, are not sent."""
    numbers = {each["number"] for each in came(seen)}
    last = len(GIVEN_BLOCKS) - 1
    flags = [each["flags"] for each in came(seen) if each["number"] == last - 1]
    if last in numbers or LAST not in flags:
        return ""
    return (
        f"the sender's last DATA is number {last - 1}, and {len(GIVEN_BLOCKS[-1])} bytes are left"
    )


def marks_no_end(seen: Seen) -> str:
    """The last DATA is not marked as such."""
    flags = [each["flags"] for each in came(seen) if each["number"] == len(GIVEN_BLOCKS) - 1]
    if not flags or any(flags):
        return ""
    return f"DATA {len(GIVEN_BLOCKS) - 1}, the last, has flags 0"


def _answers(seen: Seen, name: str) -> list[dict[str, Any]]:
    """What the receiver answered in a step; [] where that was not made."""
    try:
        found: list[dict[str, Any]] = step(seen, name)["answers"]
    except AssertionError:
        return []
    return found


def _bound(seen: Seen) -> set[tuple[int, str]]:
    """The UDP sockets of the server's host: port and address."""
    return {
        (each.local_port, each.local_address)
        for timeline in seen.run.timelines
        for each in timeline.held
        if each.host == "server" and each.protocol == "udp"
    }


def _headers_differ(seen: Seen) -> bool:
    """Whether the sender's first DATA has another header than agreed."""
    first = came(seen)[0]
    return bool(first["type"] != DATA or first["length"] != len(first["data"]))


def _swapped(number: int, size: int) -> int:
    """The number whose bytes are the other way round."""
    return int.from_bytes((number % 256**size).to_bytes(size, "big"), "little")


def _list(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
