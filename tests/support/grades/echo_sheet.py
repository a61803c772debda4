"""A sheet for a TCP server that sends back what it gets, as small as may be."""

import socket

from lab.api import Check, Misconception, Seen, Sheet, Submission, SubmissionBench, trial


def talk(server: str, port: int) -> bytes | str:
    """What came back, or how it went wrong."""
    try:
        with socket.create_connection((server, port), timeout=5) as connection:
            connection.sendall(b"hello\n")
            connection.shutdown(socket.SHUT_WR)
            got = b""
            while data := connection.recv(65536):
                got += data
            return got
    except OSError as error:
        return type(error).__name__


@trial
def one_client(bench: SubmissionBench) -> object:
    """One client says hello and closes its half; the first SYN-ACK is lost."""
    bench.submission()
    bench.wire.drop("SYN-ACK", nth=1)
    said = bench.python(talk, "{server}", bench.port)
    bench.run()
    return said.value


@trial(family=6)
def over_ipv6(bench: SubmissionBench) -> object:
    """The same over IPv6, and nothing is lost."""
    bench.submission()
    said = bench.python(talk, "{server}", bench.port)
    bench.run()
    return said.value


def comes_back(seen: Seen) -> None:
    """What a client sends comes back."""
    assert seen.value == b"hello\n", f"the client got {seen.value!r}"


def is_refused(seen: Seen) -> str:
    """Nobody listens at the address that the client speaks to."""
    was_refused = seen.value == "ConnectionRefusedError" and not seen.refused
    return "the client was refused" if was_refused else ""


SHEET = Sheet(
    title="Echo",
    handed_in="A server.",
    submission=Submission("echo_server"),
    checks=(
        Check("echo", 2, comes_back, of=one_client, hint="Send back what recv(2) returned."),
        Check("opens", 1, "handshake", of=one_client),
        Check("ipv6", 1, comes_back, of=over_ipv6, hint="Bind to :: as well."),
    ),
    misconceptions=(
        Misconception("binds-loopback", "Bind to ::.", is_refused, one_client, ("echo",)),
    ),
)
