"""Calls on unix sockets that fail, and credentials that read otherwise."""

from __future__ import annotations

from lab.experiments.experiment import Experiment

_UNIX = "import socket\ns = socket.socket(socket.AF_UNIX)\n"
_GREET = """
import socket
s = socket.socket(socket.AF_UNIX)
s.bind("/tmp/word.sock")
s.listen()
c, _ = s.accept()
c.sendall(b"hello")
c.recv(1)
"""
_ASK_WHO = """
s = socket.socket(socket.AF_UNIX)
s.connect("/tmp/word.sock")
s.recv(10)
print(struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])
"""

OF_UNIX = (
    Experiment("unix-no-file", _UNIX + 's.connect("/tmp/nothing")'),
    Experiment(
        "unix-another-type",
        _UNIX
        + """
s.bind("/tmp/stream")
s.listen()
c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
c.connect("/tmp/stream")
""",
    ),
    Experiment(
        "unix-name-too-long",
        _UNIX
        + """
import ctypes, struct
address = struct.pack("H", socket.AF_UNIX) + b"/tmp/" + b"x" * 120
# Python refuses such a name itself.
ctypes.CDLL(None).bind(s.fileno(), address, len(address))
""",
    ),
    Experiment(
        "unix-accept-queue-full",
        _UNIX
        + """
s.bind("/tmp/crowd")
s.listen(0)
many = [socket.socket(socket.AF_UNIX) for _ in range(3)]
for c in many:
    c.setblocking(False)
    c.connect("/tmp/crowd")
""",
    ),
    Experiment(
        "unix-peer-closed",
        'import socket\na, b = socket.socketpair()\nb.close()\na.send(b"hello")',
    ),
    Experiment(
        "uid-not-mapped",
        """
import ctypes, socket, struct
ctypes.CDLL(None).unshare(0x10000000)
"""
        + _ASK_WHO,
        _GREET,
        unix="/tmp/word.sock",
    ),
    Experiment(
        "uid-mapped",
        """
import ctypes, os, socket, struct
uid = os.getuid()
ctypes.CDLL(None).unshare(0x10000000)
open("/proc/self/uid_map", "w").write(f"4321 {uid} 1")
"""
        + _ASK_WHO,
        _GREET,
        unix="/tmp/word.sock",
    ),
)
"""A cause each, of those that no scenario shows."""
