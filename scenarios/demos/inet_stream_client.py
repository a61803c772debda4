"""A TCP client that sends a few messages and prints what each of its calls returned.

By hand:    python3 inet_stream_client.py 127.0.0.1 4242
with inet_stream_server.py running there. An IPv6 address (::1) makes it use AF_INET6.
"""

import select
import socket
import sys

READ_SIZE = 4096
MESSAGES = (b"Hello. ", b"These are three messages, ", b"or so I think.\n")


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(domain, socket.SOCK_STREAM)
    number = connection.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    connection.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)
    for message in MESSAGES:
        show(f"send({number}, {message!r})", connection.send(message))
    # "I have nothing more to say": the server's recv() returns b"" after the last byte.
    connection.shutdown(socket.SHUT_WR)
    show(f"shutdown({number}, SHUT_WR)", 0)

    # Wait until the server has closed as well, so that all it sent is here at once.
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    show(f"poll([({number}, POLLRDHUP)])", len(poll.poll()))
    while True:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
        if not data:
            break
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
