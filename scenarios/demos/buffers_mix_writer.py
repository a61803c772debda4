"""Writes its name into a FIFO that others write into as well, and over a connection of its own.

By hand:    python3 buffers_mix_writer.py /tmp NAME
while buffers_mix_reader.py runs there.
"""

import os
import socket
import sys

READ_SIZE = 4096


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(folder, name):
    message = f"I am {name}. ".encode()
    fifo, path = (os.path.join(folder, word) for word in ("mix.fifo", "mix.socket"))
    writer = os.open(fifo, os.O_WRONLY)
    show(f"open({fifo!r}, O_WRONLY)", writer)
    show(f"write({writer}, {message!r})", os.write(writer, message))
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    number = connection.fileno()
    show("socket(AF_UNIX, SOCK_STREAM)", number)
    connection.connect(path)
    show(f"connect({number}, {path!r})", 0)
    show(f"send({number}, {message!r})", connection.send(message))
    # The FIFO stays open until the reader has read it: then its reply comes.
    reply = connection.recv(READ_SIZE)
    show(f"recv({number}, {reply!r}, {READ_SIZE})", len(reply))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} FOLDER NAME")
    main(sys.argv[1], sys.argv[2])
