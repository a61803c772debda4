"""A TCP server that answers requests of two lines each, once both are there.

By hand:    python3 nagle_server.py 127.0.0.1 4242
and then:   python3 nagle_client.py 127.0.0.1 4242 nagle

An IPv6 address (::1) makes both use AF_INET6. Where the environment has READY_FD, a line is
written to that descriptor once the server listens.
"""

import os
import socket
import sys

READ_SIZE = 4096


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(domain, socket.SOCK_STREAM)
    number = listener.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    listener.bind((address, port))
    show(f"bind({number}, {(address, port)})", 0)
    listener.listen(1)
    show(f"listen({number}, 1)", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"listening\n")

    connection, peer = listener.accept()
    show(f"accept({number}, {peer[:2]})", connection.fileno())
    number = connection.fileno()
    # Linux acknowledges the first segments of a connection at once; later ones it may delay.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    show(f"setsockopt({number}, IPPROTO_TCP, TCP_QUICKACK, 0)", 0)
    connection.send(b"Ready.\n")
    show(f"send({number}, b'Ready.\\n')", 7)
    lines = 0
    while True:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
        if not data:
            break
        lines += data.count(b"\n")
        if lines == 2:
            lines = 0
            show(f"send({number}, b'Done.\\n')", connection.send(b"Done.\n"))
    connection.close()
    show(f"close({number})", 0)
    number = listener.fileno()
    listener.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
