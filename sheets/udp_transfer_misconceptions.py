"""What beginners typically get wrong with datagrams: the catalogue of the sheet udp_transfer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udp_transfer_signs import (
    acknowledges_the_next,
    answers_an_ack_with_data,
    answers_to_another_port,
    binds_to_loopback,
    cuts_datagrams,
    does_not_acknowledge_again,
    does_not_let_time_pass,
    does_not_look_at_the_number,
    does_not_wait,
    forgets_what_is_left,
    gives_up_at_once,
    has_the_hosts_byte_order,
    leaves_with_the_last,
    marks_no_end,
    never_ends,
    never_gives_up,
    numbers_alternate,
    numbers_from_one,
    sends_too_much_at_once,
    swaps_the_ports_bytes,
    takes_any_ack,
    takes_bytes_for_text,
    takes_data_of_strangers,
    takes_strangers_acks,
    trusts_that_datagrams_arrive,
    writes_the_header_too,
    writes_twice,
)

from lab.api import Misconception, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.grade.trial import Trial


def misconceptions(transfers: Trial) -> tuple[Misconception, ...]:
    """The catalogue; where several explain a check the first are shown."""

    def made(
        name: str,
        shows: Callable[[Seen], str],
        explains: str,
        source: str,
        hint: str,
        instead_of: str = "",
    ) -> Misconception:
        checks, others = tuple(explains.split()), tuple(instead_of.split())
        return Misconception(name, hint, shows, transfers, checks, others, source)

    sender = "format resends stop-and-wait not-too-soon sender-ends"
    receiver = "acks acks-again in-order last-ack written receiver-ends"
    return (
        made(
            "port-in-host-order", swaps_the_ports_bytes, f"{sender} {receiver}", "htons(3)",
            "A port number stands in a socket address with its most significant byte first: "
            "network byte order. Your processor has it the other way round. Look at how the number "
            "gets into the address.",
        ),
        made(
            "binds-to-loopback", binds_to_loopback, f"{receiver} strangers bad-link",
            "ip(7), INADDR_LOOPBACK",
            "127.0.0.1 and the name localhost are the host's own: what is bound to them is reached "
            "from that host alone. Look at the address that you bind to, and at which one stands "
            "for all of a host's addresses.",
        ),
        made(
            "answers-to-a-fixed-port", answers_to_another_port, f"{receiver} bad-link",
            "recvfrom(2), src_addr",
            "A UDP socket has no connection: who sent a datagram stands in its header, and "
            "recvfrom(2) tells it. A sender that has not bound a port has one that its kernel "
            "chose. Look at the address that your ACKs go to.",
        ),
        made(
            "block-too-large", sends_too_much_at_once, "format resends stop-and-wait sender-ends",
            "RFC 8085, 3.2; udp(7)",
            "A datagram is sent whole or not at all: what is larger than the path's MTU is cut "
            "into IP fragments, which are lost together, and past 65,507 bytes it cannot be sent. "
            "Send the file in blocks.",
        ),
        made(
            "host-byte-order", has_the_hosts_byte_order, f"{sender} {receiver}",
            "byteorder(3); RFC 791, appendix B",
            "Numbers of several bytes have an order on the wire, the most significant byte first; "
            "your processor keeps them the other way round. Look at what writes a number into the "
            "header, and at what reads it: htonl, ntohl, or struct's \"!\".",
        ),
        made(
            "numbers-from-one", numbers_from_one, sender, "",
            "Both sides have to count from the same number, and here that is 0: else the receiver "
            "waits for a DATA that never comes. Look at where your numbers begin.",
        ),
        made(
            "alternating-numbers", numbers_alternate, f"{sender} {receiver}", "RFC 1350, 5",
            "With numbers 0 and 1 in turn stop-and-wait works where nothing is overtaken; the "
            "protocol here counts on, so that DATA that comes late is known as old. Look at how a "
            "number follows from the one before.",
        ),
        made(
            "acks-the-next", acknowledges_the_next, f"{receiver} bad-link", "RFC 9293, 3.4",
            "TCP acknowledges by the number that it expects next; this protocol by the number of "
            "the DATA that has come. Both sides have to mean the same. Look at the number that you "
            "put into the ACK.",
        ),
        made(
            "sends-without-waiting", does_not_wait, f"{sender} gives-up bad-link",
            "RFC 8085, 3.1.1",
            "UDP tells nobody that a datagram has arrived: after each DATA the ACK of that one has "
            "to come before the next is sent. Look at what your sender does between two DATA.",
            "takes-any-ack takes-strangers-acks",
        ),
        made(
            "trusts-that-datagrams-arrive", trusts_that_datagrams_arrive,
            f"{sender} gives-up bad-link",
            "udp(7); socket(7), SO_RCVTIMEO; poll(2)",
            "A datagram may be lost, and so may its ACK, and nobody says so: a recv(2) without a "
            "limit of time then waits for ever. Look at how long your sender waits for an ACK, and "
            "what it does then.",
        ),
        made(
            "gives-up-at-once", gives_up_at_once, f"{sender} gives-up bad-link", "RFC 8085, 3.1.1",
            "That an ACK does not come in time is no failure, but what the protocol is for: DATA "
            "or its ACK was lost, and is sent again. Look at what follows a timeout.",
        ),
        made(
            "never-gives-up", never_gives_up, "gives-up", "RFC 8085, 3.1.1",
            "A receiver may be gone for ever. Who sends without end fills the network for nothing, "
            "and its user never learns that the file did not arrive. Count the tries.",
        ),
        made(
            "no-time-between", does_not_let_time_pass, "not-too-soon gives-up", "RFC 8085, 3.1.1",
            "An ACK needs a round trip's time at least. What is sent again before that is a "
            "duplicate for nothing, and adds to the load that datagrams are lost by. Look at what "
            "your sender waits for before it sends again.",
        ),
        made(
            "acks-make-it-send", answers_an_ack_with_data, "not-too-soon", "RFC 1123, 4.2.3.1",
            "Where each ACK that comes again makes a DATA come again, and that an ACK, all is sent "
            "twice to the end: the Sorcerer's Apprentice Syndrome. Ignore ACKs that you do not "
            "wait for, and let the time alone decide.",
        ),
        made(
            "takes-any-ack", takes_any_ack, "stop-and-wait resends format sender-ends bad-link",
            "RFC 1350, 2",
            "An ACK may come late or twice: an old one says nothing of the DATA that you have just "
            "sent. Look at whether its number is compared with that of the DATA.",
            "takes-strangers-acks",
        ),
        made(
            "takes-strangers-acks", takes_strangers_acks, "stop-and-wait resends sender-ends",
            "connect(2); recvfrom(2), src_addr",
            "Anybody can send a datagram to your socket. Compare where it came from with where you "
            "send to, or let connect(2) do that for a UDP socket.",
        ),
        made(
            "forgets-the-rest", forgets_what_is_left, "format resends sender-ends bad-link", "",
            "A file's size is seldom a multiple of the block's. Look at what becomes of the bytes "
            "behind the last whole block.",
        ),
        made(
            "marks-no-end", marks_no_end, "format bad-link", "RFC 1350, 6",
            "Datagrams have no end of file: that it was the last one, the protocol has to say. "
            "Look at the flags of your last DATA.",
        ),
        made(
            "writes-the-header", writes_the_header_too, "written bad-link", "",
            "The header is the protocol's, not the file's. Look at where the file's bytes begin in "
            "a datagram.",
        ),
        made(
            "buffer-too-small", cuts_datagrams, "written acks bad-link",
            "recv(2); udp(7); recvfrom(2), MSG_TRUNC",
            "One recv takes one datagram. What does not fit the buffer is thrown away, and nothing "
            "says so: the rest does not come with the next call, as it would from a stream. The "
            "header needs room as well. Look at the size of your buffer.",
        ),
        made(
            "text-not-bytes", takes_bytes_for_text,
            "format written acks acks-again last-ack bad-link",
            "Python's documentation: open(), sys.stdout.buffer",
            "A file is bytes, and not all of them are a text: decoding fails or changes them, and "
            "so does the translation of line ends. Look at how the file is opened, and how it is "
            "written.",
        ),
        made(
            "no-ack-for-duplicates", does_not_acknowledge_again, "acks-again last-ack bad-link",
            "RFC 1350, 2",
            "That DATA comes again tells that its ACK was lost: without another one the sender "
            "sends it until it gives up. Look at what your receiver does with a number that is "
            "lower than expected.",
        ),
        made(
            "writes-duplicates", writes_twice, "written bad-link", "RFC 8085, 3.3",
            "DATA comes twice where its ACK is lost, or where the network doubles it. It is to be "
            "acknowledged each time, and written once. Look at when you write.",
        ),
        made(
            "takes-any-number", does_not_look_at_the_number, "in-order written", "RFC 8085, 3.3",
            "Datagrams may come in another order than they were sent in. Look at whether the "
            "number is compared with the one that is expected.",
        ),
        made(
            "takes-strangers-data", takes_data_of_strangers, "strangers written",
            "connect(2); recvfrom(2), src_addr",
            "Anybody can send a datagram to a port. Remember who has begun, and compare where each "
            "datagram comes from.",
        ),
        made(
            "leaves-with-the-last", leaves_with_the_last, "last-ack bad-link", "RFC 1350, 6",
            "The last ACK may be lost as any other, and nobody acknowledges it. The sender sends "
            "the last DATA again then, and somebody has to be there: stay for a time, as TCP does "
            "in TIME-WAIT.",
        ),
        made(
            "never-ends", never_ends, "receiver-ends bad-link", "RFC 1350, 6",
            "After the last DATA nothing more comes but what is sent again, and that only for some "
            "time. A recv(2) without a limit of time waits for ever.",
        ),
    )  # fmt: skip
