"""A UDP client that asks twice, and reads until the server says that that was all.

By hand:    python3 nat_dgram_client.py 127.0.0.1 4242 4000
with nat_dgram_server.py running there. An IPv6 address (::1) makes it use AF_INET6.
"""

import socket
import sys

READ_SIZE = 4096
PATIENCE_S = 5
QUESTIONS = (b"Can you read this?\n", b"And this?\n")
ANSWER = b"This you have asked for.\n"
LAST = b"That is all.\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port, own_port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    client = socket.socket(domain, socket.SOCK_DGRAM)
    number = client.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", number)
    client.bind(("", own_port))
    show(f"bind({number}, {('', own_port)})", 0)
    # Datagrams can get lost, and no error would say so.
    client.settimeout(PATIENCE_S)
    for question, answer in zip(QUESTIONS, (ANSWER, LAST), strict=True):
        sent = client.sendto(question, (address, port))
        show(f"sendto({number}, {question!r}, {(address, port)})", sent)
        # No connect(): whatever comes to this port is read here, whoever sent it.
        data = None
        while data != answer:
            data, peer = client.recvfrom(READ_SIZE)
            show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
    client.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT OWN_PORT")
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
