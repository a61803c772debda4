"""The server of a comparison: reads a client's messages and answers, over TCP, UDP or unix.

By hand:    python3 compare_server.py tcp 127.0.0.1 4242       (or udp)
            python3 compare_server.py unix /tmp/compare.sock
and then compare_client.py with the same words.
"""

import os
import select
import socket
import sys

READ_SIZE = 4096
MESSAGES = 3  # a datagram server cannot see that its client has finished
ANSWER = b"I have read it all.\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def signal_ready():
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"ready\n")


def open_socket(kind, domain, address):
    server = socket.socket(domain, kind)
    show(f"socket({domain.name}, {kind.name})", server.fileno())
    server.bind(address)
    show(f"bind({server.fileno()}, {address!r})", 0)
    return server


def serve_stream(domain, address):
    listener = open_socket(socket.SOCK_STREAM, domain, address)
    listener.listen(1)
    show(f"listen({listener.fileno()}, 1)", 0)
    signal_ready()
    connection, _ = listener.accept()
    number = connection.fileno()
    show(f"accept({listener.fileno()})", number)
    # Wait until the client has nothing more to send, so that everything is here at once.
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    poll.poll()
    show(f"poll({number}, POLLRDHUP)", 1)
    while data := connection.recv(READ_SIZE):
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    show(f"recv({number}, {data!r}, {READ_SIZE})", 0)
    show(f"send({number}, {ANSWER!r})", connection.send(ANSWER))
    for each in (connection, listener):
        show(f"close({each.fileno()})", 0)
        each.close()


def serve_datagrams(domain, address):
    server = open_socket(socket.SOCK_DGRAM, domain, address)
    number = server.fileno()
    signal_ready()
    for _ in range(MESSAGES):
        data, peer = server.recvfrom(READ_SIZE)
        show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
    show(f"sendto({number}, {ANSWER!r}, {peer[:2]})", server.sendto(ANSWER, peer))
    show(f"close({number})", 0)
    server.close()


def main(kind, address, port="0"):
    if kind == "unix":
        serve_stream(socket.AF_UNIX, address)
        os.unlink(address)
        return
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    serve = serve_stream if kind == "tcp" else serve_datagrams
    serve(domain, (address, int(port)))


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(f"usage: {sys.argv[0]} tcp|udp ADDRESS PORT, or unix PATH")
    main(*sys.argv[1:])
