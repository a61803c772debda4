"""Raw sockets asked for without the capability CAP_NET_RAW.

By hand:    python3 raw_without_capability.py

Run by root, it becomes an ordinary user first, which takes the capability away.
"""

import errno
import os
import socket

ORDINARY_USER = 65534  # nobody


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}")


def main():
    if os.geteuid() == 0:
        os.seteuid(ORDINARY_USER)
        show(f"seteuid({ORDINARY_USER})", 0)
    for domain, kind, protocol, name in (
        (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP, "IPPROTO_ICMP"),
        (socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6, "IPPROTO_ICMPV6"),
        (socket.AF_PACKET, socket.SOCK_RAW, 0, "0"),
        (socket.AF_PACKET, socket.SOCK_DGRAM, 0, "0"),
        (socket.AF_UNIX, socket.SOCK_RAW, 0, "0"),
    ):
        call = f"socket({domain.name}, {kind.name}, {name})"
        try:
            granted = socket.socket(domain, kind, protocol)
        except OSError as error:
            show(call, f"-1 {errno.errorcode[error.errno]}")
            continue
        with granted:
            show(call, granted.fileno())
            is_now = socket.SocketKind(granted.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE))
            show(f"getsockopt({granted.fileno()}, SOL_SOCKET, SO_TYPE, [{is_now.name}])", 0)


if __name__ == "__main__":
    main()
