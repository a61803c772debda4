"""The same TCP conversation, held with different calls; prints what each returned.

By hand:    python3 calls_stream.py server write 127.0.0.1 4242
and then:   python3 calls_stream.py client write 127.0.0.1 4242

In the place of write (and read): send (recv), sendto (recvfrom) or sendmsg (recvmsg). An IPv6
address (::1) makes both use AF_INET6. Where the environment has READY_FD, the server writes a
line to that descriptor once it listens.
"""

import os
import socket
import sys

READ_SIZE = 4096
MESSAGES = (b"Hello. ", b"The same bytes, ", b"by other calls.\n")


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def send(connection, data, calls):
    number = connection.fileno()
    if calls == "write":
        show(f"write({number}, {data!r})", os.write(number, data))
    elif calls == "send":
        show(f"send({number}, {data!r})", connection.send(data))
    elif calls == "sendto":
        # A connection has its destination already: the kernel ignores this one.
        peer = connection.getpeername()[:2]
        show(f"sendto({number}, {data!r}, {peer})", connection.sendto(data, peer))
    else:
        show(f"sendmsg({number}, {data!r})", connection.sendmsg([data]))


def receive(connection, calls):
    number = connection.fileno()
    if calls == "write":
        data = os.read(number, READ_SIZE)
        show(f"read({number}, {data!r}, {READ_SIZE})", len(data))
    elif calls == "send":
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    elif calls == "sendto":
        # No address comes with it, for the same reason.
        data, peer = connection.recvfrom(READ_SIZE)
        show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer or None})", len(data))
    else:
        data, _, _, _ = connection.recvmsg(READ_SIZE)
        show(f"recvmsg({number}, {data!r}, {READ_SIZE})", len(data))
    return data


def server(calls, domain, address):
    listener = socket.socket(domain, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(1)
    show(f"listen({listener.fileno()}, 1)", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"listening\n")
    connection, peer = listener.accept()
    show(f"accept({listener.fileno()}, {peer[:2]})", connection.fileno())
    while data := receive(connection, calls):
        send(connection, data.upper(), calls)
    connection.close()


def client(calls, domain, address):
    connection = socket.socket(domain, socket.SOCK_STREAM)
    connection.connect(address)
    show(f"connect({connection.fileno()}, {address})", 0)
    for message in MESSAGES:
        send(connection, message, calls)
        receive(connection, calls)
    connection.shutdown(socket.SHUT_WR)
    show(f"shutdown({connection.fileno()}, SHUT_WR)", 0)
    receive(connection, calls)
    connection.close()


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[1] not in ("server", "client"):
        sys.exit(f"usage: {sys.argv[0]} server|client write|send|sendto|sendmsg ADDRESS PORT")
    _, role, calls, host, port = sys.argv
    domain = socket.AF_INET6 if ":" in host else socket.AF_INET
    (server if role == "server" else client)(calls, domain, (host, int(port)))
