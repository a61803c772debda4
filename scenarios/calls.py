"""read and write beside send and recv and their kin: what is alike, and what only some can do."""

from lab.api import Claim, Program, Scenario, Step, in_every_step, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.calls import (
    fails_where_it_would_wait,
    holds_back_for_more,
    peeks_without_taking,
    puts_the_same_datagrams_on_the_wire,
    puts_the_same_segments_on_the_wire,
    reads_the_same,
    sends_out_of_band,
    tells_each_datagrams_source,
    tells_what_was_cut,
    waits_for_all,
)
from lab.checks.link import has_right_checksums
from lab.checks.traced import reads_each_byte_of_streams

PORT = "4242"
CALLS = ("write", "send", "sendto", "sendmsg")


def _pair(step: str, demo: str, *arguments: str) -> Step:
    """A server and a client of the same page."""
    programs = (
        Program(
            f"{step}-{role}",
            host=role,
            argv=(
                "{python}", "-IS", f"{{demos}}/{demo}.py", role, *arguments, "{server}", PORT,
            ),
            signals_ready=role == "server",
        )
        for role in ("server", "client")
    )  # fmt: skip
    return Step(step, tuple(programs))


STREAMS = tuple(f"stream-{calls}" for calls in CALLS)
DATAGRAMS = tuple(f"datagram-{calls}" for calls in CALLS)
STEPS = (
    *(_pair(f"stream-{calls}", "calls_stream", calls) for calls in CALLS),
    *(_pair(f"datagram-{calls}", "calls_dgram", calls) for calls in CALLS),
    _pair("stream-flags", "calls_stream_flags"),
    _pair("datagram-flags", "calls_dgram_flags"),
)

CLAIMS = (
    Claim(
        "calls-same-segments",
        "The segments on the wire are the same by write as by send without flags, and by sendto "
        "and sendmsg.",
        "send(2); write(2)",
        puts_the_same_segments_on_the_wire,
        statements=("S3",),
        steps=STREAMS,
    ),
    Claim(
        "calls-same-reads",
        "On a connection read returns what recv returns, and recvfrom and recvmsg.",
        "recv(2); read(2)",
        reads_the_same,
        statements=("S3",),
        steps=STREAMS,
    ),
    Claim(
        "calls-same-datagrams",
        "On a connected datagram socket write and send put the same datagrams on the wire as "
        "sendto and sendmsg, which name the destination.",
        "send(2); udp(7)",
        puts_the_same_datagrams_on_the_wire,
        statements=("S3",),
        steps=DATAGRAMS,
    ),
    Claim(
        "calls-same-datagram-reads",
        "On a datagram socket, too, read returns what recv, recvfrom and recvmsg return.",
        "recv(2); read(2)",
        reads_the_same,
        statements=("S3",),
        steps=DATAGRAMS,
    ),
    Claim(
        "calls-peek",
        "MSG_PEEK returns what is there and leaves it there.",
        "recv(2), MSG_PEEK",
        peeks_without_taking,
        statements=("S4",),
        steps=("stream-flags", "datagram-flags"),
    ),
    Claim(
        "calls-dont-wait",
        "MSG_DONTWAIT makes one call fail with EAGAIN where it would wait.",
        "recv(2), MSG_DONTWAIT",
        fails_where_it_would_wait,
        statements=("S4",),
        steps=("stream-flags", "datagram-flags"),
    ),
    Claim(
        "calls-wait-for-all",
        "MSG_WAITALL waits until the buffer is full, however many segments that takes.",
        "recv(2), MSG_WAITALL",
        waits_for_all,
        statements=("S4",),
        steps=("stream-flags",),
    ),
    Claim(
        "calls-more",
        "MSG_MORE holds bytes back until the next send: two sends, one segment.",
        "send(2), MSG_MORE; tcp(7), TCP_CORK",
        holds_back_for_more,
        statements=("S4",),
        steps=("stream-flags",),
    ),
    Claim(
        "calls-out-of-band",
        "MSG_OOB sends one byte out of band: URG and the urgent pointer mark it on the wire, "
        "and it is read apart.",
        "tcp(7); RFC 9293, 3.8.5; RFC 6093, 2.2; sockatmark(3)",
        sends_out_of_band,
        statements=("S4",),
        steps=("stream-flags",),
    ),
    Claim(
        "calls-addresses",
        "Each datagram's source is told by recvfrom, its destination named by sendto.",
        "recv(2); send(2); udp(7)",
        tells_each_datagrams_source,
        statements=("S4",),
        steps=("datagram-flags",),
    ),
    Claim(
        "calls-truncation",
        "MSG_TRUNC tells that a datagram was longer than the buffer; read cuts it silently.",
        "recv(2), MSG_TRUNC; udp(7)",
        tells_what_was_cut,
        statements=("S4",),
        steps=("datagram-flags",),
    ),
    Claim(
        "calls-checksums",
        "Every checksum of a segment with flags of its own is right.",
        "RFC 1071; RFC 9293, 3.1",
        has_right_checksums,
        steps=("stream-flags",),
    ),
    Claim(
        "calls-accounting",
        "Whichever calls move them: the bytes sent are those on the wire, and those read.",
        "write(2); send(2); read(2); recv(2)",
        in_every_step(reads_each_byte_of_streams),
        steps=STREAMS,
    ),
    Claim(
        "calls-traced",
        "What the programs say they called is what the kernel was asked.",
        "syscalls(2)",
        traces_what_is_printed,
        steps=(*STREAMS, *DATAGRAMS, "stream-flags", "datagram-flags"),
    ),
)

SCENARIO = Scenario(
    name="calls",
    summary="read and write, send and recv and their kin: the same frames, and other powers",
    topology=two_hosts(),
    steps=STEPS,
    claims=CLAIMS,
)
