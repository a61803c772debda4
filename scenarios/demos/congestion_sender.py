"""A TCP client that sends much at once, by a congestion control of its choice, and closes.

By hand:    python3 congestion_sender.py 127.0.0.1 4242 reno|cubic|... KILOBYTES
with bulk_reader.py running there. An IPv6 address (::1) makes it use AF_INET6. Where the kernel
does not have it, or not for everybody, the default one is used.
"""

import errno
import socket
import sys

PIECE = 16384
READ_SIZE = 4096


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port, control, kilobytes):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(domain, socket.SOCK_STREAM)
    number = connection.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    call = f"setsockopt({number}, IPPROTO_TCP, TCP_CONGESTION, {control.encode()!r})"
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, control.encode())
        show(call, 0)
    except OSError as error:
        show(call, f"-1 {errno.errorcode[error.errno]}")
    connection.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)
    left = memoryview(b"x" * (kilobytes * 1024))
    while left:
        data = bytes(left[:PIECE])
        sent = connection.send(data)
        show(f"send({number}, {data!r})", sent)
        left = left[sent:]
    connection.shutdown(socket.SHUT_WR)
    show(f"shutdown({number}, SHUT_WR)", 0)
    while True:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
        if not data:
            break
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT CONTROL KILOBYTES")
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
