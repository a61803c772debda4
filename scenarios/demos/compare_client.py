"""The client of a comparison: sends messages and reads the answer, over TCP, UDP or unix.

By hand:    python3 compare_client.py tcp 127.0.0.1 4242       (or udp)
            python3 compare_client.py unix /tmp/compare.sock
with compare_server.py running with the same words.
"""

import socket
import sys

READ_SIZE = 4096
MESSAGES = (b"The same ", b"three messages ", b"each time.\n")


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def open_socket(kind, domain):
    client = socket.socket(domain, kind)
    show(f"socket({domain.name}, {kind.name})", client.fileno())
    return client


def talk_stream(domain, address):
    client = open_socket(socket.SOCK_STREAM, domain)
    number = client.fileno()
    client.connect(address)
    show(f"connect({number}, {address!r})", 0)
    for message in MESSAGES:
        show(f"send({number}, {message!r})", client.send(message))
    client.shutdown(socket.SHUT_WR)
    show(f"shutdown({number}, SHUT_WR)", 0)
    while data := client.recv(READ_SIZE):
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    show(f"recv({number}, {data!r}, {READ_SIZE})", 0)
    show(f"close({number})", 0)
    client.close()


def talk_datagrams(domain, address):
    client = open_socket(socket.SOCK_DGRAM, domain)
    number = client.fileno()
    for message in MESSAGES:
        show(f"sendto({number}, {message!r}, {address!r})", client.sendto(message, address))
    data, peer = client.recvfrom(READ_SIZE)
    show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
    show(f"close({number})", 0)
    client.close()


def main(kind, address, port="0"):
    if kind == "unix":
        talk_stream(socket.AF_UNIX, address)
        return
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    talk = talk_stream if kind == "tcp" else talk_datagrams
    talk(domain, (address, int(port)))


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(f"usage: {sys.argv[0]} tcp|udp ADDRESS PORT, or unix PATH")
    main(*sys.argv[1:])
