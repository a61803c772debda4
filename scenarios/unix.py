"""A unix stream between two hosts: a conversation, and not one frame. Its names; TCP on lo."""

from lab.api import Claim, Program, Scenario, Step, two_hosts
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
PORT = "4242"

TOPOLOGY = two_hosts()

CONVERSATION = Step(
    "conversation",
    (
        Program(
            "server",
            host="server",
            argv=("{python}", "-IS", "{demos}/unix_stream_server.py", PATH),
            signals_ready=True,
            has_checkpoints=True,
        ),
        Program(
            "client",
            host="client",
            argv=("{python}", "-IS", "{demos}/unix_stream_client.py", PATH),
        ),
    ),
)

ABSTRACT = Step(
    "abstract",
    (
        Program(
            "abstract-server",
            host="server",
            argv=("{python}", "-IS", "{demos}/unix_abstract_server.py", NAME),
            signals_ready=True,
        ),
        # It tries before the near one may begin, while the server still listens.
        Program(
            "far-client",
            host="client",
            argv=("{python}", "-IS", "{demos}/unix_abstract_client.py", NAME),
            signals_ready=True,
        ),
        Program(
            "near-client",
            host="server",
            argv=("{python}", "-IS", "{demos}/unix_abstract_client.py", NAME),
        ),
    ),
)

NAMES = Step(
    "names",
    (
        Program(
            "path",
            host="server",
            argv=("{python}", "-IS", "{demos}/unix_path.py", FOLDER),
        ),
        Program(
            "no-path",
            host="server",
            argv=("{python}", "-IS", "{demos}/unix_names.py", NAME),
        ),
    ),
)

LOOPBACK = Step(
    "loopback",
    (
        Program(
            "loopback-server",
            host="server",
            argv=("{python}", "-IS", "{demos}/inet_stream_server.py", "{loopback}", PORT),
            signals_ready=True,
        ),
        Program(
            "loopback-client",
            host="server",
            argv=("{python}", "-IS", "{demos}/inet_stream_client.py", "{loopback}", PORT),
        ),
    ),
)

CLAIMS = (
    Claim(
        "unix-silent",
        "Unix sockets put no frame on any device of any host, lo included.",
        "unix(7); socket(2), AF_UNIX",
        puts_no_frame_anywhere,
        statements=("S2", "D1", "U1"),
        steps=("conversation", "abstract", "names"),
    ),
    Claim(
        "unix-bytes",
        "Every byte sent is read, both ways, by programs on two hosts.",
        "unix(7)",
        carries_every_byte,
        statements=("S1", "U1"),
    ),
    Claim(
        "unix-two-ends",
        "The connection is two sockets, each the other's peer; what is sent waits in the other's.",
        "sock_diag(7), UNIX_DIAG_PEER and UNIX_DIAG_RQLEN",
        has_two_ends,
        statements=("U1",),
    ),
    Claim(
        "unix-reach",
        "A path is reached from another network namespace, an abstract name is not.",
        "unix(7), Address format; network_namespaces(7)",
        reaches_a_path_from_another_host,
        statements=("U1",),
        steps=("conversation", "abstract"),
    ),
    Claim(
        "unix-mode",
        "A bound path is a socket inode with mode bits: connect needs write permission.",
        "unix(7), Pathname socket ownership and permissions",
        is_guarded_by_mode_bits,
        statements=("U2",),
        steps=("names",),
    ),
    Claim(
        "unix-path-stays",
        "A path is in use as long as it exists; close does not remove it, unlink does.",
        "unix(7), Pathname sockets; bind(2), EADDRINUSE",
        keeps_its_path_until_it_is_removed,
        statements=("U2",),
        steps=("names",),
    ),
    Claim(
        "unix-abstract-goes",
        "An abstract name is gone with its socket.",
        "unix(7), Abstract sockets",
        frees_an_abstract_name_by_close,
        statements=("U2",),
        steps=("names",),
    ),
    Claim(
        "unix-unnamed",
        "The two ends of a socketpair have no name.",
        "unix(7), Address format; socketpair(2)",
        has_no_name_from_socketpair,
        statements=("U2",),
        steps=("names",),
    ),
    Claim(
        "unix-loopback",
        "The same conversation over TCP inside one host does appear: on its lo, nowhere else.",
        "RFC 1122, 3.2.1.3 (g); RFC 4291, 2.5.3",
        appears_on_loopback_alone,
        statements=("S2",),
        steps=("loopback",),
    ),
    Claim(
        "unix-same-calls",
        "The programs make the same calls with the same results as over TCP, and no frame appears.",
        "unix(7); socket(2)",
        makes_the_same_calls,
        statements=("S2", "U1"),
        steps=("conversation", "loopback"),
    ),
    Claim(
        "unix-traced",
        "What the programs say they called is what the kernel was asked.",
        "syscalls(2)",
        traces_what_is_printed,
        steps=("conversation", "abstract", "names", "loopback"),
    ),
)

SCENARIO = Scenario(
    name="unix",
    summary="a unix stream between two hosts, its names, and the silence around it",
    topology=TOPOLOGY,
    steps=(CONVERSATION, ABSTRACT, NAMES, LOOPBACK),
    claims=CLAIMS,
    captures_loopback=True,
)
