"""A unix stream client that sends a few messages and prints what each of its calls returned.

By hand:    python3 unix_stream_client.py /tmp/talk
with unix_stream_server.py running there.
"""

import os
import select
import socket
import sys

READ_SIZE = 4096
MESSAGES = (b"Hello. ", b"These are three messages, ", b"or so I think.\n")


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(path):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    number = connection.fileno()
    show("socket(AF_UNIX, SOCK_STREAM)", number)
    show(f"fstat({number}, {{'st_ino': {os.fstat(number).st_ino}}})", 0)
    connection.connect(path)
    show(f"connect({number}, {path!r})", 0)
    for message in MESSAGES:
        show(f"send({number}, {message!r})", connection.send(message))
    # "I have nothing more to say": the server's recv() returns b"" after the last byte.
    connection.shutdown(socket.SHUT_WR)
    show(f"shutdown({number}, SHUT_WR)", 0)

    # Wait until the server has closed as well, so that all it sent is here at once.
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    poll.poll()
    while True:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
        if not data:
            break
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} PATH")
    main(sys.argv[1])
