"""A name server that knows a few names, and answers so many questions over UDP and TCP.

By hand:    python3 dns_server.py 127.0.0.1 5300 4
and then:   python3 dns_client.py 127.0.0.1 5300 www.example. A long.example. TXT no.example. A

An IPv6 address (::1) makes both use AF_INET6. Messages are made as RFC 1035, 4, has them.
"""

import os
import select
import socket
import struct
import sys

A, TXT, AAAA, INTERNET = 1, 16, 28, 1
ANSWER, AUTHORITATIVE, TRUNCATED, NO_SUCH_NAME = 0x8000, 0x0400, 0x0200, 3
MOST_UDP_BYTES = 512
READ_SIZE = 4096
TTL_S = 3600
ZONE = {
    ("www.example.", A): [socket.inet_pton(socket.AF_INET, "192.0.2.80")],
    ("www.example.", AAAA): [socket.inet_pton(socket.AF_INET6, "2001:db8::80")],
    ("long.example.", TXT): [bytes([200]) + bytes([fill]) * 200 for fill in b"abc"],
}


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def question_of(query):
    """The name and the type that a query asks for, and the bytes that say so."""
    labels, at = [], 12
    while size := query[at]:
        labels.append(query[at + 1 : at + 1 + size].decode())
        at += 1 + size
    (kind,) = struct.unpack_from("!H", query, at + 1)
    return ".".join(labels) + ".", kind, query[12 : at + 5]


def answer_to(query, most):
    """The answer, in so many bytes at most: of a longer one only that there is more."""
    name, kind, question = question_of(query)
    (asked,) = struct.unpack_from("!H", query, 2)
    flags = ANSWER | AUTHORITATIVE | (asked & 0x0100)  # "recursion desired" comes back as it was
    if name not in {known for known, _ in ZONE}:
        flags |= NO_SUCH_NAME
    # C0 0C points at the name in the question, the 12th byte of the message.
    records = [
        struct.pack("!HHHIH", 0xC00C, kind, INTERNET, TTL_S, len(data)) + data
        for data in ZONE.get((name, kind), [])
    ]
    if 12 + len(question) + sum(map(len, records)) > most:
        flags, records = flags | TRUNCATED, []
    counts = struct.pack("!5H", flags, 1, len(records), 0, 0)
    return query[:2] + counts + question + b"".join(records)


def serve_datagram(server):
    number = server.fileno()
    query, peer = server.recvfrom(MOST_UDP_BYTES)
    show(f"recvfrom({number}, {query!r}, {MOST_UDP_BYTES}, {peer[:2]})", len(query))
    answer = answer_to(query, MOST_UDP_BYTES)
    show(f"sendto({number}, {answer!r}, {peer[:2]})", server.sendto(answer, peer))


def serve_connection(listener):
    connection, peer = listener.accept()
    number = connection.fileno()
    show(f"accept({listener.fileno()}, {peer[:2]})", number)
    # A stream has no boundaries: each message comes behind its length, in two bytes.
    data = b""
    while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
        more = connection.recv(READ_SIZE)
        show(f"recv({number}, {more!r}, {READ_SIZE})", len(more))
        if not more:
            sys.exit("the client has closed before its question was whole")
        data += more
    answer = answer_to(data[2:], 0xFFFF)
    message = len(answer).to_bytes(2, "big") + answer
    show(f"send({number}, {message!r})", connection.send(message))
    data = connection.recv(READ_SIZE)  # b"" once the client has closed
    show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    connection.close()
    show(f"close({number})", 0)


def main(address, port, count):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    sockets = []
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        sockets.append(socket.socket(domain, kind))
        number = sockets[-1].fileno()
        show(f"socket({domain.name}, {kind.name})", number)
        sockets[-1].bind((address, port))
        show(f"bind({number}, {(address, port)})", 0)
    server, listener = sockets
    listener.listen(count)
    show(f"listen({listener.fileno()}, {count})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"listening\n")
    for _ in range(count):
        readable, _, _ = select.select(sockets, [], [])
        if server in readable:
            serve_datagram(server)
        elif listener in readable:
            serve_connection(listener)
    for each in sockets:
        number = each.fileno()
        each.close()
        show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT COUNT")
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
