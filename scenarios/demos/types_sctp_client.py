"""A client whose SOCK_SEQPACKET socket speaks SCTP, where this kernel has that.

By hand:    python3 types_sctp_client.py 127.0.0.1 127.0.0.1 4242
(its own address, then the server's) with types_sctp_server.py running there.
"""

import errno
import socket
import sys

IPPROTO_SCTP, SCTP_NODELAY = 132, 3  # linux/in.h, linux/sctp.h
READ_SIZE = 4096
MESSAGES = (b"Hello. ", b"These are three messages, and the last ends them.\n", b"End.\n")


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(own_address, address, port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    call = f"socket({domain.name}, SOCK_SEQPACKET, IPPROTO_SCTP)"
    try:
        client = socket.socket(domain, socket.SOCK_SEQPACKET, IPPROTO_SCTP)
    except OSError as error:
        show(call, f"-1 {errno.errorcode[error.errno]}")
        return
    number = client.fileno()
    show(call, number)
    # SCTP announces every address it is bound to; unbound, that is all of this host's.
    client.bind((own_address, 0))
    show(f"bind({number}, {(own_address, 0)})", 0)
    # Small messages need not wait until those before them are acknowledged.
    client.setsockopt(IPPROTO_SCTP, SCTP_NODELAY, 1)
    show(f"setsockopt({number}, IPPROTO_SCTP, SCTP_NODELAY, 1)", 0)
    for message in MESSAGES:
        # The first sendto() sets up the association.
        sent = client.sendto(message, (address, port))
        show(f"sendto({number}, {message!r}, {(address, port)})", sent)
    data, peer = client.recvfrom(READ_SIZE)
    show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
    client.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} OWN_ADDRESS ADDRESS PORT")
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
