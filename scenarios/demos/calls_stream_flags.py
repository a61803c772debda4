"""What send and recv can do on a TCP connection, and write and read cannot.

By hand:    python3 calls_stream_flags.py server 127.0.0.1 4242
and then:   python3 calls_stream_flags.py client 127.0.0.1 4242

An IPv6 address (::1) makes both use AF_INET6. Where the environment has READY_FD, the server
writes a line to that descriptor once it listens.
"""

import errno
import fcntl
import os
import select
import socket
import struct
import sys

READ_SIZE = 64
SIOCATMARK = 0x8905
FIRST_PART, SECOND_PART = b"Half ", b"a message. "
WHOLE = len(FIRST_PART + SECOND_PART)


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def send(connection, data):
    show(f"send({connection.fileno()}, {data!r})", connection.send(data))


def recv(connection, size=READ_SIZE, flag=None):
    number, option = connection.fileno(), f", {flag}" if flag else ""
    try:
        data = connection.recv(size, getattr(socket, flag) if flag else 0)
        show(f"recv({number}, {data!r}, {size}{option})", len(data))
    except BlockingIOError as error:
        show(f"recv({number}, b'', {size}{option})", f"-1 {errno.errorcode[error.errno]}")


def at_mark(connection):
    answer = fcntl.ioctl(connection, SIOCATMARK, bytes(4))
    show(f"ioctl({connection.fileno()}, SIOCATMARK, {struct.unpack('i', answer)[0]})", 0)


def server(connection):
    recv(connection, flag="MSG_PEEK")
    recv(connection)
    recv(connection, flag="MSG_DONTWAIT")  # nothing is there: the client waits for an answer
    send(connection, b"Seen. ")

    recv(connection, WHOLE)  # what is there, even if it is less
    send(connection, b"And? ")
    recv(connection, WHOLE)
    send(connection, b"Again. ")

    recv(connection, WHOLE, "MSG_PEEK")  # no more is there: the client waits for this answer
    send(connection, b"And? ")
    recv(connection, WHOLE, "MSG_WAITALL")
    send(connection, b"All. ")

    recv(connection)
    send(connection, b"One. ")

    poll = select.poll()
    poll.register(connection, select.POLLPRI)
    poll.poll()
    show(f"poll({connection.fileno()}, POLLPRI)", 1)
    at_mark(connection)
    recv(connection)  # reads up to the mark
    at_mark(connection)
    recv(connection, 1, "MSG_OOB")
    send(connection, b"Heard. ")

    recv(connection)


def client(connection):
    send(connection, b"Look at me. ")
    recv(connection)

    for _ in range(2):
        send(connection, FIRST_PART)
        recv(connection)
        send(connection, SECOND_PART)
        recv(connection)

    # Both before anything else is done: the kernel waits for more 0.2 s at most.
    first, second = b"Two sends, ", b"one segment. "
    results = connection.send(first, socket.MSG_MORE), connection.send(second)
    show(f"send({connection.fileno()}, {first!r}, MSG_MORE)", results[0])
    show(f"send({connection.fileno()}, {second!r})", results[1])
    recv(connection)

    send(connection, b"In band, ")
    # Of these only the last byte is out of band: TCP has no more room for it than a pointer.
    urgent = b"urgent!"
    result = connection.send(urgent, socket.MSG_OOB)
    show(f"send({connection.fileno()}, {urgent!r}, MSG_OOB)", result)
    recv(connection)

    connection.shutdown(socket.SHUT_WR)
    show(f"shutdown({connection.fileno()}, SHUT_WR)", 0)
    recv(connection)


def main(role, domain, address):
    end = socket.socket(domain, socket.SOCK_STREAM)
    if role == "client":
        end.connect(address)
        show(f"connect({end.fileno()}, {address})", 0)
        client(end)
        return
    end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    end.bind(address)
    end.listen(1)
    show(f"listen({end.fileno()}, 1)", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"listening\n")
    connection, peer = end.accept()
    show(f"accept({end.fileno()}, {peer[:2]})", connection.fileno())
    server(connection)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("server", "client"):
        sys.exit(f"usage: {sys.argv[0]} server|client ADDRESS PORT")
    _, role, host, port = sys.argv
    main(role, socket.AF_INET6 if ":" in host else socket.AF_INET, (host, int(port)))
