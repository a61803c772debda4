"""A TCP server that reads what one client sends until it has so many bytes, answers, and waits.

By hand:    python3 loss_server.py 127.0.0.1 4242 4000
and then:   python3 loss_client.py 127.0.0.1 4242 4

An IPv6 address (::1) makes both use AF_INET6. Where the environment has READY_FD, a line is
written to that descriptor once the server listens.
"""

import os
import socket
import sys

READ_SIZE = 65536


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port, wanted):
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
    while wanted > 0:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
        if not data:
            break
        wanted -= len(data)
    show(f"send({number}, b'All there.')", connection.send(b"All there."))
    data = connection.recv(READ_SIZE)  # b"" once the client has closed
    show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    connection.close()
    show(f"close({number})", 0)
    number = listener.fileno()
    listener.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT BYTES")
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
