"""A sheet for captures: record a TCP conversation of your own, from its first segment to its last.

wirelab grade sheets/tcp_conversation.py --pcap uploads/*.pcap
"""

from lab.api import Capture, Check, Sheet
from lab.expect import at_least


def both_speak(capture: Capture) -> None:
    """In each TCP connection both sides send something, and it arrives."""
    capture.tcp().bytes(client=at_least(1), server=at_least(1))


SHEET = Sheet(
    title="A TCP conversation of your own",
    handed_in="A capture, pcap or pcapng, of one or more TCP connections, each of them whole.",
    checks=(
        Check(
            "opens",
            2,
            "handshake",
            hint="Begin to capture before the client connects. And is anybody listening there?",
        ),
        Check(
            "talks",
            2,
            both_speak,
            hint="Let the client send something, and the server answer.",
        ),
        Check(
            "closes",
            2,
            "closes-with-fin",
            hint="Close both ends, and capture until the last FIN is acknowledged.",
        ),
        Check(
            "no-reset",
            1,
            "no-reset",
            hint="A socket that is closed with bytes unread sends a RST, and so does a host that "
            "nobody listens on.",
        ),
    ),
)
