"""A server whose SOCK_SEQPACKET socket speaks SCTP, where this kernel has that.

By hand:    python3 types_sctp_server.py 127.0.0.1 4242
and then:   python3 types_sctp_client.py 127.0.0.1 127.0.0.1 4242

One such socket serves all its associations (RFC 6458, 3): there is no accept(). Where the
environment has READY_FD, a line is written to that descriptor once the server listens, or
cannot.
"""

import errno
import os
import socket
import sys

IPPROTO_SCTP = 132
READ_SIZE = 4096
LAST = b"End.\n"
REPLY = b"Each as you cut it.\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def open_socket(domain):
    """A socket, or None if the kernel has no SCTP."""
    call = f"socket({domain.name}, SOCK_SEQPACKET, IPPROTO_SCTP)"
    try:
        opened = socket.socket(domain, socket.SOCK_SEQPACKET, IPPROTO_SCTP)
    except OSError as error:
        show(call, f"-1 {errno.errorcode[error.errno]}")
        return None
    show(call, opened.fileno())
    return opened


def signal_ready():
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"ready\n")


def serve(server, address, port):
    number = server.fileno()
    server.bind((address, port))
    show(f"bind({number}, {(address, port)})", 0)
    server.listen(1)
    show(f"listen({number}, 1)", 0)
    signal_ready()
    data = b""
    while data != LAST:
        data, peer = server.recvfrom(READ_SIZE)
        show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
    show(f"sendto({number}, {REPLY!r}, {peer[:2]})", server.sendto(REPLY, peer))
    server.close()
    show(f"close({number})", 0)


def main(address, port):
    server = open_socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    if server is None:
        signal_ready()
    else:
        serve(server, address, port)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
