"""A DHCP client that asks for an address and gives it to its interface.

It needs CAP_NET_BIND_SERVICE for its port and CAP_NET_ADMIN to set the address; by hand only where
nothing else depends on that interface:
            sudo python3 dhcp_client.py eth0
Messages are made as RFC 2131, 2, and RFC 2132 have them.
"""

import fcntl
import random
import socket
import struct
import sys

SERVER_PORT, CLIENT_PORT = 67, 68
HEADER = struct.Struct("!4BIHH4s4s4s4s16s64s128s4s")
COOKIE = bytes([99, 130, 83, 99])
MASK, REQUESTED, LEASE, TYPE, SERVER, END = 1, 50, 51, 53, 54, 255
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
ASK, ETHERNET, ETHERNET_BYTES = 1, 1, 6
BROADCAST = 0x8000  # "answer everybody": nothing can be sent to this host alone yet
NOBODY = bytes(4)
LEAST_BYTES = 300
READ_SIZE = 1500
SIOCSIFADDR, SIOCSIFNETMASK, SIOCGIFHWADDR = 0x8916, 0x891C, 0x8927  # netdevice(7)


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def message_of(number, hardware, options):
    head = HEADER.pack(
        ASK, ETHERNET, ETHERNET_BYTES, 0, number, 0, BROADCAST,
        NOBODY, NOBODY, NOBODY, NOBODY, hardware, b"", b"", COOKIE,
    )  # fmt: skip
    message = head + b"".join(bytes([k, len(v)]) + v for k, v in options) + bytes([END])
    return message.ljust(LEAST_BYTES, b"\0")  # RFC 1542, 2.1


def options_of(message):
    """The options by their numbers: each has a number, a length and so many bytes."""
    found, at = {}, HEADER.size
    while message[at] != END:
        size = message[at + 1]
        found[message[at]] = message[at + 2 : at + 2 + size]
        at += 2 + size
    return found


def send(client, message):
    to = ("255.255.255.255", SERVER_PORT)
    show(f"sendto({client.fileno()}, {message!r}, {to})", client.sendto(message, to))


def receive(client, number, kind):
    """The address and the options of the first message of that kind that is for this client."""
    while True:
        data, peer = client.recvfrom(READ_SIZE)
        show(f"recvfrom({client.fileno()}, {data!r}, {READ_SIZE}, {peer})", len(data))
        _, _, _, _, theirs, _, _, _, given, *_ = HEADER.unpack_from(data)
        options = options_of(data)
        if theirs == number and options[TYPE][0] == kind:
            return given, options


def set_address(client, interface, address, mask):
    for call, name, value in (
        (SIOCSIFADDR, "SIOCSIFADDR", address),
        (SIOCSIFNETMASK, "SIOCSIFNETMASK", mask),
    ):
        request = struct.pack("16sHH4s8x", interface.encode(), socket.AF_INET, 0, value)
        fcntl.ioctl(client, call, request)
        show(f"ioctl({client.fileno()}, {name}, {interface!r}, {socket.inet_ntoa(value)!r})", 0)


def main(interface):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    number = client.fileno()
    show("socket(AF_INET, SOCK_DGRAM)", number)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    show(f"setsockopt({number}, SOL_SOCKET, SO_BROADCAST, [1])", 0)
    # Without an address no route leads anywhere: this says by which link.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    show(f"setsockopt({number}, SOL_SOCKET, SO_BINDTODEVICE, {interface!r})", 0)
    client.bind(("", CLIENT_PORT))
    show(f"bind({number}, {('0.0.0.0', CLIENT_PORT)})", 0)
    asked = fcntl.ioctl(client, SIOCGIFHWADDR, struct.pack("16s16x", interface.encode()))
    hardware, talk = asked[18:24], random.getrandbits(32)
    show(f"ioctl({number}, SIOCGIFHWADDR, {interface!r}, {hardware.hex(':')!r})", 0)

    send(client, message_of(talk, hardware, [(TYPE, bytes([DISCOVER]))]))
    offered, options = receive(client, talk, OFFER)
    wanted = [(TYPE, bytes([REQUEST])), (REQUESTED, offered), (SERVER, options[SERVER])]
    send(client, message_of(talk, hardware, wanted))
    given, options = receive(client, talk, ACK)
    set_address(client, interface, given, options[MASK])
    client.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} INTERFACE")
    main(sys.argv[1])
