"""The same datagrams, sent with different calls; prints what each returned.

By hand:    python3 calls_dgram.py server write 127.0.0.1 4242
and then:   python3 calls_dgram.py client write 127.0.0.1 4242

In the place of write (and read): send (recv), sendto (recvfrom) or sendmsg (recvmsg). Only the
last two can name a destination; for the others each side connects its socket, which sends
nothing. An IPv6 address (::1) makes both use AF_INET6. Where the environment has READY_FD, the
server writes a line to that descriptor once its address is bound.
"""

import os
import socket
import sys

READ_SIZE = 4096
MESSAGES = (b"Hello. ", b"The same bytes, ", b"by other calls.\n")


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def send(end, data, calls, peer):
    number = end.fileno()
    if calls == "write":
        show(f"write({number}, {data!r})", os.write(number, data))
    elif calls == "send":
        show(f"send({number}, {data!r})", end.send(data))
    elif calls == "sendto":
        show(f"sendto({number}, {data!r}, {peer})", end.sendto(data, peer))
    else:
        show(f"sendmsg({number}, {data!r}, {peer})", end.sendmsg([data], [], 0, peer))


def receive(end, calls):
    """The next datagram, and its source if the call returns it."""
    number, peer = end.fileno(), None
    if calls == "write":
        data = os.read(number, READ_SIZE)
        show(f"read({number}, {data!r}, {READ_SIZE})", len(data))
    elif calls == "send":
        data = end.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    elif calls == "sendto":
        data, peer = end.recvfrom(READ_SIZE)
        peer = peer[:2]
        show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer})", len(data))
    else:
        data, _, _, peer = end.recvmsg(READ_SIZE)
        peer = peer[:2]
        show(f"recvmsg({number}, {data!r}, {READ_SIZE}, {peer})", len(data))
    return data, peer


def connect(end, peer):
    end.connect(peer)
    show(f"connect({end.fileno()}, {peer})", 0)


def server(calls, end, address):
    end.bind(address)
    show(f"bind({end.fileno()}, {address})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"bound\n")
    if calls in ("write", "send"):
        _, peer = end.recvfrom(0, socket.MSG_PEEK)  # whose the first one is, without taking it
        show(f"recvfrom({end.fileno()}, b'', 0, MSG_PEEK, {peer[:2]})", 0)
        connect(end, peer[:2])
    for _ in MESSAGES:
        data, peer = receive(end, calls)
        send(end, data.upper(), calls, peer)


def client(calls, end, address):
    if calls in ("write", "send"):
        connect(end, address)
    for message in MESSAGES:
        send(end, message, calls, address)
        receive(end, calls)


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[1] not in ("server", "client"):
        sys.exit(f"usage: {sys.argv[0]} server|client write|send|sendto|sendmsg ADDRESS PORT")
    _, role, calls, host, port = sys.argv
    domain = socket.AF_INET6 if ":" in host else socket.AF_INET
    end = socket.socket(domain, socket.SOCK_DGRAM)
    show(f"socket({domain.name}, SOCK_DGRAM)", end.fileno())
    (server if role == "server" else client)(calls, end, (host, int(port)))
