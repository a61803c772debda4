"""The types of unix sockets: what each keeps and loses, and what only they can pass."""

from lab.api import Claim, Program, Scenario, Step, two_hosts
from lab.checks.link import puts_no_frame_anywhere
from lab.checks.unix.types import (
    blocks_when_the_queue_is_full,
    ends_with_its_connection,
    internet_passes_neither,
    keeps_boundaries_and_order,
    keeps_bytes_and_no_boundaries,
    loses_the_rest_of_a_short_read,
    makes_raw_a_datagram_socket,
    names_its_peer,
    needs_a_connection,
    passes_a_descriptor,
)

FOLDER = "/run/wirelab"

TOPOLOGY = two_hosts()


def messages(step: str, kind: str) -> Step:
    """Three messages each over a path, an abstract name and a pair without a name."""
    names = {"path": (f"{FOLDER}/{step}",), "abstract": (f"@{step}",), "unnamed": ()}
    return Step(
        step,
        tuple(
            Program(
                f"{step}-{word}",
                host="server",
                argv=("{python}", "-IS", "{demos}/unix_messages.py", kind, *name),
            )
            for word, name in names.items()
        ),
    )


STREAM = messages("stream", "SOCK_STREAM")
DATAGRAM = messages("datagram", "SOCK_DGRAM")
SEQPACKET = messages("seqpacket", "SOCK_SEQPACKET")

QUEUE = Step(
    "queue",
    (
        Program(
            "queue-path",
            host="server",
            argv=("{python}", "-IS", "{demos}/unix_queue.py", f"{FOLDER}/queue"),
        ),
        Program(
            "queue-unnamed",
            host="server",
            argv=("{python}", "-IS", "{demos}/unix_queue.py"),
        ),
    ),
)

RAW = Step("raw", (Program("raw", "server", ("{python}", "-IS", "{demos}/unix_raw.py")),))

PASSING = Step(
    "passing",
    (
        Program(
            "receiver",
            host="server",
            argv=("{python}", "-IS", "{demos}/unix_pass_receiver.py", f"{FOLDER}/pass"),
            signals_ready=True,
        ),
        Program(
            "sender",
            host="client",
            argv=("{python}", "-IS", "{demos}/unix_pass_sender.py", f"{FOLDER}/pass"),
        ),
    ),
)

INTERNET = Step(
    "internet",
    (
        Program(
            "internet",
            host="server",
            argv=("{python}", "-IS", "{demos}/inet_pass.py", "{loopback}"),
        ),
    ),
)

TYPES = ("stream", "datagram", "seqpacket")

CLAIMS = (
    Claim(
        "unix-types-silent",
        "Unix sockets of no type put a frame on any device, lo included.",
        "unix(7); socket(2), AF_UNIX",
        puts_no_frame_anywhere,
        statements=("D1", "U1", "U3"),
        steps=(*TYPES, "queue", "passing"),
    ),
    Claim(
        "unix-types-stream",
        "SOCK_STREAM keeps every byte and no message boundary.",
        "socket(2), SOCK_STREAM; unix(7)",
        keeps_bytes_and_no_boundaries,
        statements=("T1", "U3"),
        steps=("stream",),
    ),
    Claim(
        "unix-types-messages",
        "SOCK_SEQPACKET and SOCK_DGRAM keep boundaries and order: a read for each message.",
        "unix(7), SOCK_DGRAM and SOCK_SEQPACKET",
        keeps_boundaries_and_order,
        statements=("T3", "U3"),
        steps=("datagram", "seqpacket"),
    ),
    Claim(
        "unix-types-short-read",
        "Of a message longer than the reader's buffer the rest is lost, and MSG_TRUNC tells.",
        "recv(2), MSG_TRUNC; socket(2), SOCK_SEQPACKET",
        loses_the_rest_of_a_short_read,
        statements=("T3", "U3"),
        steps=("datagram", "seqpacket"),
    ),
    Claim(
        "unix-types-connection",
        "SOCK_STREAM and SOCK_SEQPACKET need connect and accept; SOCK_DGRAM needs an address.",
        "socket(2); send(2), ENOTCONN; listen(2), EOPNOTSUPP",
        needs_a_connection,
        statements=("T1", "T3"),
        steps=TYPES,
    ),
    Claim(
        "unix-types-end",
        "SOCK_STREAM and SOCK_SEQPACKET come to an end with their peer; SOCK_DGRAM has none.",
        "recv(2), Return value",
        ends_with_its_connection,
        statements=("T3", "U3"),
        steps=TYPES,
    ),
    Claim(
        "unix-types-queue",
        "Datagrams between unix sockets are reliable: a full queue blocks, and none is lost.",
        "unix(7), SOCK_DGRAM; send(2), EAGAIN",
        blocks_when_the_queue_is_full,
        statements=("U3",),
        steps=("queue",),
    ),
    Claim(
        "unix-types-raw",
        "SOCK_RAW is accepted for AF_UNIX and made SOCK_DGRAM.",
        "socket(7), SO_TYPE; Linux, net/unix/af_unix.c, unix_create()",
        makes_raw_a_datagram_socket,
        statements=("T5",),
        steps=("raw",),
    ),
    Claim(
        "unix-types-descriptor",
        "An open descriptor can be passed: the receiver reads what only the sender had.",
        "unix(7), SCM_RIGHTS",
        passes_a_descriptor,
        steps=("passing",),
    ),
    Claim(
        "unix-types-credentials",
        "Each end learns the other's process, user and group from the kernel.",
        "unix(7), SO_PEERCRED",
        names_its_peer,
        steps=("passing",),
    ),
    Claim(
        "unix-types-internet",
        "An internet socket passes no descriptor, and knows of no peer's process.",
        "unix(7), SCM_RIGHTS and SO_PEERCRED",
        internet_passes_neither,
        steps=("internet",),
    ),
)

SCENARIO = Scenario(
    name="unix-types",
    summary="unix sockets of every type and name, and what only they can pass",
    topology=TOPOLOGY,
    steps=(STREAM, DATAGRAM, SEQPACKET, QUEUE, RAW, PASSING, INTERNET),
    claims=CLAIMS,
    speaks_ip=False,
    captures_loopback=True,
)
