"""How much a unix socket holds, each way, beside pipes and FIFOs."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
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
    sizes_of_buffers,
)
from lab.checks.link import puts_no_frame_anywhere

FOLDER = "/run/wirelab"

EXCHANGE = Step(
    "exchange",
    (demo("buffers_exchange", on="client", args=[FOLDER], name="exchange"),),
)
FILL = Step(
    "fill",
    (demo("buffers_fill", on="client", args=[FOLDER], name="fill"),),
)
OPEN = Step(
    "open",
    (demo("buffers_fifo_open", on="client", args=[FOLDER], name="open"),),
)
MIX = Step(
    "mix",
    (
        demo("buffers_mix_reader", on="client", args=[FOLDER], name="reader", ready=True),
        demo("buffers_mix_writer", on="client", args=[FOLDER, "one"], name="writer-1"),
        demo("buffers_mix_writer", on="client", args=[FOLDER, "two"], name="writer-2"),
    ),
)

SCENARIO = Scenario(
    name="buffers",
    summary="two buffers, one a direction: a unix socket beside two pipes and two FIFOs",
    topology=two_hosts(),
    steps=(EXCHANGE, FILL, OPEN, MIX),
    claims=(
        carries_both_ways_on_one_descriptor.on(EXCHANGE),
        goes_one_way_through_a_pipe.on(EXCHANGE),
        fills_each_way_of_a_socketpair.on(FILL),
        holds_what_its_memory_allows.on(FILL),
        exchanges_alike_over_pipes.on(EXCHANGE),
        fills_each_way_of_pipes.on(FILL),
        holds_whole_pages.on(FILL),
        exchanges_alike_over_fifos.on(EXCHANGE),
        fills_each_way_of_fifos.on(FILL),
        opens_once_the_peer_comes.on(OPEN),
        mixes_the_writers_of_a_fifo.on(MIX),
        puts_no_frame_anywhere.on(EXCHANGE, FILL, OPEN, MIX)
        .saying(
            "Not one frame is sent, on any device of any host, lo included.",
            source="unix(7); pipe(7); fifo(7)",
        )
        .deciding("U1"),
    ),
    speaks_ip=False,
    captures_loopback=True,
    lesson=Lesson(
        question="How much does a unix socket hold, and do its two directions share that?",
        predict="whether a full direction keeps the other from being written to",
        look="the table: what was held each way before EAGAIN",
        answer=(
            "Two buffers, one a direction: a full one leaves the other free. A socket counts "
            "the memory of each write, a pipe or FIFO whole pages."
        ),
        claims=(fills_each_way_of_a_socketpair, holds_what_its_memory_allows, holds_whole_pages),
    ),
    table=sizes_of_buffers,
)
