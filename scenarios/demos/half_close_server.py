"""A TCP server that answers once its client has nothing more to say.

By hand:    python3 half_close_server.py 127.0.0.1 4242 3
and then:   python3 half_close_client.py 127.0.0.1 4242 shutdown

An IPv6 address (::1) makes both use AF_INET6. The last word is how many lines the answer has.
Where the environment has READY_FD, a line is written to that descriptor once the server listens.
"""

import os
import socket
import sys

READ_SIZE = 4096


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port, lines):
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
    while True:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
        if not data:
            break
    for line in range(1, lines + 1):
        answer = b"line %d of the answer\n" % line
        show(f"send({number}, {answer!r})", connection.send(answer))
    connection.close()
    show(f"close({number})", 0)
    number = listener.fileno()
    listener.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT LINES")
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
