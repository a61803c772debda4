"""What capturing at full speed loses and costs: wirelab's, tcpdump's and dumpcap's, in one run.

Two hosts, both ends of their link captured, the same ring memory for each. The ways take turns, so
that a noisy moment hits all. What passed is what the interfaces count; CPU is that of the processes
that capture, which have written all to disk then: wirelab's blocks, theirs packets. Arguments: how
many seconds each, how many rounds, and which traffics; 5, 3 and all by default.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from lab.kernel.capture.capture import PointName, close_captures, open_captures
from lab.kernel.capture.capturing import Capturing
from lab.kernel.capture.frames import FrameRecorder
from lab.kernel.capture.spool import open_spools
from lab.kernel.network.links_ready import wait_until_links_ready
from lab.kernel.network.namespace import Namespace, build_topology
from lab.kernel.sandbox.sandbox import open_sandbox
from lab.model.family import Family
from lab.model.topology import two_hosts

SECONDS = 5
ROUNDS = 3
RING_MIB = 16
PORT = "5201"
TRAFFICS: Mapping[str, tuple[str, ...]] = {
    "TCP": (),
    # 42 bytes are the headers'.
    "UDP, 60 bytes": ("-u", "-b", "0", "-l", "18"),
    "UDP, 1400 bytes": ("-u", "-b", "0", "-l", "1358"),
}
CPU_LIMITS = {"tcpdump": 1.5, "dumpcap": 0.35}
QUIET_S = 1.5  # libpcap's tools have their last frames from the kernel after a second at most
PCAP_HEADER_BYTES, PCAP_RECORD_BYTES = 24, 16
ENHANCED_PACKET = 6
CPUCLOCK_SCHED = 2  # linux/posix-timers_types.h

Hosts = Mapping[str, Namespace]


@dataclass
class Captured:
    """What one way of capturing made of one traffic."""

    passed: int = 0
    """Frames that the two interfaces have sent and received."""
    saved: int = 0
    said_lost: int = 0
    """Those of which it says itself that they are lost."""
    cpu_s: float = 0.0
    rate: float = 0.0
    """Of TCP in bits, of UDP in datagrams that the client sent, a second."""

    @property
    def lost(self) -> int:
        """Frames that passed and were not saved."""
        return self.passed - self.saved

    @property
    def cpu_us(self) -> float:
        """CPU time for each frame that was saved, in microseconds."""
        return 1e6 * self.cpu_s / max(1, self.saved)


def frames_passed(hosts: Hosts) -> int:
    """What the interfaces have sent and received so far."""
    total = 0
    for namespace in hosts.values():
        with namespace.entered():
            lines = Path("/proc/thread-self/net/dev").read_text().splitlines()
        (fields,) = [line.split() for line in lines if line.strip().startswith("eth0:")]
        total += int(fields[2]) + int(fields[10])
    return total


def cpu_s(pid: int) -> float:
    """How long a process has run, with the threads that it had: clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)


@contextmanager
def nobody(_hosts: Hosts, _folder: Path, _found: Captured) -> Iterator[None]:
    yield


@contextmanager
def wirelab(hosts: Hosts, folder: Path, found: Captured) -> Iterator[None]:
    (link,) = two_hosts().links
    wanted = [(hosts[end.host], PointName(end.host, end.name, link.name)) for end in link.ends]
    captures = open_captures(wanted, Capturing(ring_bytes=RING_MIB << 20))
    os.environ["TMPDIR"] = str(folder)
    with open_spools() as spools:
        recorder = FrameRecorder(captures, spools)
        try:
            yield
            recorder.close_window()
            found.cpu_s = cpu_s(recorder.writer.pid)
            found.saved = recorder.saved
            found.said_lost = sum(capture.statistics().dropped for capture in captures)
        finally:
            recorder.close()
            close_captures(captures)


@contextmanager
def both(command: tuple[str, ...], ready: str, hosts: Hosts, found: Captured) -> Iterator[None]:
    """A tool at each of the points, until they have written all."""
    tools = []
    for namespace in hosts.values():
        with namespace.entered():
            words = [word.replace("HOST", namespace.name) for word in command]
            tools.append(subprocess.Popen(words, stderr=subprocess.PIPE, text=True))
    try:
        for tool in tools:
            assert tool.stderr is not None
            while ready not in (line := tool.stderr.readline()):
                assert line, f"{command[0]} has ended"
        yield
        time.sleep(QUIET_S)
        for tool in tools:
            tool.send_signal(signal.SIGINT)
        for tool in tools:
            assert tool.stderr is not None
            said = tool.stderr.read()
            _, _, usage = os.wait4(tool.pid, 0)
            tool.returncode = 0
            found.cpu_s += usage.ru_utime + usage.ru_stime
            found.said_lost += said_lost(said)
    finally:
        for tool in tools:
            if tool.returncode is None:
                tool.kill()
                tool.wait()


def said_lost(text: str) -> int:
    """What tcpdump ("12 packets dropped by kernel") or dumpcap ("…: 34/12 …") says it lost."""
    for line in text.splitlines():
        if "dropped by kernel" in line:
            return int(line.split()[0])
        if "received/dropped on interface" in line:
            return int(line.partition("': ")[2].split()[0].split("/")[1])
    return 0


