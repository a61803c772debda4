"""A server that does not read: its window closes, and has to be opened again."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.connections.counters import counts_its_probes
from lab.checks.connections.zero_window import (
    finds_the_window_by_a_probe,
    goes_on_with_the_update,
    probes_at_doubling_times,
    sends_only_probes_into_a_closed_window,
)
from lab.checks.faults.conversations import strikes_what_its_rules_name
from lab.checks.tcp import delivers_every_byte

# The server closes first: its port is taken for a minute.
PORT, OTHER_PORT = 4242, 4343

UPDATE = Step(
    "update",
    (
        demo("zero_window_reader", on="server", args=["{server}", PORT], ready=True),
        demo("zero_window_sender", on="client", args=["{server}", PORT]),
    ),
)
LOST = Step(
    "update-lost",
    (
        demo(
            "zero_window_reader",
            on="server",
            args=["{server}", OTHER_PORT],
            name="reads-unheard",
            ready=True,
        ),
        demo("zero_window_sender", on="client", args=["{server}", OTHER_PORT], name="asks-again"),
    ),
    wire=("server>client drop window-update 1",),
)

SCENARIO = Scenario(
    name="zero-window",
    summary="a full receiver is probed until it has room; its word of that may be lost",
    # Linux answers at most so many probes: one in half a second, by itself.
    topology=two_hosts(sysctls={"net.ipv4.tcp_invalid_ratelimit": 0}),
    steps=(UPDATE, LOST),
    claims=(
        sends_only_probes_into_a_closed_window.in_each_of(UPDATE, LOST),
        probes_at_doubling_times.in_each_of(UPDATE, LOST),
        goes_on_with_the_update.on(UPDATE),
        strikes_what_its_rules_name.on(LOST),
        finds_the_window_by_a_probe.on(LOST),
        delivers_every_byte.in_each_of(UPDATE, LOST),
        counts_its_probes.in_each_of(UPDATE, LOST),
        traces_what_is_printed.in_each_of(UPDATE, LOST),
    ),
    lesson=Lesson(
        question="The receiver has no room. How does the sender learn that it has some again?",
        predict="what the sender sends meanwhile, and when; then what if the update is lost",
        look="the segments without data into a window of 0, the times between them, the answers",
        answer=(
            "The receiver says so by a window update. Since that ACK may be lost and is never "
            "sent again, the sender does not rely on it: its persist timer probes the window, "
            "each time after twice the wait."
        ),
        claims=(
            probes_at_doubling_times,
            goes_on_with_the_update,
            finds_the_window_by_a_probe,
        ),
    ),
)
