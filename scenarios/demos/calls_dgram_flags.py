"""What sendto, recvfrom and recvmsg can do on a datagram socket, and write and read cannot.

By hand:    python3 calls_dgram_flags.py server 127.0.0.1 4242
and then:   python3 calls_dgram_flags.py client 127.0.0.1 4242

An IPv6 address (::1) makes both use AF_INET6. Where the environment has READY_FD, the server
writes a line to that descriptor once its address is bound.
"""

import errno
import os
import socket
import sys

READ_SIZE = 64
SHORT_SIZE = 8
LONG = b"More than the reader has room for."


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def sendto(end, data, peer):
    show(f"sendto({end.fileno()}, {data!r}, {peer})", end.sendto(data, peer))


def recvfrom(end, flag=None):
    """The next datagram's source."""
    number, option = end.fileno(), f", {flag}" if flag else ""
    try:
        data, peer = end.recvfrom(READ_SIZE, getattr(socket, flag) if flag else 0)
    except BlockingIOError as error:
        show(f"recvfrom({number}, b'', {READ_SIZE}{option})", f"-1 {errno.errorcode[error.errno]}")
        return None
    show(f"recvfrom({number}, {data!r}, {READ_SIZE}{option}, {peer[:2]})", len(data))
    return peer[:2]


def server(end):
    recvfrom(end, "MSG_PEEK")
    # One descriptor, two peers: each datagram says whose it is, each answer where it goes.
    peers = recvfrom(end), recvfrom(end)
    recvfrom(end, "MSG_DONTWAIT")  # nothing is there: the client waits for answers
    for peer in peers:
        sendto(end, f"You are port {peer[1]}.".encode(), peer)

    # With the flag given, the result is the datagram's length, even if the buffer is shorter.
    room = bytearray(SHORT_SIZE)
    length, peer = end.recvfrom_into(room, SHORT_SIZE, socket.MSG_TRUNC)
    peer = peer[:2]
    show(f"recvfrom({end.fileno()}, {bytes(room)!r}, {SHORT_SIZE}, MSG_TRUNC, {peer})", length)
    # If it is returned as a flag of the message, something was lost.
    data, _, flags, peer = end.recvmsg(SHORT_SIZE)
    returned = "MSG_TRUNC" if flags & socket.MSG_TRUNC else "0"
    show(f"recvmsg({end.fileno()}, {data!r}, {SHORT_SIZE}, {peer[:2]}, {returned})", len(data))
    # The same by read: nothing shows that the rest was lost.
    data = os.read(end.fileno(), SHORT_SIZE)
    show(f"read({end.fileno()}, {data!r}, {SHORT_SIZE})", len(data))


def client(ends, address):
    for end, message in zip(ends, (b"I am one.", b"I am another."), strict=True):
        sendto(end, message, address)
    for end in ends:
        recvfrom(end)
    for _ in range(3):
        sendto(ends[0], LONG, address)


def main(role, domain, address):
    ends = [socket.socket(domain, socket.SOCK_DGRAM) for _ in range(2 if role == "client" else 1)]
    for end in ends:
        show(f"socket({domain.name}, SOCK_DGRAM)", end.fileno())
    if role == "client":
        client(ends, address)
        return
    ends[0].bind(address)
    show(f"bind({ends[0].fileno()}, {address})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"bound\n")
    server(ends[0])


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("server", "client"):
        sys.exit(f"usage: {sys.argv[0]} server|client ADDRESS PORT")
    _, role, host, port = sys.argv
    main(role, socket.AF_INET6 if ":" in host else socket.AF_INET, (host, int(port)))
