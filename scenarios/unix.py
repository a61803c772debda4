"""A unix stream between two hosts: a conversation, and not one frame. Its names; TCP on lo."""

from lab.api import Lesson, Scenario, Step, demo, two_hosts
from lab.checks.agreement import makes_the_same_calls, traces_what_is_printed
from lab.checks.link import puts_no_frame_anywhere
from lab.checks.unix.streams import (
    appears_on_loopback_alone,
    carries_every_byte,
    frees_an_abstract_name_by_close,
    has_no_name_from_socketpair,
    has_two_ends,
    is_guarded_by_mode_bits,
    keeps_its_path_until_it_is_removed,
    reaches_a_path_from_another_host,
)

PATH = "/run/wirelab/conversation"
NAME = "wirelab"
FOLDER = "/run/wirelab/names"
LOCAL = ("{loopback}", 4242)

CONVERSATION = Step(
    "conversation",
    (
        demo("unix_stream_server", on="server", args=[PATH], ready=True, checkpoints=True),
        demo("unix_stream_client", on="client", args=[PATH]),
    ),
)
ABSTRACT = Step(
    "abstract",
    (
        demo("unix_abstract_server", on="server", args=[NAME], name="abstract-server", ready=True),
        # It tries before the near one may begin, while the server still listens.
        demo("unix_abstract_client", on="client", args=[NAME], name="far-client", ready=True),
        demo("unix_abstract_client", on="server", args=[NAME], name="near-client"),
    ),
)
NAMES = Step(
    "names",
    (
        demo(
            "unix_path",
            on="server",
            args=[FOLDER],
            name="path",
            capabilities=("CAP_CHOWN", "CAP_SETUID"),
        ),
        demo("unix_names", on="server", args=[NAME], name="no-path"),
    ),
)
LOOPBACK = Step(
    "loopback",
    (
        demo("inet_stream_server", on="server", args=LOCAL, name="loopback-server", ready=True),
        demo("inet_stream_client", on="server", args=LOCAL, name="loopback-client"),
    ),
)

SCENARIO = Scenario(
    name="unix",
    summary="a unix stream between two hosts, its names, and the silence around it",
    topology=two_hosts(),
    steps=(CONVERSATION, ABSTRACT, NAMES, LOOPBACK),
    claims=(
        puts_no_frame_anywhere.on(CONVERSATION, ABSTRACT, NAMES),
        carries_every_byte,
        has_two_ends,
        reaches_a_path_from_another_host.on(CONVERSATION, ABSTRACT),
        is_guarded_by_mode_bits.on(NAMES),
        keeps_its_path_until_it_is_removed.on(NAMES),
        frees_an_abstract_name_by_close.on(NAMES),
        has_no_name_from_socketpair.on(NAMES),
        appears_on_loopback_alone.on(LOOPBACK),
        makes_the_same_calls.on(CONVERSATION, LOOPBACK),
        traces_what_is_printed.on(CONVERSATION, ABSTRACT, NAMES, LOOPBACK),
    ),
    captures_loopback=True,
    lesson=Lesson(
        question="Which frames does a conversation over a unix socket take?",
        predict=(
            "whether a program on the other host can reach the socket by its path, by its "
            "abstract name"
        ),
        look="the wire between the hosts, and lo, beside the same conversation over TCP",
        answer=(
            "None, on no device, though the hosts differ: a path reaches as far as the file "
            "system does, an abstract name as far as the network namespace."
        ),
        claims=(puts_no_frame_anywhere, carries_every_byte, reaches_a_path_from_another_host),
    ),
)
