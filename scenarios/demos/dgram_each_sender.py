"""A UDP client that sends a few datagrams and asks for nothing back.

By hand:    python3 dgram_each_sender.py 127.0.0.1 4242
with dgram_until_end.py running there. An IPv6 address (::1) makes it use AF_INET6.
"""

import socket
import sys

MESSAGES = (b"one", b"two", b"three", b"end")


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    client = socket.socket(domain, socket.SOCK_DGRAM)
    number = client.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", number)
    for message in MESSAGES:
        sent = client.sendto(message, (address, port))
        show(f"sendto({number}, {message!r}, {(address, port)})", sent)
    client.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
