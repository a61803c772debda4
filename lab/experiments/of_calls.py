"""Calls on IP sockets that fail."""

from __future__ import annotations

from lab.experiments.experiment import Experiment
from lab.model.family import Family

_TCP = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_STREAM)\n"
_UDP = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
_SERVE = """
import socket
s = socket.create_server(("", {port}))
c, _ = s.accept()
while data := c.recv(100):
    c.sendall(data)
"""
_LIBC = "import ctypes\nlibc = ctypes.CDLL(None)\n"

OF_CALLS = (
    Experiment("address-not-here", _TCP + 's.bind(("203.0.113.9", 4242))'),
    Experiment(
        "no-port-left",
        "import socket\nmany = [socket.socket() for _ in range(3)]\n"
        + 'for s in many:\n    s.bind(("", 0))',
        sysctls={"client:net.ipv4.ip_local_port_range": "40000 40001"},
    ),
    Experiment("no-route", _TCP + 's.connect(("203.0.113.9", 80))'),
    Experiment(
        "interface-down",
        _UDP
        + """
import subprocess
subprocess.run(["ip", "link", "set", "eth0", "down"], check=True)
s.sendto(b"hello", ("{server}", 4242))
""",
        capabilities=("CAP_NET_ADMIN",),
    ),
    Experiment("no-neighbour", _TCP + 's.connect(("198.51.100.77", 80))', deadline_s=6),
    Experiment(
        "unreachable-by-icmp",
        """
import socket
network = "{h3}".rpartition(".")[0]
socket.create_connection((network + ".77", {port}))
""",
        _SERVE,
        topology="chain:3",
        deadline_s=6,
    ),
    Experiment("datagram-too-long", _UDP + 's.sendto(bytes(65508), ("{server}", 4242))'),
    Experiment(
        "address-of-another-family",
        """
import socket
four = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
# The same descriptor, for which Python now makes IPv6 addresses.
six = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 0, four.detach())
six.connect(("2001:db8::1", 80))
""",
    ),
    Experiment(
        "address-too-short",
        _TCP + _LIBC + "address = bytes([2, 0, 0, 80, 198, 51, 100, 2])\n"
        "libc.connect(s.fileno(), address, len(address))",
    ),
    Experiment(
        "scope-missing",
        'import socket\nsocket.socket(socket.AF_INET6).connect(("fe80::1", 80))',
        family=Family.IPV6,
    ),
    Experiment(
        "bound-to-loopback",
        _TCP + 's.bind(("127.0.0.1", 0))\ns.connect(("{server}", 80))',
    ),
    Experiment("bound-already", _TCP + 's.bind(("", 4242))\ns.bind(("", 4243))'),
    Experiment(
        "group-without-interface",
        _UDP
        + 'group = socket.inet_aton("239.1.2.3") + bytes(4)\n'
        + "s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)",
    ),
    Experiment("no-destination", _UDP + 's.send(b"hello")'),
    Experiment(
        "already-connected",
        _TCP + 's.connect(("{server}", {port}))\ns.connect(("{server}", {port}))',
        _SERVE,
    ),
    Experiment(
        "connect-in-progress",
        _TCP + 's.setblocking(False)\ns.connect(("{server}", {port}))',
        _SERVE,
    ),
    Experiment(
        "nothing-yet",
        _TCP
        + """
s.connect(("{server}", {port}))
s.setblocking(False)
try:
    s.recv(10)
except BlockingIOError:
    pass
s.close()
open("/tmp/word", "w").close()
""",
        """
import os, select, socket
s = socket.create_server(("", {port}))
c, _ = s.accept()
while not os.path.exists("/tmp/word"):
    select.select([], [], [], 0.01)
c.sendall(b"late")
""",
    ),
    Experiment(
        "nobody-yet",
        """
import os, select, socket
while not os.path.exists("/tmp/word"):
    select.select([], [], [], 0.01)
socket.create_connection(("{server}", {port}))
""",
        """
import socket, time
s = socket.create_server(("", {port}))
s.setblocking(False)
try:
    s.accept()
except BlockingIOError:
    pass
open("/tmp/word", "w").close()
time.sleep(60)
""",
    ),
    Experiment(
        "control-too-long",
        """
import socket
s, t = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendmsg([b"x"], [(77, 8, bytes(1_000_000))])
""",
    ),
    Experiment(
        "too-many-groups",
        _UDP
        + """
for last in range(21):
    group = socket.inet_aton(f"239.1.2.{last}") + socket.inet_aton("{client}")
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
""",
    ),
    Experiment(
        "netlink-overrun",
        """
import socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.bind((0, 0))
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
for number in range(40):
    # RTM_GETLINK of all links: each answer is longer than the buffer.
    s.send(struct.pack("=IHHIIB3x12x", 32, 18, 0x301, number, 0, 0))
s.recv(60000)
""",
    ),
)
"""A cause each, of those that no scenario shows."""
