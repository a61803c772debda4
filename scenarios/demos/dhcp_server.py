"""A DHCP server that gives one client one address, for an hour.

It needs CAP_NET_BIND_SERVICE for its port:
            sudo python3 dhcp_server.py eth0 198.51.100.2 198.51.100.100
The words are its interface, its own address and the one that it gives, both in a network of /24.
Messages are made as RFC 2131, 2, and RFC 2132 have them.
"""

import os
import socket
import struct
import sys

SERVER_PORT, CLIENT_PORT = 67, 68
HEADER = struct.Struct("!4BIHH4s4s4s4s16s64s128s4s")
COOKIE = bytes([99, 130, 83, 99])
MASK, REQUESTED, LEASE, TYPE, SERVER, END = 1, 50, 51, 53, 54, 255
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
REPLY = 2
NETMASK = "255.255.255.0"
LEASE_S = 3600
LEAST_BYTES = 300
READ_SIZE = 1500


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def options_of(message):
    """The options by their numbers: each has a number, a length and so many bytes."""
    found, at = {}, HEADER.size
    while message[at] != END:
        size = message[at + 1]
        found[message[at]] = message[at + 2 : at + 2 + size]
        at += 2 + size
    return found


def answer_to(message, kind, own, given):
    """OFFER or ACK: the client's number and hardware address, and what it may have."""
    _, hardware, size, _, number, _, flags, *_ = HEADER.unpack_from(message)
    client = HEADER.unpack_from(message)[11]
    nobody, given, own = bytes(4), socket.inet_aton(given), socket.inet_aton(own)
    head = HEADER.pack(
        REPLY, hardware, size, 0, number, 0, flags,
        nobody, given, nobody, nobody, client, b"", b"", COOKIE,
    )  # fmt: skip
    options = (
        (TYPE, bytes([kind])),
        (SERVER, own),
        (LEASE, LEASE_S.to_bytes(4, "big")),
        (MASK, socket.inet_aton(NETMASK)),
    )
    message = head + b"".join(bytes([k, len(v)]) + v for k, v in options) + bytes([END])
    return message.ljust(LEAST_BYTES, b"\0")  # RFC 1542, 2.1


def main(interface, own, given):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    number = server.fileno()
    show("socket(AF_INET, SOCK_DGRAM)", number)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    show(f"setsockopt({number}, SOL_SOCKET, SO_BROADCAST, [1])", 0)
    # "Everybody" is on every link: this says on which.
    server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    show(f"setsockopt({number}, SOL_SOCKET, SO_BINDTODEVICE, {interface!r})", 0)
    server.bind(("", SERVER_PORT))
    show(f"bind({number}, {('0.0.0.0', SERVER_PORT)})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"bound\n")
    kind = DISCOVER
    while kind != REQUEST:
        message, peer = server.recvfrom(READ_SIZE)
        show(f"recvfrom({number}, {message!r}, {READ_SIZE}, {peer})", len(message))
        kind = options_of(message)[TYPE][0]
        answer = answer_to(message, OFFER if kind == DISCOVER else ACK, own, given)
        # The client has no address yet that could be written to: everybody gets it.
        to = ("255.255.255.255", CLIENT_PORT)
        show(f"sendto({number}, {answer!r}, {to})", server.sendto(answer, to))
    server.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} INTERFACE OWN_ADDRESS ADDRESS_TO_GIVE")
    main(*sys.argv[1:])