@contextmanager
def tcpdump(hosts: Hosts, folder: Path, found: Captured) -> Iterator[None]:
    file = f"{folder}/HOST.pcap"
    words = ("tcpdump", "-i", "eth0", "-n", "-Z", "root", "-B", str(RING_MIB << 10), "-w", file)
    with both(words, "listening on", hosts, found):
        yield
    found.saved = sum(map(frames_in_pcap, folder.glob("*.pcap")))


@contextmanager
def dumpcap(hosts: Hosts, folder: Path, found: Captured) -> Iterator[None]:
    file = f"{folder}/HOST.pcapng"
    words = ("dumpcap", "-i", "eth0", "-q", "-B", str(RING_MIB), "-w", file)
    with both(words, "File:", hosts, found):
        yield
    found.saved = sum(map(frames_in_pcapng, folder.glob("*.pcapng")))


def frames_in_pcap(file: Path) -> int:
    """How many records it has."""
    data, at, count = file.read_bytes(), PCAP_HEADER_BYTES, 0
    while at < len(data):
        (length,) = struct.unpack_from("=I", data, at + 8)
        at += PCAP_RECORD_BYTES + length
        count += 1
    return count


def frames_in_pcapng(file: Path) -> int:
    """How many Enhanced Packet Blocks it has."""
    data, at, count = file.read_bytes(), 0, 0
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at)
        at += length
        count += kind == ENHANCED_PACKET
    return count


Way = Callable[[Hosts, Path, Captured], AbstractContextManager[None]]
WAYS: Mapping[str, Way] = {
    "no capture": nobody,
    "wirelab": wirelab,
    "tcpdump": tcpdump,
    "dumpcap": dumpcap,
}


def measure(way: str, traffic: str, out: str, seconds: int) -> Captured:
    """Run inside: that traffic, captured in that way."""
    found = Captured()
    with TemporaryDirectory(dir=out) as name, build_topology(two_hosts()) as hosts:
        wait_until_links_ready(hosts)
        address = str(two_hosts().address("server", Family.IPV4))
        with hosts["server"].entered():
            command = ["iperf3", "-s", "-1", "-p", PORT, "--forceflush"]
            server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        try:
            with WAYS[way](hosts, Path(name), found):
                while "listening" not in server.stdout.readline():
                    assert server.poll() is None
                before = frames_passed(hosts)
                with hosts["client"].entered():
                    words = ("iperf3", "-c", address, "-p", PORT, "-J", "-t", str(seconds))
                    done = subprocess.run(
                        (*words, *TRAFFICS[traffic]), capture_output=True, text=True, check=True
                    )
                server.wait()
                found.passed = frames_passed(hosts) - before
        finally:
            server.kill()
            server.wait()
    end = json.loads(done.stdout)["end"]
    found.rate = end["sum_received"]["bits_per_second"]
    if "-u" in TRAFFICS[traffic]:
        found.rate = end["sum"]["packets"] / end["sum"]["seconds"]
    return found


def main(seconds: int = SECONDS, rounds: int = ROUNDS, *traffics: str) -> None:
    """Print what was measured."""
    # By that name: the sandbox cannot import what is executed as __main__.
    from tests.benchmarks import capture

    if os.geteuid() != 0 or shutil.which("iperf3") is None:
        print("skipped: it needs root and iperf3 (apt-get install iperf3)")
        return
    ways = [way for way in WAYS if way in ("no capture", "wirelab") or shutil.which(way)]
    for missing in WAYS.keys() - ways:
        print(f"{missing}: skipped, it is not installed")
    with TemporaryDirectory() as out:
        for traffic in traffics or TRAFFICS:
            found: dict[str, list[Captured]] = {way: [] for way in ways}
            for turn in range(rounds):
                # Each comes first once: memory that another has just freed is quicker to write to.
                for way in (*ways[turn % len(ways) :], *ways[: turn % len(ways)]):
                    with open_sandbox() as sandbox:
                        found[way].append(sandbox.call(capture.measure, way, traffic, out, seconds))
            report(traffic, found)


def report(traffic: str, found: Mapping[str, list[Captured]]) -> None:
    """What every way made of it."""
    unit, scale = ("Mbit/s", 1e6) if not TRAFFICS[traffic] else ("thousand datagrams/s", 1e3)
    alone = median(each.rate for each in found["no capture"])
    print(f"{traffic}: {alone / scale:,.0f} {unit} where nobody captures")
    for way, every in found.items():
        if way == "no capture":
            continue
        rate = median(each.rate for each in every)
        lost = ", ".join(f"{each.lost:,} of {each.passed:,}" for each in every)
        unsaid = sum(each.lost - each.said_lost for each in every)
        print(
            f"  {way:<8} lost {lost}, {unsaid:,} of them unsaid; "
            f"{median(each.cpu_us for each in every):.2f} µs of CPU a frame; "
            f"{rate / scale:,.0f} {unit}, {alone / rate:.2f} times slower"
        )
    ours = median(each.cpu_us for each in found["wirelab"])
    for way, limit in CPU_LIMITS.items():
        if way in found:
            theirs = median(each.cpu_us for each in found[way])
            print(f"  CPU a frame, wirelab / {way}: {ours / theirs:.2f} (at most {limit:g})")
    sys.stdout.flush()


if __name__ == "__main__":
    given = sys.argv[1:]
    asked = given[:2] + [str(SECONDS), str(ROUNDS)][len(given[:2]) :]
    main(int(asked[0]), int(asked[1]), *given[2:])
