"""Programs that wait for what does not come, and connections that do not end."""

from __future__ import annotations

from lab.experiments.experiment import Experiment

_BEGIN = 'import socket\nc = socket.create_connection(("{server}", {port}))\n'
_SERVE = 'import socket\ns = socket.create_server(("", {port}))\nc, _ = s.accept()\n'
_ASK = _BEGIN + 'c.sendall(b"hello")\nc.recv(10)'
_READ_LATE = (
    _SERVE
    + """
import select, struct
def quiet_ms():
    info = c.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return struct.unpack_from("=I", info, 52)[0]
while quiet_ms() < 1500:
    select.select([], [], [], 0.02)
while c.recv(65536):
    pass
"""
)

OF_WAITS = (
    Experiment("both-wait", _BEGIN + "c.recv(10)", _SERVE + "c.recv(10)", deadline_s=2),
    Experiment(
        "end-never-comes",
        _BEGIN + 'c.sendall(b"hello")\nwhile c.recv(10):\n    pass',
        _SERVE + "c.sendall(c.recv(10))\nimport time\ntime.sleep(60)",
        deadline_s=2,
    ),
    Experiment(
        "peer-does-not-answer",
        _ASK,
        _SERVE + "c.recv(10)\nimport time\ntime.sleep(60)",
        deadline_s=2,
    ),
    Experiment(
        "not-accepted",
        _ASK,
        """
import select, socket
s = socket.create_server(("", {port}))
select.select([], [], [], 60)
""",
        deadline_s=2,
    ),
    Experiment(
        "close-wait",
        _BEGIN + "c.close()",
        _SERVE
        + """
import select, struct
c.recv(1)
def quiet_ms():
    info = c.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return struct.unpack_from("=I", info, 56)[0]
while quiet_ms() < 1100:
    select.select([], [], [], 0.01)
c.close()
""",
    ),
    Experiment(
        "both-send",
        _BEGIN + "c.sendall(bytes(3_000_000))",
        _SERVE + "c.sendall(bytes(3_000_000))",
    ),
    Experiment(
        "corked",
        _BEGIN
        + "c.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)\n"
        + 'c.sendall(b"hello")\nc.recv(10)',
        _SERVE + "while data := c.recv(100):\n    c.sendall(data)",
    ),
    Experiment(
        "held-open",
        _BEGIN + 'c.sendall(b"hello")\nwhile c.recv(10):\n    pass',
        """
import os, socket
s = socket.create_server(("", {port}))
while True:
    c, _ = s.accept()
    if os.fork() == 0:
        s.close()
        c.sendall(c.recv(10))
        c.close()
        os._exit(0)
""",
    ),
    Experiment(
        "fin-behind-bytes",
        _BEGIN
        + "c.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 400_000)\n"
        + "c.send(bytes(150_000))\nc.close()",
        _READ_LATE,
    ),
    Experiment(
        "left-unread",
        _BEGIN + 'c.sendall(b"0123456789")\nc.close()',
        _SERVE + "c.recv(4)\ns.accept()",
    ),
)
"""A cause each, of those that no scenario shows."""
