"""A wire's rate and delay beside those of the kernel's own: tc-tbf(8) and tc-netem(8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.api import Program, Result, Scenario, Step, run, two_hosts
from lab.records import Direction

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]

COUNT, SIZE, RATE = 40, 1000, 1_000_000
FRAME = 14 + 20 + 8 + SIZE
BURST = 2000
"""What tbf lets pass at once: less than two of these frames, and more than a link's MTU."""
DELAY_MS = 20
TRIES = 3
"""A busy machine is late now and then."""

READ = """
import os, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 4242))
os.write(int(os.environ["READY_FD"]), b"bound")
for _ in range(int(sys.argv[2])):
    data, peer = s.recvfrom(2000)
    s.sendto(b"x", peer)
"""
SHAPE = """
import socket, sys, time
def shape(kind, **how):
    if not how:
        return True
    from pyroute2 import IPRoute, NetlinkError
    with IPRoute() as route:
        try:
            route.tc("add", kind, route.link_lookup(ifname="eth0")[0], **how)
        except NetlinkError as error:
            if error.code != 2:  # ENOENT: this kernel has none
                raise
            print("none")
            return False
    return True
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], 4242))
s.settimeout(10)
count = int(sys.argv[2])
"""
AT_A_RATE = (
    SHAPE
    + """
how = {"rate": int(sys.argv[3]), "burst": int(sys.argv[4]), "limit": 10**6} if sys.argv[3:] else {}
if shape("tbf", **how):
    for _ in range(count):
        s.send(bytes(1000))
    for _ in range(count):
        s.recv(10)
else:
    for _ in range(count):
        s.send(b"x")
"""
)
WITH_A_DELAY = (
    SHAPE
    + """
shape("netem", **({"delay": int(sys.argv[3]) * 1000} if sys.argv[3:] else {}))
waits = []
for _ in range(count):
    began = time.monotonic()
    s.send(b"x")
    s.recv(10)
    waits.append(time.monotonic() - began)
print(min(waits) * 1000)
"""
)


def result_of(code: str, folder: Path, count: int, shaped: tuple[int, ...], wire: str) -> Result:
    reader = Program(
        "server", "server", ("{python}", "-c", READ, "{server}", str(count)), signals_ready=True
    )
    words = (str(count), *map(str, shaped))
    sender = Program(
        "client",
        "client",
        ("{python}", "-P", "-c", code.replace("{", "{{").replace("}", "}}"), "{server}", *words),
        capabilities=("CAP_NET_ADMIN",),
    )
    step = Step("talk", (reader, sender), wire=(wire,) if wire else ())
    talk = Scenario("talk", "datagrams and their answers", two_hosts(), (step,), ())
    return run(talk, out=folder, trace="none")


def printed(result: Result) -> str:
    (timeline,) = result.timelines
    return next(each.stdout for each in timeline.programs if each.name == "client").strip()


def seconds_for_all(result: Result) -> float:
    """From the fourth datagram's arrival to the last's: what may pass at once has passed."""
    host_of = {point.name: point.host for point in result.recording.points}
    came = sorted(
        frame.time_ns
        for frame in result.recording.frames
        if host_of[frame.point] == "server"
        and frame.direction is Direction.IN
        and len(frame.data) == FRAME
    )
    assert len(came) == COUNT
    return (came[-1] - came[3]) / 1e9


def test_its_rate_is_that_of_a_token_bucket(tmp_path: Path) -> None:
    """Both take as long for the same frames, and neither less than their bits need."""
    least_s = (COUNT - 4) * FRAME * 8 / RATE
    ratios = []
    for _ in range(TRIES):
        shaped = result_of(AT_A_RATE, tmp_path, COUNT, (RATE // 8, BURST), "")
        if printed(shaped) == "none":
            pytest.skip("this kernel has no tbf (CONFIG_NET_SCH_TBF)")
        wired = result_of(AT_A_RATE, tmp_path, COUNT, (), f"client>server rate {RATE}")
        bucket_s, wire_s = seconds_for_all(shaped), seconds_for_all(wired)
        assert wire_s > 0.97 * least_s
        assert bucket_s > 0.97 * least_s
        ratios.append(wire_s / bucket_s)
        if 0.95 < ratios[-1] < 1.05:
            return
    pytest.fail(f"times of the wire to those of tbf: {ratios}")


def test_its_delay_is_that_of_netem(tmp_path: Path) -> None:
    shaped = result_of(WITH_A_DELAY, tmp_path, 5, (DELAY_MS,), "")
    if "none" in printed(shaped):
        pytest.skip("this kernel has no netem (CONFIG_NET_SCH_NETEM)")
    differences = []
    for _ in range(TRIES):
        wired = result_of(WITH_A_DELAY, tmp_path, 5, (), f"client>server delay {DELAY_MS}")
        netem_ms, wire_ms = float(printed(shaped)), float(printed(wired))
        assert netem_ms >= DELAY_MS <= wire_ms
        differences.append(wire_ms - netem_ms)
        if abs(differences[-1]) < 0.1 * DELAY_MS:
            return
    pytest.fail(f"the wire's round trips are {differences} ms longer than netem's")
