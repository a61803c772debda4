"""Datagrams that are too large for a link further on, the second once something is known of it.

By hand:    python3 fragments_sender.py 127.0.0.1 4242 dont
with fragments_receiver.py running there. The last word is what IP_MTU_DISCOVER is set to: `dont`
lets routers fragment (over IPv4; over IPv6 none does), `do` forbids it to all, the sender too.
"""

import errno
import select
import socket
import struct
import sys

# Numbers of linux/in.h and linux/in6.h that Python does not name.
IP_MTU_DISCOVER, IP_MTU, IP_RECVERR = 10, 14, 11
IPV6_MTU_DISCOVER, IPV6_MTU, IPV6_RECVERR = 23, 24, 25
HOW = {"dont": (0, "IP_PMTUDISC_DONT"), "do": (2, "IP_PMTUDISC_DO")}
SIZE = 1400
PATIENCE_MS = 500
ERROR = struct.Struct("=IBBBxII")  # struct sock_extended_err: errno, origin, type, code, info, data


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def send(sender, size, fill):
    """Send a datagram, and print what the call returned or which error."""
    message = fill * size
    try:
        result = sender.send(message)
    except OSError as error:
        result = f"-1 {errno.errorcode[error.errno]}"
    show(f"send({sender.fileno()}, {message!r})", result)


def read_error(sender):
    """Whether an ICMP message came back, which is printed with the MTU that it names."""
    poll = select.poll()
    poll.register(sender, 0)  # errors are always waited for
    if not poll.poll(PATIENCE_MS):
        return False
    data, ancillary, _, _ = sender.recvmsg(4096, 256, socket.MSG_ERRQUEUE)
    ((_, _, error),) = ancillary
    number, _, kind, code, mtu, _ = ERROR.unpack_from(error)
    words = f"{data!r}, MSG_ERRQUEUE, {errno.errorcode[number]!r}, {kind}, {code}, {mtu}"
    show(f"recvmsg({sender.fileno()}, {words})", len(data))
    return True


def main(address, port, how):
    is_ipv6 = ":" in address
    sender = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
    number = sender.fileno()
    show(f"socket({sender.family.name}, SOCK_DGRAM)", number)
    level, discover, mtu, errors, name, v6 = (
        (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_MTU, IPV6_RECVERR, "IPPROTO_IPV6", "V6")
        if is_ipv6
        else (socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_MTU, IP_RECVERR, "IPPROTO_IP", "")
    )
    value, word = HOW[how]
    sender.setsockopt(level, discover, value)
    show(f"setsockopt({number}, {name}, IP{v6}_MTU_DISCOVER, [{word}])", 0)
    sender.setsockopt(level, errors, 1)
    show(f"setsockopt({number}, {name}, IP{v6}_RECVERR, [1])", 0)
    sender.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)

    send(sender, SIZE, b"1")
    # Over IPv4 nothing comes back where a router may fragment.
    if is_ipv6 or how == "do":
        read_error(sender)
    known = sender.getsockopt(level, mtu)
    show(f"getsockopt({number}, {name}, IP{v6}_MTU, [{known}])", 0)
    send(sender, SIZE, b"2")
    send(sender, 1, b".")  # small enough for every link: the last
    sender.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[3] not in HOW:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT dont|do")
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
