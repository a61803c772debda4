"""A file over UDP: transfer.py send HOST PORT FILE, or transfer.py receive PORT.

The receiver sends its ACKs to a port that both sides agree on, wherever DATA came from.
"""

import socket
import sys
import time
from struct import pack, unpack

mode, arguments = sys.argv[1], sys.argv[2:]
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def wait_for_ack(number, peer):
    end = time.time() + 0.1
    while time.time() < end:
        link.settimeout(max(0.001, end - time.time()))
        try:
            data, address = link.recvfrom(500)
        except TimeoutError:
            return False
        if address == peer and data == pack("!BBHI", 2, 0, 0, number):
            return True
    return False


def transmit(number, block, last, peer):
    for _ in range(10):
        link.sendto(pack("!BBHI", 1, last, len(block), number) + block, peer)
        if wait_for_ack(number, peer):
            return
    sys.exit(1)


if mode == "send":
    host, port, name = arguments
    link.bind(("", int(port)))
    with open(name, "rb") as file:
        blocks = list(iter(lambda: file.read(1000), b"")) or [b""]
    for number, block in enumerate(blocks):
        transmit(number, block, int(number == len(blocks) - 1), (host, int(port)))
else:
    port = int(arguments[0])
    link.bind(("", port))
    wanted, peer = 0, None
    while True:
        try:
            data, address = link.recvfrom(2000)
        except TimeoutError:
            break
        if len(data) < 8 or (peer and address != peer):
            continue
        kind, last, length, number = unpack("!BBHI", data[:8])
        if kind != 1 or length != len(data[8:]):
            continue
        if number == wanted:
            peer = address
            sys.stdout.buffer.write(data[8:])
            wanted += 1
            if last:
                link.settimeout(1)
        if number < wanted:
            link.sendto(pack("!BBHI", 2, 0, 0, number), (address[0], port))
