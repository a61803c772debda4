"""What beginners typically get wrong with a stream of TCP: the catalogue of the sheet tcp_echo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcp_echo_signs import (
    adds_line_ends,
    answers_once,
    binds_to_loopback,
    cannot_start_again,
    changes_the_case,
    closes_with_bytes_unread,
    cuts_to_its_buffer,
    drops_what_is_left_at_fin,
    ends_at_a_nul,
    ends_by_a_reset,
    gives_up_waiting,
    has_a_port_of_its_own,
    is_of_datagrams,
    is_of_ipv4_alone,
    is_of_ipv6_alone,
    lets_a_slow_one_stop_it,
    never_closes,
    resets_instead,
    sends_all_of_its_buffer,
    sends_how_it_is_written,
    sends_to_others,
    serves_one_alone,
    serves_one_at_a_time,
    speaks_first,
    spins_at_the_end,
    strips,
    swaps_the_ports_bytes,
    takes_bytes_for_text,
    takes_send_for_all,
    waits_for_a_full_buffer,
    waits_for_a_line,
    waits_for_the_end,
)

from lab.api import Misconception, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.grade.trial import Trial


def misconceptions(one_by_one: Trial, many_at_once: Trial) -> tuple[Misconception, ...]:
    """The catalogue; where several explain a check the first are shown."""

    def made(
        name: str,
        shows: Callable[[Seen], str],
        of: Trial,
        explains: str,
        source: str,
        hint: str,
        instead_of: str = "",
    ) -> Misconception:
        checks, others = tuple(explains.split()), tuple(instead_of.split())
        return Misconception(name, hint, shows, of, checks, others, source)

    reached = "ipv4 ipv6 at-once just-that every-byte half-close fin"
    each_word = "at-once just-that every-byte half-close"
    served = "many waits loss much slow resets restart"
    return (
        made(
            "port-in-host-order", swaps_the_ports_bytes, one_by_one, reached, "htons(3)",
            "A port number stands in a socket address, as in every header, with its most "
            "significant byte first: network byte order. Your processor has it the other way "
            "round. Look at how the number gets into the address.",
        ),
        made(
            "port-of-its-own", has_a_port_of_its_own, one_by_one, reached, "bind(2)",
            "Who starts the server says on which port it is to listen, by its argument. Look at "
            "where the number that you bind to comes from.",
        ),
        made(
            "datagram-socket", is_of_datagrams, one_by_one, reached, "socket(2)",
            "Which protocol a socket speaks is fixed when it is made. SOCK_DGRAM is UDP: no "
            "connections, no stream; a SYN to that port is refused.",
        ),
        made(
            "binds-to-loopback", binds_to_loopback, one_by_one, reached, "ip(7), INADDR_LOOPBACK",
            "127.0.0.1, ::1 and the name localhost are the host's own: what is bound to them is "
            "reached from that host alone. Look at the address that you bind to, and at which one "
            "stands for all of a host's addresses.",
        ),
        made(
            "ipv4-alone", is_of_ipv4_alone, one_by_one, "ipv6", "ipv6(7), IPV6_V6ONLY",
            "A socket of the family AF_INET has IPv4 addresses only. One of AF_INET6 may take "
            "clients of both, and there may be two sockets.",
        ),
        made(
            "ipv6-alone", is_of_ipv6_alone, one_by_one, "ipv4", "ipv6(7), IPV6_V6ONLY",
            "A socket of the family AF_INET6 takes clients of IPv4 as well only where the option "
            "IPV6_V6ONLY is off; what it is by itself is a setting of the machine.",
        ),
        made(
            "speaks-first", speaks_first, one_by_one, each_word, "RFC 862",
            "What a server sends before it is asked, a greeting or a prompt, is for the client a "
            "part of the stream, and here part of the answer. The echo protocol has none.",
        ),
        made(
            "how-bytes-are-written", sends_how_it_is_written, one_by_one, each_word,
            "Python's documentation: bytes objects, str()",
            "The text of a bytes object, b'...', is how Python writes it down for people, not what "
            "is in it. Look at what turns the bytes into a text before they are sent.",
        ),
        made(
            "whole-buffer", sends_all_of_its_buffer, one_by_one, each_word, "recv(2), RETURN VALUE",
            "recv(2) fills as much of the buffer as has come, and says how much that was. What is "
            "behind it are no bytes of this client: old ones, zeros, or another's secrets. Look at "
            "the length that you give to send(2).",
        ),
        made(
            "adds-a-line-end", adds_line_ends, one_by_one, each_word, "RFC 862",
            "A stream has no lines but those that its bytes make: a line's end, or the NUL that "
            "ends a string of C, is a byte like others. Look at what writes more than came: puts, "
            "print, println, a length with one added.",
        ),
        made(
            "strips", strips, one_by_one, each_word, "RFC 9293, 3.8",
            "Spaces and line ends are bytes of the client's. TCP carries them, and what takes them "
            "off changes the stream. Look at what is done with the data between recv and send.",
        ),
        made(
            "changes-the-case", changes_the_case, one_by_one, each_word, "RFC 862",
            "An echo is what came, byte for byte. Look at what is done with the data between recv "
            "and send.",
        ),
        made(
            "ends-at-nul", ends_at_a_nul, one_by_one, each_word, "strlen(3)",
            "Functions for strings, strlen, strcpy, printf with %s, take a byte of value 0 for the "
            "end. In a stream it is a byte like others: how many have come only recv(2) knows.",
            "text-not-bytes",
        ),
        made(
            "text-not-bytes", takes_bytes_for_text, one_by_one, each_word, "RFC 3629, 3",
            "A stream carries bytes, and not all of them are a text: most sequences of bytes are "
            "no UTF-8, and a segment may end amid a character. Look at what decodes them.",
        ),
        made(
            "one-recv-one-message", answers_once, one_by_one, f"{each_word} fin",
            "recv(2); RFC 9293, 3.8",
            "TCP knows no messages. recv(2) returns what has come so far, and the client may send "
            "more: only when it returns 0 is the client's stream at its end. Look at when you "
            "close.",
            "unread-bytes closes-when-idle",
        ),
        made(
            "waits-for-a-line", waits_for_a_line, one_by_one, each_word, "RFC 862",
            "A client need not send lines, and waits for its answer before it goes on: both then "
            "wait for ever. Look at what reads until a line's end: readline, fgets, a loop of "
            "yours.",
        ),
        made(
            "reads-until-eof", waits_for_the_end, one_by_one, each_word, "recv(2), RETURN VALUE",
            "The end of a stream comes when the client closes, and it may be waiting for your "
            "answer before it does: both then wait for ever. Look at the loop around recv: what is "
            "it that it collects?",
        ),
        made(
            "waits-for-a-full-buffer", waits_for_a_full_buffer, one_by_one, each_word,
            "recv(2), MSG_WAITALL",
            "How many bytes come at once is up to TCP and the client, and the next may come never. "
            "Look at what waits for a number of bytes: MSG_WAITALL, fread, read(n) of a buffered "
            "file.",
        ),
        made(
            "cut-to-the-buffer", cuts_to_its_buffer, one_by_one, "just-that half-close every-byte",
            "RFC 9293, 3.8",
            "A stream has no greatest length, whatever the size of your buffer. What does not fit "
            "has to wait in the socket: TCP stops the client meanwhile. Look at what becomes of "
            "the bytes behind the buffer's end.",
            "short-send",
        ),
        made(
            "spins-at-eof", spins_at_the_end, one_by_one, "half-close fin",
            "recv(2), RETURN VALUE; RFC 9293, 3.6",
            "When the client has closed its direction recv(2) returns 0, at once and each time: "
            "your loop goes round for ever, and takes a processor. A 0 is the end: leave the loop, "
            "and close.",
            "never-closes",
        ),
        made(
            "never-closes", never_closes, one_by_one, "half-close fin",
            "recv(2), RETURN VALUE; RFC 9293, 3.6",
            "When recv(2) returns 0 the client has closed its direction, and returns 0 again each "
            "time. The other direction stays open until you close it: CLOSE-WAIT. Look at what "
            "your loop does with a 0.",
        ),
        made(
            "resets-instead-of-fin", resets_instead, one_by_one, "half-close fin",
            "socket(7), SO_LINGER; RFC 9293, 3.6",
            "A RST says that something went wrong, and what is on its way then may be thrown away. "
            "An orderly end is a FIN. Look at SO_LINGER with a time of 0, and leave the closing to "
            "TCP.",
            "unread-bytes",
        ),
        made(
            "serves-one-client", serves_one_alone, one_by_one,
            f"ipv6 just-that every-byte half-close fin {served}",
            "accept(2)",
            "accept(2) returns one connection, and the listening socket goes on: others wait "
            "there. Look at what your program does when the first client has closed.",
        ),
        made(
            "one-client-at-a-time", serves_one_at_a_time, many_at_once, served,
            "poll(2); pthread_create(3); fork(2)",
            "recv(2) waits until its client says something, and the whole program waits with it. "
            "The kernel opens further connections meanwhile, and nobody serves them. Look at what "
            "your program waits for while it serves one client.",
            "slow-client-stops-all",
        ),
        made(
            "sends-to-others", sends_to_others, many_at_once, "many waits loss slow", "accept(2)",
            "Each connection has a descriptor of its own, and what comes from one is nothing to "
            "another. Look at where the descriptor is kept that you send to.",
        ),
        made(
            "closes-when-idle", gives_up_waiting, many_at_once, "waits",
            "socket(7), SO_RCVTIMEO; RFC 9293, 3.8.4",
            "A connection on which nothing is sent costs nothing, and stays open as long as both "
            "want. That nothing came for a while is no end: that one is told by recv(2), which "
            "returns 0. Look at your timeouts.",
        ),
        made(
            "short-send", takes_send_for_all, many_at_once, "much", "send(2), RETURN VALUE",
            "send(2) takes what there is room for in the socket's buffer, and returns how much "
            "that was. Where the socket does not block that is often less than you gave it. Look "
            "at what you do with its result.",
        ),
        made(
            "drops-the-rest-at-fin", drops_what_is_left_at_fin, many_at_once, "much",
            "shutdown(2); RFC 9293, 3.6.1",
            "The client's FIN ends its direction alone; it still reads. What you have read of it "
            "and not sent yet is to be sent before you close. Look at what is in your buffers when "
            "recv(2) returns 0.",
        ),
        made(
            "unread-bytes", closes_with_bytes_unread, many_at_once, "much",
            "RFC 2525, 2.17; RFC 9293, 3.6",
            "A socket that is closed while bytes of the client's are unread sends a RST, and what "
            "you sent before may be lost by it. Read until recv(2) returns 0; that the client has "
            "closed (POLLRDHUP, POLLHUP) does not mean that you have read all.",
        ),
        made(
            "slow-client-stops-all", lets_a_slow_one_stop_it, many_at_once, "slow",
            "send(2); fcntl(2), O_NONBLOCK",
            "Where the client does not read, the buffers fill, and send(2) waits for room: the "
            "whole program, if it is one for all clients. Look at what may block in your loop.",
        ),
        made(
            "reset-ends-the-server", ends_by_a_reset, many_at_once, "resets",
            "send(2), EPIPE; signal(7), SIGPIPE; RFC 9293, 3.5.3",
            "A client may reset its connection at any time. Calls on it then fail with ECONNRESET "
            "or EPIPE, and the latter comes with SIGPIPE, which ends a program that has not "
            "arranged for it. That is the end of one connection, not of the server.",
        ),
        made(
            "no-reuseaddr", cannot_start_again, many_at_once, "restart",
            "socket(7), SO_REUSEADDR; RFC 9293, 3.3.2",
            "Connections that a server has closed first stay in TIME-WAIT for a minute, and as "
            "long nobody binds to their port, unless the socket says beforehand that it may. Look "
            "at what bind(2) says when you start your server twice.",
        ),
    )  # fmt: skip
