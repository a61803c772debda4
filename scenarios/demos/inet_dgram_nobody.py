"""Datagrams to a port where nobody listens: which socket gets an error?

By hand:    python3 inet_dgram_nobody.py 127.0.0.1 4343
with nothing running there. An IPv6 address (::1) makes it use AF_INET6.
"""

import errno
import os
import select
import socket
import sys

READ_SIZE = 4096
PATIENCE_MS = 2000


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def show_read(reader):
    """Read without waiting, and print what came or which error."""
    try:
        data = reader.recv(READ_SIZE, socket.MSG_DONTWAIT)
        result = len(data)
    except OSError as error:
        data, result = b"", f"-1 {errno.errorcode[error.errno]}"
    show(f"recv({reader.fileno()}, {data!r}, {READ_SIZE}, MSG_DONTWAIT)", result)


def main(address, port):
    # On one CPU the kernel handles the answers in the order of our datagrams, so that the
    # first one's is there when the second one's is.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    unconnected = socket.socket(domain, socket.SOCK_DGRAM)
    first = unconnected.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", first)
    sent = unconnected.sendto(b"Anybody there?", (address, port))
    show(f"sendto({first}, b'Anybody there?', {(address, port)})", sent)

    connected = socket.socket(domain, socket.SOCK_DGRAM)
    second = connected.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", second)
    # This sends nothing: the kernel only remembers the address.
    connected.connect((address, port))
    show(f"connect({second}, {(address, port)})", 0)
    show(f"send({second}, b'Nobody at all?')", connected.send(b"Nobody at all?"))
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    poll.poll(PATIENCE_MS)
    show_read(connected)

    # The connected socket has got its error: does the unconnected one get any?
    error = unconnected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    show(f"getsockopt({first}, SOL_SOCKET, SO_ERROR, [{error}])", 0)
    show_read(unconnected)
    for each in (connected, unconnected):
        number = each.fileno()
        each.close()
        show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
