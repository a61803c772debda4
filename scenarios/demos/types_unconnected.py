"""A stream socket tried before it is connected, and then again.

By hand:    python3 types_unconnected.py 127.0.0.1 4242
with inet_stream_server.py running there. An IPv6 address (::1) makes it use AF_INET6.
"""

import errno
import select
import socket
import sys

READ_SIZE = 4096
TOO_EARLY = b"Too early. "
IN_TIME = b"In time.\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def refused(call, function, *arguments):
    """Make a call that must fail, and print how."""
    try:
        function(*arguments)
    except OSError as error:
        show(call, f"-1 {errno.errorcode[error.errno]}")
    else:
        sys.exit(f"{call} did not fail")


def main(address, port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    stream = socket.socket(domain, socket.SOCK_STREAM)
    number = stream.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    refused(f"getpeername({number})", stream.getpeername)
    refused(f"recv({number}, b'', {READ_SIZE})", stream.recv, READ_SIZE)
    # POSIX says ENOTCONN; Linux says EPIPE, as for a stream that is shut down (tcp(7) is silent).
    refused(f"send({number}, {TOO_EARLY!r})", stream.send, TOO_EARLY)
    # accept() takes a connection from a queue, which only listen() makes.
    refused(f"accept({number})", stream.accept)

    stream.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)
    show(f"getpeername({number}, {stream.getpeername()[:2]})", 0)
    show(f"send({number}, {IN_TIME!r})", stream.send(IN_TIME))
    stream.shutdown(socket.SHUT_WR)
    show(f"shutdown({number}, SHUT_WR)", 0)
    # Wait until the server has closed as well, so that all it sent is here at once.
    poll = select.poll()
    poll.register(stream, select.POLLRDHUP)
    poll.poll()
    while True:
        data = stream.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
        if not data:
            break
    stream.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
