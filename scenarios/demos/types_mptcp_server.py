"""A server that speaks Multipath TCP with one client, where this kernel has that.

By hand:    python3 types_mptcp_server.py 127.0.0.1 4242
and then:   python3 types_mptcp_client.py 127.0.0.1 4242

Where the environment has READY_FD, a line is written to that descriptor once the server
listens, or cannot.
"""

import errno
import os
import socket
import sys

IPPROTO_MPTCP = 262
READ_SIZE = 4096
REPLY = b"One path is enough for that.\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def open_socket(domain):
    """A socket, or None if the kernel has no MPTCP or has it switched off."""
    call = f"socket({domain.name}, SOCK_STREAM, IPPROTO_MPTCP)"
    try:
        opened = socket.socket(domain, socket.SOCK_STREAM, IPPROTO_MPTCP)
    except OSError as error:
        show(call, f"-1 {errno.errorcode[error.errno]}")
        return None
    show(call, opened.fileno())
    return opened


def signal_ready():
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"ready\n")


def serve(listener, address, port):
    number = listener.fileno()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    show(f"setsockopt({number}, SOL_SOCKET, SO_REUSEADDR, 1)", 0)
    listener.bind((address, port))
    show(f"bind({number}, {(address, port)})", 0)
    listener.listen(1)
    show(f"listen({number}, 1)", 0)
    signal_ready()
    connection, peer = listener.accept()
    number = connection.fileno()
    show(f"accept({listener.fileno()}, {peer[:2]})", number)
    while True:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
        if not data:
            break
    show(f"send({number}, {REPLY!r})", connection.send(REPLY))
    connection.close()
    show(f"close({number})", 0)
    listener.close()


def main(address, port):
    listener = open_socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    if listener is None:
        signal_ready()
    else:
        serve(listener, address, port)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
