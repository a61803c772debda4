"""What it costs that a link's frames pass through the lab, against the same link without a wire.

In one run, in turn: the time on the link of datagrams that go to and fro one by one, and how many
of 60,000 datagrams that are sent in a second arrive. The wire has one rule, which matches no frame.

.venv/bin/python -m tests.benchmarks.wire [TURNS]
"""

from __future__ import annotations

import shlex
import sys
from statistics import median
from tempfile import TemporaryDirectory

from lab.ad_hoc import ad_hoc_scenario
from lab.api import Result, run
from lab.records import Direction

TURNS = 3
PINGS = 2_000
FLOOD = 60_000
RULE = "client>server drop RST"
ECHO = f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("{{server}}", {{port}}))
for _ in range({PINGS}):
    data, peer = s.recvfrom(100)
    s.sendto(data, peer)
"""
PING = f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("{{server}}", {{port}}))
for number in range({PINGS}):
    s.send(b"%d" % number)
    s.recv(100)
"""
SINK = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 25)
s.bind(("{server}", {port}))
while s.recv(100) != b"end":
    pass
"""
POUR = f"""
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("{{server}}", {{port}}))
began = time.perf_counter()
for number in range({FLOOD}):
    s.send(b"%08d" % number)
    while time.perf_counter() < began + number / {FLOOD}:
        pass
print(round({FLOOD} / (time.perf_counter() - began)))
while True:
    try:
        s.send(b"end")
    except ConnectionRefusedError:
        break
    time.sleep(0.01)
"""


def outcome(server: str, client: str, wire: tuple[str, ...]) -> Result:
    commands = (shlex.join((sys.executable, "-IS", "-c", code)) for code in (server, client))
    with TemporaryDirectory() as out:
        return run(ad_hoc_scenario(*commands), trace="none", out=out, wire=wire)


def one_way_us(wire: tuple[str, ...]) -> float:
    """The median of the datagrams' times between the two ends' captures."""
    (timeline,) = outcome(ECHO, PING, wire).timelines
    times = [
        crossing.received_ns - crossing.sent_ns
        for crossing in timeline.crossings
        if crossing.packet.udp and crossing.sent_ns and crossing.received_ns
    ]
    return median(times) / 1e3


def arrived(wire: tuple[str, ...]) -> tuple[int, int, int]:
    """How many datagrams left, how many arrived, and the rate at which they were sent."""
    recording = outcome(SINK, POUR, wire).recording
    (client,) = [each for each in recording.programs if each.name == "client"]
    flood = [frame for frame in recording.frames if frame.wire_bytes == 14 + 20 + 8 + 8]
    left = sum((f.point, f.direction) == ("client/eth0", Direction.OUT) for f in flood)
    came = sum((f.point, f.direction) == ("server/eth0", Direction.IN) for f in flood)
    return left, came, int(client.stdout)


def main() -> None:
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else TURNS
    without: list[float] = []
    through: list[float] = []
    for _ in range(turns):
        without.append(one_way_us(()))
        through.append(one_way_us((RULE,)))
    plain, wired = median(without), median(through)
    print(f"one way, without a wire {plain:7.1f} µs")
    print(f"one way, through a wire {wired:7.1f} µs, {wired - plain:+.1f}")
    for name, wire in (("without a wire", ()), ("through a wire", (RULE,))):
        for _ in range(turns):
            left, came, rate = arrived(wire)
            print(f"{name}: {left - came} of {left} datagrams lost at {rate} a second")


if __name__ == "__main__":
    main()
