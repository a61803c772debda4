"""A server with an AF_INET6 socket that IPv4 clients reach as well.

By hand:    python3 types_mapped_server.py 4242
and then:   python3 inet_stream_client.py 127.0.0.1 4242

An IPv4 client appears as an IPv6 address that holds its own: ::ffff:127.0.0.1. Where the
environment has READY_FD, a line is written to that descriptor once the server listens.
"""

import os
import socket
import sys

READ_SIZE = 4096
REPLY = b"My socket is IPv6, your packets are IPv4.\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(port):
    listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    number = listener.fileno()
    show("socket(AF_INET6, SOCK_STREAM)", number)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    show(f"setsockopt({number}, SOL_SOCKET, SO_REUSEADDR, 1)", 0)
    # 0 is usual; a sysctl (net.ipv6.bindv6only) may have it otherwise.
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    show(f"setsockopt({number}, IPPROTO_IPV6, IPV6_V6ONLY, 0)", 0)
    listener.bind(("::", port))
    show(f"bind({number}, {('::', port)})", 0)
    listener.listen(1)
    show(f"listen({number}, 1)", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"listening\n")

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


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} PORT")
    main(int(sys.argv[1]))
