"""A file over UDP, stop-and-wait: transfer.py send HOST PORT FILE, or transfer.py receive PORT."""

import socket
import struct
import sys
import time

HEADER = struct.Struct("!BBHI")  # type, flags, length, number
DATA, ACK = 1, 2
LAST = 1
BLOCK = 1000
TIMEOUT = 0.1
TRIES = 10
LINGER = 1.0


def pack(kind, number, data=b"", flags=0):
    return HEADER.pack(kind, flags, len(data), number) + data


def unpack(datagram):
    """Type, flags, number and data; None where it is none of ours."""
    if len(datagram) < HEADER.size:
        return None
    kind, flags, length, number = HEADER.unpack_from(datagram)
    data = datagram[HEADER.size :]
    return (kind, flags, number, data) if len(data) == length else None


def is_acknowledged(link, address, number, datagram):
    """Send it until its ACK comes."""
    for _ in range(TRIES):
        link.sendto(datagram, address)
        until = time.monotonic() + TIMEOUT
        while (left := until - time.monotonic()) > 0:
            link.settimeout(left)
            try:
                answer, sender = link.recvfrom(2048)
            except TimeoutError:
                break
            if sender == address and unpack(answer) == (ACK, 0, number, b""):
                return True
    return False


def send(host, port, name):
    with open(name, "rb") as file:
        content = file.read()
    blocks = [content[at : at + BLOCK] for at in range(0, len(content), BLOCK)] or [b""]
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for number, block in enumerate(blocks):
        flags = LAST if number == len(blocks) - 1 else 0
        if not is_acknowledged(link, (host, port), number, pack(DATA, number, block, flags)):
            print(f"no ACK of number {number}", file=sys.stderr)
            return 1
    return 0


def receive(port):
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.bind(("", port))
    expected = 0
    peer = None
    is_complete = False
    while True:
        link.settimeout(LINGER if is_complete else None)
        try:
            datagram, sender = link.recvfrom(2048)
        except TimeoutError:
            return 0
        found = unpack(datagram)
        if found is None or found[0] != DATA or peer not in (None, sender):
            continue
        _, flags, number, data = found
        if number == expected and not is_complete:
            peer = sender
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            expected += 1
            is_complete = flags & LAST
        if number < expected:
            link.sendto(pack(ACK, number), sender)


def main():
    if sys.argv[1] == "send":
        return send(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    return receive(int(sys.argv[2]))


sys.exit(main())
