"""Four ways to a RST: unread bytes, SO_LINGER, nobody there, and a peer that has crashed."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import traces_what_is_printed
from lab.checks.connections.counters import (
    counts_a_close_with_unread_bytes,
    counts_a_close_without_lingering,
    counts_its_resets,
)
from lab.checks.connections.resets import (
    refuses_where_nobody_listens,
    resets_by_lingering_for_no_time,
    resets_what_is_unread,
    resets_what_it_knows_nothing_of,
)
from lab.checks.faults.conversations import strikes_what_its_rules_name

PORT, PORT_OF_NOBODY = 4242, 4343
LIFE = "/run/wirelab/life"

UNREAD = Step(
    "unread",
    (
        demo("reset_unread_server", on="server", args=["{server}", PORT], ready=True),
        demo("reset_client", on="client", args=["{server}", PORT]),
    ),
)
NOBODY = Step(
    "nobody",
    (demo("reset_client", on="client", args=["{server}", PORT_OF_NOBODY], name="refused"),),
)
CRASH = Step(
    "crash",
    (
        demo(
            "reset_survivor",
            on="server",
            args=["{server}", PORT, LIFE],
            name="asks-later",
            ready=True,
        ),
        demo("reset_abort_client", on="client", args=["{server}", PORT, LIFE], name="crashes"),
    ),
    # A machine without power says nothing: what its kernel says for the program is lost.
    wire=("client>server drop RST 1",),
)
LINGER = Step(
    "linger",
    (
        demo("reset_survivor", on="server", args=["{server}", PORT], name="survivor", ready=True),
        demo("reset_abort_client", on="client", args=["{server}", PORT], name="aborts"),
    ),
)

SCENARIO = Scenario(
    name="reset",
    summary="RST for unread bytes, for no lingering, from no listener, after a crash",
    topology=two_hosts(),
    steps=(UNREAD, NOBODY, CRASH, LINGER),
    claims=(
        resets_what_is_unread.on(UNREAD),
        refuses_where_nobody_listens.on(NOBODY),
        strikes_what_its_rules_name.on(CRASH),
        resets_what_it_knows_nothing_of.on(CRASH),
        resets_by_lingering_for_no_time.on(LINGER),
        counts_its_resets.in_each_of(UNREAD, NOBODY, CRASH, LINGER),
        counts_a_close_with_unread_bytes.on(UNREAD),
        counts_a_close_without_lingering.on(LINGER),
        traces_what_is_printed.in_each_of(UNREAD, NOBODY, CRASH, LINGER),
    ),
    lesson=Lesson(
        question="What does a RST say, and who sends it?",
        predict="which call of which program fails, and with what error, in each of the steps",
        look="the one segment with RST of each step, its numbers, and what came just before",
        answer=(
            "A RST says that there is no connection here, or no more. The kernel sends it where "
            "bytes are thrown away unread, where a program does not want to linger, where nobody "
            "listens, and to whoever still believes in a connection that is gone."
        ),
        claims=(
            resets_what_is_unread,
            resets_by_lingering_for_no_time,
            refuses_where_nobody_listens,
            resets_what_it_knows_nothing_of,
        ),
    ),
)
