"""A resolver that asks a name server over UDP, and again over TCP where the answer is cut.

By hand:    python3 dns_client.py 127.0.0.1 5300 www.example. A long.example. TXT no.example. A
with dns_server.py running there (127.0.0.1 5300 4). An IPv6 address (::1) makes it use AF_INET6.
Messages are made as RFC 1035, 4, has them.
"""

import random
import socket
import struct
import sys

TYPES = {"A": 1, "TXT": 16, "AAAA": 28}
INTERNET = 1
RECURSION_DESIRED, TRUNCATED = 0x0100, 0x0200
MOST_UDP_BYTES = 512
READ_SIZE = 4096


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def query_for(name, kind):
    """A message with that question, and a number that nobody can guess: the answer has it too."""
    header = struct.pack("!6H", random.getrandbits(16), RECURSION_DESIRED, 1, 0, 0, 0)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    return header + labels + b"\0" + struct.pack("!HH", TYPES[kind], INTERNET)


def open_socket(address, port, kind):
    """A socket that is connected: it lets nothing in from anywhere else."""
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(domain, kind)
    number = opened.fileno()
    show(f"socket({domain.name}, {kind.name})", number)
    opened.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)
    return opened


def send(opened, message):
    show(f"send({opened.fileno()}, {message!r})", opened.send(message))


def receive(opened, size):
    data = opened.recv(size)
    show(f"recv({opened.fileno()}, {data!r}, {size})", len(data))
    return data


def close(opened):
    number = opened.fileno()
    opened.close()
    show(f"close({number})", 0)


def ask(address, port, query):
    """The answer, over UDP if it fits there."""
    opened = open_socket(address, port, socket.SOCK_DGRAM)
    send(opened, query)
    answer = receive(opened, MOST_UDP_BYTES)
    close(opened)
    if not int.from_bytes(answer[2:4], "big") & TRUNCATED:
        return answer
    opened = open_socket(address, port, socket.SOCK_STREAM)
    # A stream has no boundaries: each message goes behind its length, in two bytes.
    send(opened, len(query).to_bytes(2, "big") + query)
    data = b""
    while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
        more = receive(opened, READ_SIZE)
        if not more:
            sys.exit("the server has closed before its answer was whole")
        data += more
    close(opened)
    return data[2:]


def main(address, port, words):
    for name, kind in zip(words[::2], words[1::2], strict=True):
        query = query_for(name, kind)
        answer = ask(address, port, query)
        flags, _, records = struct.unpack_from("!HHH", answer, 2)
        is_mine = answer[:2] == query[:2] and answer[12 : len(query)] == query[12:]
        print(f"{name} {kind}: {records} records, code {flags & 0xF}, mine: {is_mine}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT NAME TYPE...")
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
