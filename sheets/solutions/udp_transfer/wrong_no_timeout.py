"""A file over UDP: transfer.py send HOST PORT FILE, or transfer.py receive PORT.

The sender waits for each ACK however long that takes: a lost datagram is never sent again.
"""

import socket
import struct
import sys


def send(host, port, name):
    address = (host, int(port))
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with open(name, "rb") as file:
        content = file.read()
    number = 0
    while True:
        block, content = content[:1000], content[1000:]
        header = struct.pack("!BBHI", 1, 0 if content else 1, len(block), number)
        link.sendto(header + block, address)
        answer, sender = link.recvfrom(100)
        while sender != address or answer != struct.pack("!BBHI", 2, 0, 0, number):
            answer, sender = link.recvfrom(100)
        number += 1
        if not content:
            break


def receive(port):
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.bind(("", int(port)))
    expected, first, done = 0, None, False
    try:
        while True:
            datagram, sender = link.recvfrom(1100)
            if len(datagram) < 8 or first not in (None, sender):
                continue
            kind, flags, length, number = struct.unpack("!BBHI", datagram[:8])
            if kind != 1 or length != len(datagram) - 8 or number > expected:
                continue
            if number == expected and not done:
                first = sender
                sys.stdout.buffer.write(datagram[8:])
                expected += 1
                done = flags == 1
                if done:
                    link.settimeout(1)
            if number < expected:
                link.sendto(struct.pack("!BBHI", 2, 0, 0, number), sender)
    except TimeoutError:
        pass


if sys.argv[1] == "send":
    send(*sys.argv[2:])
else:
    receive(sys.argv[2])
