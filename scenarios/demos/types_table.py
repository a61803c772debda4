"""What this kernel answers to socket(2): every domain, type and protocol here, one by one.

By hand:    python3 types_table.py

A socket that is granted is asked what it is. Asking for a protocol may make the kernel load
the module that has it. Run by root, it becomes an ordinary user first, so that both see the
same table: SOCK_RAW and AF_PACKET need a capability (see raw_without_capability.py).
"""

import errno
import os
import socket

ORDINARY_USER = 65534  # nobody
INTERNET_PROTOCOLS = {
    "0": 0, "IPPROTO_TCP": 6, "IPPROTO_UDP": 17, "IPPROTO_SCTP": 132, "IPPROTO_UDPLITE": 136,
    "IPPROTO_MPTCP": 262,
}  # fmt: skip
DOMAINS = {
    "AF_UNIX": (1, {"0": 0}),
    "AF_INET": (2, {**INTERNET_PROTOCOLS, "IPPROTO_ICMP": 1}),
    "AF_INET6": (10, {**INTERNET_PROTOCOLS, "IPPROTO_ICMPV6": 58}),
    "AF_NETLINK": (16, {"0": 0}),
    "AF_PACKET": (17, {"0": 0}),
    "AF_VSOCK": (40, {"0": 0}),
}
TYPES = {"SOCK_STREAM": 1, "SOCK_DGRAM": 2, "SOCK_SEQPACKET": 5, "SOCK_RAW": 3, "SOCK_RDM": 4}
WORDS = {"ESOCKTNOSUPPORT": "no type", "EPROTONOSUPPORT": "no protocol"}


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}")


def name_of(value, names):
    return next((name for name, number in names.items() if number == value), str(value))


def ask(domain, kind, protocol):
    """What became of a socket of these names, in a word or two for the table."""
    number, protocols = DOMAINS[domain]
    call = f"socket({domain}, {kind}, {protocol})"
    try:
        granted = socket.socket(number, TYPES[kind], protocols[protocol])
    except OSError as error:
        name = errno.errorcode[error.errno]
        show(call, f"-1 {name}")
        return WORDS.get(name, name)
    with granted:
        show(call, granted.fileno())
        options = {}
        for option, value, names in (
            ("SO_DOMAIN", socket.SO_DOMAIN, {d: n for d, (n, _) in DOMAINS.items()}),
            ("SO_TYPE", socket.SO_TYPE, TYPES),
            ("SO_PROTOCOL", socket.SO_PROTOCOL, protocols),
        ):
            options[option] = name_of(granted.getsockopt(socket.SOL_SOCKET, value), names)
            show(f"getsockopt({granted.fileno()}, SOL_SOCKET, {option}, [{options[option]}])", 0)
    if options["SO_TYPE"] != kind:
        return f"as {options['SO_TYPE'].removeprefix('SOCK_')}"
    protocol = options["SO_PROTOCOL"]
    return protocol.removeprefix("IPPROTO_") if protocol != "0" else "yes"


def print_row(name, cells):
    print("#", f"{name:<16}", *(f"{cell:<11}" for cell in cells))


def main():
    if os.geteuid() == 0:
        os.seteuid(ORDINARY_USER)
    table = {
        (domain, protocol): [ask(domain, kind, protocol) for kind in TYPES]
        for domain, (_, protocols) in DOMAINS.items()
        for protocol in protocols
    }
    print("#")
    print_row("", (kind.removeprefix("SOCK_") for kind in TYPES))
    for (domain, protocol), cells in table.items():
        name = f"{domain.removeprefix('AF_')} {protocol.removeprefix('IPPROTO_')}"
        print_row(name, cells)
    legend = ", ".join(f'"{word}" is {name}' for name, word in WORDS.items())
    print("#\n# Granted: the protocol that SO_PROTOCOL returns, yes where that is 0.\n#", legend)


if __name__ == "__main__":
    main()
