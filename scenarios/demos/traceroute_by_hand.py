"""The way to a host by hand: datagrams that die at the first router, at the second, and so on.

By hand:    python3 traceroute_by_hand.py 127.0.0.1 33434
An IPv6 address (::1) makes it use AF_INET6. No privilege is needed: the errors that come back are
read from the socket's own error queue.
"""

import select
import socket
import struct
import sys

# Numbers of linux/in.h and linux/in6.h that Python does not name.
IP_RECVERR, IPV6_RECVERR = 11, 25
MOST_HOPS = 8
PATIENCE_MS = 3000
READ_SIZE = 512
ERROR = struct.Struct("=IBBBxII")  # struct sock_extended_err: errno, origin, type, code, info, data


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def read_error(prober):
    """Type, code and sender of the ICMP message that came back, or None where none came."""
    poll = select.poll()
    poll.register(prober, 0)  # errors are always waited for
    if not poll.poll(PATIENCE_MS):
        return None
    data, ancillary, _, _ = prober.recvmsg(READ_SIZE, 256, socket.MSG_ERRQUEUE)
    # Our own datagram comes back as data, what the message says as ancillary data.
    ((_, _, error),) = ancillary
    _, _, kind, code, _, _ = ERROR.unpack_from(error)
    offender = error[ERROR.size :]  # a struct sockaddr_in or sockaddr_in6
    if prober.family == socket.AF_INET:
        sender = socket.inet_ntop(socket.AF_INET, offender[4:8])
    else:
        sender = socket.inet_ntop(socket.AF_INET6, offender[8:24])
    words = f"{data!r}, MSG_ERRQUEUE, {sender!r}, {kind}, {code}"
    show(f"recvmsg({prober.fileno()}, {words})", len(data))
    return kind, code, sender


def main(address, port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    prober = socket.socket(domain, socket.SOCK_DGRAM)
    number = prober.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", number)
    if domain == socket.AF_INET:
        level, lifetime, errors = socket.IPPROTO_IP, socket.IP_TTL, IP_RECVERR
        names = "IPPROTO_IP, IP_TTL"
        prober.setsockopt(level, errors, 1)
        show(f"setsockopt({number}, IPPROTO_IP, IP_RECVERR, [1])", 0)
    else:
        level, lifetime, errors = socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, IPV6_RECVERR
        names = "IPPROTO_IPV6, IPV6_UNICAST_HOPS"
        prober.setsockopt(level, errors, 1)
        show(f"setsockopt({number}, IPPROTO_IPV6, IPV6_RECVERR, [1])", 0)

    for hops in range(1, MOST_HOPS + 1):
        prober.setsockopt(level, lifetime, hops)
        show(f"setsockopt({number}, {names}, [{hops}])", 0)
        probe = f"as far as {hops} hops".encode()
        # To a port that nobody listens on: the host itself will say so.
        target = (address, port + hops)
        show(f"sendto({number}, {probe!r}, {target})", prober.sendto(probe, target))
        answer = read_error(prober)
        if answer is None:
            print(f"# {hops}  no answer", flush=True)
            continue
        print(f"# {hops}  {answer[2]}", flush=True)
        if answer[2] == address:
            break
    prober.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
