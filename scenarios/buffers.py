"""How much a unix socket holds, each way, beside pipes and FIFOs."""

from lab.api import Claim, Program, Scenario, Step, two_hosts
from lab.checks.buffers import (
    carries_both_ways_on_one_descriptor,
    exchanges_alike_over_fifos,
    exchanges_alike_over_pipes,
    fills_each_way_of_a_socketpair,
    fills_each_way_of_fifos,
    fills_each_way_of_pipes,
    goes_one_way_through_a_pipe,
    holds_what_its_memory_allows,
    holds_whole_pages,
    mixes_the_writers_of_a_fifo,
    opens_once_the_peer_comes,
)
from lab.checks.link import puts_no_frame_anywhere

FOLDER = "/run/wirelab"


def _program(name: str, demo: str, *arguments: str, ready: bool = False) -> Program:
    argv = ("{python}", "-IS", f"{{demos}}/{demo}.py", FOLDER, *arguments)
    return Program(name, host="client", argv=argv, signals_ready=ready)


STEPS = (
    Step("exchange", (_program("exchange", "buffers_exchange"),)),
    Step("fill", (_program("fill", "buffers_fill"),)),
    Step("open", (_program("open", "buffers_fifo_open"),)),
    Step(
        "mix",
        (
            _program("reader", "buffers_mix_reader", ready=True),
            _program("writer-1", "buffers_mix_writer", "one"),
            _program("writer-2", "buffers_mix_writer", "two"),
        ),
    ),
)

CLAIMS = (
    Claim(
        "buffers-two-way",
        "A socket's descriptor goes both ways: each end is written to and read from.",
        "socketpair(2); unix(7)",
        carries_both_ways_on_one_descriptor,
        statements=("S1",),
        steps=("exchange",),
    ),
    Claim(
        "buffers-pipe-one-way",
        "A pipe's descriptor goes one way: the other way fails with EBADF.",
        "pipe(7); write(2), EBADF; read(2), EBADF",
        goes_one_way_through_a_pipe,
        statements=("S1",),
        steps=("exchange",),
    ),
    Claim(
        "buffers-apart",
        "A unix socket has two buffers, one a direction: filling one until EAGAIN leaves the "
        "other free.",
        "socket(7), SO_SNDBUF; send(2), EAGAIN",
        fills_each_way_of_a_socketpair,
        statements=("U4",),
        steps=("fill",),
    ),
    Claim(
        "buffers-socket-size",
        "A direction is full once the memory that the writes take up reaches SO_SNDBUF: each "
        "write has an overhead, so that fewer bytes fit in by small writes.",
        "socket(7), SO_SNDBUF; unix(7), SIOCOUTQ as measured",
        holds_what_its_memory_allows,
        statements=("U4", "U5"),
        steps=("fill",),
    ),
    Claim(
        "buffers-pipe-exchange",
        "The same exchange goes over an unnamed socket pair and over two pipes.",
        "socketpair(2); pipe(7)",
        exchanges_alike_over_pipes,
        statements=("U5",),
        steps=("exchange",),
    ),
    Claim(
        "buffers-pipe-fill",
        "Two pipes fill as the two directions of a socket do: each by itself.",
        "pipe(7), Pipe capacity",
        fills_each_way_of_pipes,
        statements=("U5",),
        steps=("fill",),
    ),
    Claim(
        "buffers-pipe-size",
        "A pipe or FIFO holds whole pages (16 by default), to the last byte, by small writes "
        "as by large ones.",
        "pipe(7), Pipe capacity; fcntl(2), F_GETPIPE_SZ",
        holds_whole_pages,
        statements=("U5", "U6"),
        steps=("fill",),
    ),
    Claim(
        "buffers-fifo-exchange",
        "The same exchange goes over two FIFOs.",
        "fifo(7)",
        exchanges_alike_over_fifos,
        statements=("U6",),
        steps=("exchange",),
    ),
    Claim(
        "buffers-fifo-fill",
        "Two FIFOs fill as the two directions of a socket do: each by itself.",
        "fifo(7); pipe(7), Pipe capacity",
        fills_each_way_of_fifos,
        statements=("U6",),
        steps=("fill",),
    ),
    Claim(
        "buffers-fifo-open",
        "A FIFO's open waits until its peer comes; for writing, without waiting, it fails "
        "with ENXIO.",
        "fifo(7); open(2), ENXIO",
        opens_once_the_peer_comes,
        statements=("U6",),
        steps=("open",),
    ),
    Claim(
        "buffers-fifo-mixes",
        "One FIFO mixes all writers, while each unix connection is its own.",
        "fifo(7); unix(7); accept(2)",
        mixes_the_writers_of_a_fifo,
        statements=("U6",),
        steps=("mix",),
    ),
    Claim(
        "buffers-silent",
        "Not one frame is sent, on any device of any host, lo included.",
        "unix(7); pipe(7); fifo(7)",
        puts_no_frame_anywhere,
        statements=("U1",),
        steps=("exchange", "fill", "open", "mix"),
    ),
)

SCENARIO = Scenario(
    name="buffers",
    summary="two buffers, one a direction: a unix socket beside two pipes and two FIFOs",
    topology=two_hosts(),
    steps=STEPS,
    claims=CLAIMS,
    speaks_ip=False,
    captures_loopback=True,
)
