"""A client that speaks Multipath TCP, where this kernel has that.

By hand:    python3 types_mptcp_client.py 127.0.0.1 4242
with types_mptcp_server.py running there. But for the protocol's name it is a TCP client.
"""

import errno
import socket
import sys

IPPROTO_MPTCP = 262
READ_SIZE = 4096
MESSAGE = b"May we use more than one path?\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    call = f"socket({domain.name}, SOCK_STREAM, IPPROTO_MPTCP)"
    try:
        stream = socket.socket(domain, socket.SOCK_STREAM, IPPROTO_MPTCP)
    except OSError as error:
        show(call, f"-1 {errno.errorcode[error.errno]}")
        return
    number = stream.fileno()
    show(call, number)
    stream.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)
    show(f"send({number}, {MESSAGE!r})", stream.send(MESSAGE))
    stream.shutdown(socket.SHUT_WR)
    show(f"shutdown({number}, SHUT_WR)", 0)
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
