"""What becomes of segments and datagrams: refused, lost, copied, thrown away."""

from __future__ import annotations

from lab.experiments.experiment import Experiment

_BEGIN = 'import socket\nc = socket.create_connection(("{server}", {port}))\n'
_SERVE = 'import socket\ns = socket.create_server(("", {port}))\nc, _ = s.accept()\n'
_ECHO = _SERVE + "while data := c.recv(100):\n    c.sendall(data)"
_ASK = _BEGIN + 'c.sendall(b"hello")\nc.recv(10)'
_UDP = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
_BOUND = _UDP + 's.bind(("", {port}))\ns.settimeout(3)\n'
_FAST_SERVE = """
import socket
s = socket.create_server(("", {port}))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
for _ in range(%d):
    c, _ = s.accept()
    %sc.sendall(c.recv(10))
    c.recv(1)
    c.close()
"""
_FAST_ASK = """
import socket
for _ in range(%d):
    c = socket.socket()
    c.sendto(b"hello", socket.MSG_FASTOPEN, ("{server}", {port}))
    c.recv(10)
    c.close()
"""
_NO_MORE = "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 0)\n    "
_FAST = {"net.ipv4.tcp_fastopen": "3"}
_FILTER = """
import subprocess
rules = "add table inet t; "
rules += "add chain inet t c { type filter hook input priority 0; }; "
rules += "add rule inet t c tcp dport {port} VERDICT"
subprocess.run(["nft", rules], check=True)
"""
_WAIT_FOR_END = """
while True:
    data = s.recv(5000)
    if data == b"that was all":
        break
"""

OF_PACKETS = (
    Experiment(
        "reset-reason",
        """
import socket, time
c = socket.create_connection(("{server}", {port}))
c.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, -1)
c.send(b"x")
c.shutdown(socket.SHUT_WR)
# 4 is FIN-WAIT-1: the FIN has not been acknowledged.
while c.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 4:
    time.sleep(0.01)
c.close()
""",
        """
import select, socket
s = socket.create_server(("", {port}))
c, _ = s.accept()
c.recv(1)
c.recv(1)
p = select.poll()
p.register(c, 0)
p.poll(3000)
""",
    ),
    Experiment(
        "reset-queue-closed",
        _BEGIN + "c.recv(10)",
        """
import select, socket
s = socket.create_server(("", {port}))
select.select([s], [], [])
s.close()
""",
    ),
    Experiment("fast-open-no-cookie", _FAST_ASK % 1, _FAST_SERVE % (1, ""), sysctls=_FAST),
    Experiment(
        "fast-open-not-granted",
        _FAST_ASK % 1,
        _FAST_SERVE % (1, ""),
        sysctls={"net.ipv4.tcp_fastopen": "1"},
    ),
    Experiment("fast-open-fell-back", _FAST_ASK % 2, _FAST_SERVE % (2, _NO_MORE), sysctls=_FAST),
    Experiment(
        "zerocopy-copied",
        """
import select, socket
s = socket.create_server(("127.0.0.1", 4243))
c = socket.socket()
c.setsockopt(socket.SOL_SOCKET, 60, 1)  # SO_ZEROCOPY
c.connect(("127.0.0.1", 4243))
a, _ = s.accept()
c.send(bytes(20000), 0x4000000)  # MSG_ZEROCOPY
left = 20000
while left:
    left -= len(a.recv(left))
p = select.poll()
p.register(c, 0)
p.poll(3000)
c.recvmsg(1, 200, socket.MSG_ERRQUEUE)
""",
    ),
    Experiment(
        "receive-buffer-full",
        _UDP
        + """
for _ in range(40):
    s.sendto(bytes(1000), ("{server}", {port}))
s.sendto(b"now", ("{server}", {port} + 1))
""",
        _BOUND
        + """
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
r = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
r.bind(("", {port} + 1))
r.recv(10)
s.setblocking(False)
try:
    while s.recv(2000):
        pass
except BlockingIOError:
    pass
""",
    ),
    Experiment(
        "fragment-lost",
        _UDP
        + 's.sendto(bytes(4000), ("{server}", {port}))\n'
        + 's.sendto(b"that was all", ("{server}", {port}))',
        _BOUND + _WAIT_FOR_END,
        wire=("client>server drop udp 1",),
    ),
    Experiment(
        "group-by-loopback",
        _UDP
        + """
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
s.sendto(b"hello", ("239.1.2.3", {port}))
s.sendto(b"that was all", ("{server}", {port}))
""",
        _BOUND
        + """
group = socket.inet_aton("239.1.2.3") + socket.inet_aton("{server}")
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
"""
        + _WAIT_FOR_END,
    ),
    Experiment(
        "group-stays-near",
        _UDP
        + """
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("{h1}"))
s.sendto(b"hello", ("239.1.2.3", {port}))
s.sendto(b"that was all", ("{h3}", {port}))
""",
        _BOUND
        + """
group = socket.inet_aton("239.1.2.3") + socket.inet_aton("{h3}")
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
"""
        + _WAIT_FOR_END,
        topology="chain:3",
    ),
    Experiment(
        "ack-lost",
        _ASK,
        _SERVE
        + """
import select, struct
got = c.recv(9)
def segments_with_data():
    info = c.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
    return struct.unpack_from("=I", info, 152)[0]
while segments_with_data() < 2:
    select.select([], [], [], 0.01)
c.sendall(got)
""",
        wire=("server>client drop ack 1",),
    ),
    Experiment(
        "syn-filtered",
        _ASK,
        _FILTER.replace("VERDICT", "drop") + _ECHO,
        capabilities=("CAP_NET_ADMIN",),
    ),
    Experiment(
        "syn-refused-by-filter",
        _ASK,
        _FILTER.replace("VERDICT", "reject") + _ECHO,
        capabilities=("CAP_NET_ADMIN",),
    ),
)
"""A cause each, of those that no scenario shows."""
