"""A request and its reply between two processes: over a socketpair, two pipes and two FIFOs.

By hand:    python3 buffers_exchange.py /tmp

FIFOs are made in that folder. A socket's descriptor goes both ways; a pipe's or FIFO's goes one
way, so that it takes two of them, and the wrong way fails with EBADF.
"""

import errno
import os
import socket
import sys

READ_SIZE = 4096
REQUEST, REPLY = b"What is a socket?", b"An endpoint of a two-way channel."

lines = []


def show(call, result):
    """Keep a call and what it returned, as strace would print it."""
    lines.append(f"{call} = {result}")


def print_calls():
    """Print the calls kept so far. The two processes take turns, so that they can be read."""
    print("\n".join(lines), flush=True)
    lines.clear()


def write(descriptor, data):
    show(f"write({descriptor}, {data!r})", os.write(descriptor, data))


def read(descriptor):
    data = os.read(descriptor, READ_SIZE)
    show(f"read({descriptor}, {data!r}, {READ_SIZE})", len(data))


def ask(reader, writer):
    """The parent's part."""
    write(writer, REQUEST)
    read(reader)
    print_calls()
    for descriptor in {reader, writer}:
        os.close(descriptor)  # the child reads the end of the file now
    _, status = os.wait()
    if status:
        sys.exit("the child failed")


def answer(reader, writer):
    """The child's part."""
    read(reader)
    write(writer, REPLY)
    read(reader)
    print_calls()
    os._exit(0)


def over_socketpair():
    near, far = (end.detach() for end in socket.socketpair())
    show(f"socketpair(AF_UNIX, SOCK_STREAM, [{near}, {far}])", 0)
    print_calls()
    if os.fork() == 0:
        os.close(near)
        answer(far, far)
    os.close(far)
    ask(near, near)


def over_pipes():
    there_reader, there_writer = os.pipe()
    show(f"pipe([{there_reader}, {there_writer}])", 0)
    back_reader, back_writer = os.pipe()
    show(f"pipe([{back_reader}, {back_writer}])", 0)
    try_the_wrong_way(there_reader, there_writer)
    print_calls()
    if os.fork() == 0:
        os.close(there_writer)
        os.close(back_reader)
        answer(there_reader, back_writer)
    os.close(there_reader)
    os.close(back_writer)
    ask(back_reader, there_writer)


def try_the_wrong_way(reader, writer):
    try:
        write(reader, REQUEST)
    except OSError as error:
        show(f"write({reader}, {REQUEST!r})", f"-1 {errno.errorcode[error.errno]}")
    try:
        read(writer)
    except OSError as error:
        show(f"read({writer}, b'', {READ_SIZE})", f"-1 {errno.errorcode[error.errno]}")


def open_fifo(path, flag):
    descriptor = os.open(path, getattr(os, flag))  # waits until the other process opens it too
    show(f"open({path!r}, {flag})", descriptor)
    return descriptor


def over_fifos(folder):
    there, back = (os.path.join(folder, name) for name in ("exchange-there", "exchange-back"))
    for path in (there, back):
        os.mkfifo(path)
        show(f"mkfifo({path!r})", 0)
    print_calls()
    # Both open the same one first, or each would wait for the other for ever.
    if os.fork() == 0:
        answer(open_fifo(there, "O_RDONLY"), open_fifo(back, "O_WRONLY"))
    writer = open_fifo(there, "O_WRONLY")
    ask(open_fifo(back, "O_RDONLY"), writer)
    os.unlink(there)
    os.unlink(back)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    over_socketpair()
    over_pipes()
    over_fifos(sys.argv[1])
