"""Reads what two writers write, into one FIFO and over a unix connection each.

By hand:    python3 buffers_mix_reader.py /tmp
and then, twice, in other terminals:   python3 buffers_mix_writer.py /tmp NAME

The FIFO and the socket are made in that folder. Where the environment has READY_FD, a line is
written to that descriptor once both are there.
"""

import os
import socket
import sys

READ_SIZE = 4096
WRITERS = 2


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(folder):
    fifo, path = (os.path.join(folder, name) for name in ("mix.fifo", "mix.socket"))
    os.mkfifo(fifo)
    show(f"mkfifo({fifo!r})", 0)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    show("socket(AF_UNIX, SOCK_STREAM)", listener.fileno())
    listener.bind(path)
    show(f"bind({listener.fileno()}, {path!r})", 0)
    listener.listen(WRITERS)
    show(f"listen({listener.fileno()}, {WRITERS})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"listening\n")

    reader = os.open(fifo, os.O_RDONLY)
    show(f"open({fifo!r}, O_RDONLY)", reader)
    connections = []
    for _ in range(WRITERS):
        connection, _ = listener.accept()
        show(f"accept({listener.fileno()})", connection.fileno())
        connections.append(connection)
    # Each writer connects after it has written to the FIFO: everything is there now.
    data = os.read(reader, READ_SIZE)
    show(f"read({reader}, {data!r}, {READ_SIZE})", len(data))
    for connection in connections:
        data = connection.recv(READ_SIZE)
        show(f"recv({connection.fileno()}, {data!r}, {READ_SIZE})", len(data))
        reply = b"I know that it was you: " + data
        show(f"send({connection.fileno()}, {reply!r})", connection.send(reply))
    os.unlink(fifo)
    os.unlink(path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    main(sys.argv[1])
