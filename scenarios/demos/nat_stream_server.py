"""A TCP server that tells each of two clients as whom it knows them, and prints its calls.

By hand:    python3 nat_stream_server.py 127.0.0.1 4242
and then, twice, with two ports: python3 nat_stream_client.py 127.0.0.1 4242 4000

An IPv6 address (::1) makes all use AF_INET6. Where the environment has READY_FD, a line is
written to that descriptor once the server listens.
"""

import os
import socket
import sys

CLIENTS = 2


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(domain, socket.SOCK_STREAM)
    number = listener.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    listener.bind((address, port))
    show(f"bind({number}, {(address, port)})", 0)
    listener.listen(CLIENTS)
    show(f"listen({number}, {CLIENTS})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"listening\n")

    # Both are connected at once: whoever is between has to tell them apart.
    connections = []
    for _ in range(CLIENTS):
        connection, peer = listener.accept()
        show(f"accept({number}, {peer[:2]})", connection.fileno())
        connections.append((connection, peer))
    for connection, peer in connections:
        number = connection.fileno()
        said = f"You are {peer[0]} port {peer[1]}.\n".encode()
        show(f"send({number}, {said!r})", connection.send(said))
        connection.close()
        show(f"close({number})", 0)
    number = listener.fileno()
    listener.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
