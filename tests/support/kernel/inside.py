"""What the tests have a sandbox do: each function runs in its init."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import IPv4Interface, IPv6Interface
from pathlib import Path

from lab.errors import LabError
from lab.kernel.capture import ring
from lab.kernel.capture.capture import (
    ETH_P_LOCAL_EXPERIMENTAL,
    LiveCapture,
    PointName,
    begin_captures,
    close_captures,
    open_captures,
)
from lab.kernel.capture.capturing import ALL_OF_IT, Capturing
from lab.kernel.capture.frames import FrameRecorder
from lab.kernel.capture.packet_socket import packet_socket
from lab.kernel.capture.spool import open_spools
from lab.kernel.network import sysctls
from lab.kernel.network.counters import changes, read_counters
from lab.kernel.network.links_ready import wait_until_links_ready
from lab.kernel.network.namespace import FIRST_INDEX, Namespace, build_topology
from lab.kernel.network.netlink import VethEnd, create_namespace
from lab.kernel.network.sockets import undrained_tcp
from lab.kernel.network.witness import check_interfaces, read_interfaces
from lab.kernel.sandbox.sandbox import open_sandbox
from lab.kernel.system import libc
from lab.kernel.system.capabilities import NUMBERS, ambient_capabilities
from lab.model.family import Family
from lab.model.topology import Topology
from lab.records import CapturePoint, Frame, InterfaceSeen, SysctlSet

ETH0 = FIRST_INDEX
BROADCAST = b"\xff" * 6
SOURCE = b"\x02\0\0\0\0\x63"

_kept = ExitStack()


# The sandbox and its processes.


def inherits(inode: int) -> tuple[str, str, str, bool]:
    """What SIGTERM and SIGHUP do, the standard input, and whether a file is open."""
    does = (signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP))
    term, hangup = (each.name if isinstance(each, signal.Handlers) else "caught" for each in does)
    # The listing's own descriptor is gone when it is looked at.
    opened = [each for each in Path("/proc/self/fd").iterdir() if each.exists()]
    inodes = {each.stat().st_ino for each in opened}
    return term, hangup, str(Path("/proc/self/fd/0").readlink()), inode in inodes


def process_ids() -> tuple[int, int]:
    return os.getpid(), os.getppid()


def namespaces() -> dict[str, str]:
    kinds = ("net", "mnt", "pid", "user")
    return {kind: str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in kinds}


def raise_error(error: Exception) -> None:
    raise error


def block() -> None:
    select.select([], [], [])


DAEMON = """
import os, select, signal, sys
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
os.write(1, b"up")
select.select([], [], [])
"""


def start_daemon() -> None:
    """Leave a process behind that has left its parent, its session and the terminal's signals."""
    read, write = os.pipe()
    with subprocess.Popen([sys.executable, "-IS", "-c", DAEMON], stdout=write):
        os.close(write)
    assert os.read(read, 2) == b"up"
    os.close(read)


def output_of(*command: str) -> str:
    """As a program that keeps what it needs to change namespaces."""
    with ambient_capabilities(["CAP_SYS_ADMIN", "CAP_NET_ADMIN"]):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def forbid_user_namespaces_and_try_another_sandbox() -> str:
    """The message of a sandbox refused inside this one, which must be in a user namespace."""
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    drop_capabilities()
    try:
        with open_sandbox() as sandbox:
            sandbox.call(process_ids)
    except LabError as error:
        return f"{type(error).__name__}: {error}"
    return "opened"


def drop_capabilities(kept: int = 0) -> None:
    """Give up this thread's capabilities but `kept`. Source: capset(2), version 3."""
    header = struct.pack("=Ii", 0x20080522, 0)
    data = ctypes.create_string_buffer(24)
    assert libc.LIBC.capget(header, data) == 0
    low, _, _, high, _, _ = struct.unpack("=6I", data.raw)
    low, high = low & kept, high & kept >> 32
    data = ctypes.create_string_buffer(struct.pack("=6I", low, low, 0, high, high, 0), 24)
    assert libc.LIBC.capset(header, data) == 0


# Namespaces.


def keep_topology(topology: Topology) -> None:
    """Build it and leave it there for the sandbox's later calls."""
    _kept.enter_context(build_topology(topology))


def seen_by_witness(topology: Topology) -> tuple[InterfaceSeen, ...]:
    with build_topology(topology) as built:
        return check_interfaces(built)


def address_behind_its_back(topology: Topology, address: IPv4Interface | IPv6Interface) -> None:
    with build_topology(topology) as built:
        first = built[topology.hosts[0]]
        first.netlink.add_address(ETH0, address)
        first.netlink.commit()
        check_interfaces(built)


def device_behind_its_back(topology: Topology, is_up: bool) -> tuple[InterfaceSeen, ...]:
    """What the witness says with a device in the first host that nobody asked for."""
    with build_topology(topology) as built:
        first, second = list(built.values())[:2]
        near, far = (VethEnd("tunl0", 2, f"02:00:00:00:ff:{number:02x}") for number in (1, 2))
        first.netlink.create_veth(near, far, second.descriptor, 1500)
        if is_up:
            first.netlink.set_up(2)
        first.netlink.commit()
        return check_interfaces(built)


def add_addresses(
    topology: Topology, addresses: Sequence[IPv4Interface | IPv6Interface]
) -> tuple[str, tuple[InterfaceSeen, ...]]:
    """All in one commit to the first host; the refusal, and the interfaces afterwards."""
    with build_topology(topology) as built:
        first = built[topology.hosts[0]]
        for address in addresses:
            first.netlink.add_address(ETH0, address)
        try:
            first.netlink.commit()
        except LabError as error:
            refusal = f"{type(error).__name__}: {error}"
        else:
            refusal = ""
        return refusal, read_interfaces(first)


def create_twice(name: str) -> None:
    create_namespace(name)
    create_namespace(name)


def write_sysctl(topology: Topology, key: str, value: str) -> None:
    with build_topology(topology) as built, built[topology.hosts[0]].entered():
        sysctls.write_sysctl(key, value)


def counted_of_a_datagram(topology: Topology) -> dict[str, dict[str, int]]:
    """What two hosts count of a datagram from the first to a port of the second that nobody has."""
    with build_topology(topology) as built:
        wait_until_links_ready(built)
        before = {host: read_counters(namespace) for host, namespace in built.items()}
        first, second = topology.hosts
        with built[first].entered():
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sender:
            sender.settimeout(10)
            sender.connect((str(topology.address(second, Family.IPV4)), 9))
            sender.send(b"x")
            with suppress(ConnectionRefusedError):
                sender.recv(1)
        after = {host: read_counters(namespace) for host, namespace in built.items()}
        return {host: changes(before[host], after[host]) for host in built}


def counted_of_a_full_queue(
    topology: Topology,
) -> tuple[dict[str, dict[str, int]], int, int] | None:
    """What two hosts count while the first sends more than a token bucket holds (tc-tbf(8)).

    And how many datagrams it sent, and how many came. None where the kernel has no tbf.
    """
    from pyroute2 import IPRoute, NetlinkError

    sent, size = 60, 1000
    with build_topology(topology) as built:
        wait_until_links_ready(built)
        first, second = topology.hosts
        address = str(topology.address(second, Family.IPV4))
        with built[second].entered():
            receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with receiver, built[first].entered(), IPRoute() as route:
            receiver.bind((address, 4242))
            receiver.settimeout(10)
            before = {host: read_counters(namespace) for host, namespace in built.items()}
            (index,) = route.link_lookup(ifname="eth0")
            # 10 of them at once, then 20 wait; a hundredth of a second each.
            rate, burst = 100 * (size + 42), 10 * (size + 42)
            try:
                route.tc("add", "tbf", index, rate=rate, burst=burst, limit=20 * (size + 42))
            except NetlinkError as error:
                if error.code == errno.ENOENT:
                    return None
                raise
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for number in range(sent):
                    sender.sendto(bytes([number]) * size, (address, 4242))
            came = 0
            with suppress(TimeoutError):
                while True:
                    receiver.recv(2000)
                    came += 1
                    receiver.settimeout(1)
        after = {host: read_counters(namespace) for host, namespace in built.items()}
        return {host: changes(before[host], after[host]) for host in built}, sent, came


def received_before_a_run(topology: Topology) -> dict[str, int]:
    """How many frames came to eth0 of each host that is no switch until its links were ready."""
    with build_topology(topology) as built:
        wait_until_links_ready(built)
        found = {}
        for host, namespace in built.items():
            if namespace.bridge_index is None:
                with namespace.entered():
                    text = Path("/proc/thread-self/net/dev").read_text("ascii")
                (line,) = (each for each in text.splitlines() if each.strip().startswith("eth0:"))
                found[host] = int(line.partition(":")[2].split()[1])
        return found


def sysctls_set(topology: Topology) -> list[SysctlSet]:
    with build_topology(topology) as built:
        return [each for namespace in built.values() for each in namespace.sysctls]


def sysctl_of(topology: Topology, host: str, path: str) -> str:
    with build_topology(topology) as built, built[host].entered():
        return Path("/proc/sys", path).read_text("ascii").strip()


def sysctls_of(topology: Topology, paths: Sequence[str]) -> list[list[str | None]]:
    """For each host."""
    found = []
    with build_topology(topology) as built:
        for namespace in built.values():
            with namespace.entered():
                found.append([sysctls.read_sysctl(path) for path in paths])
    return found


def namespace_after_an_error_inside(topology: Topology) -> tuple[Path, Path, Path]:
    """The network namespace before, inside and after a with statement that raised."""
    link = Path("/proc/thread-self/ns/net")
    with build_topology(topology) as built:
        before, within = link.readlink(), link
        try:
            with built[topology.hosts[0]].entered():
                within = link.readlink()
                raise LookupError
        except LookupError:
            return before, within, link.readlink()


# The older requests of include/uapi/linux/ethtool.h, each with a 32-bit answer. They are
# another way to the features than the one that lab.kernel.network.offloads uses.
ETHTOOL_REQUESTS = {
    "rx-checksumming": 0x14,
    "tx-checksumming": 0x16,
    "scatter-gather": 0x18,
    "tcp-segmentation-offload": 0x1E,
    "generic-segmentation-offload": 0x23,
    "generic-receive-offload": 0x2B,
}


def offloads(topology: Topology) -> tuple[dict[str, list[str]], list[str]]:
    """What is on, by interface; and what a veth has on that nobody has touched."""
    with build_topology(topology) as built:
        first = built[topology.hosts[0]]
        near, far = (
            VethEnd("spare0", 90, "02:00:00:00:09:00"),
            VethEnd("spare1", 91, "02:00:00:00:09:01"),
        )
        first.netlink.create_veth(near, far, first.descriptor, 1500)
        first.netlink.commit()
        ours = {
            f"{end.host}/{end.name}": _features_on(built[end.host], end.name)
            for end in topology.interfaces()
        }
        return ours, _features_on(first, "spare0")


def _features_on(namespace: Namespace, interface: str) -> list[str]:
    found = []
    for name, request in ETHTOOL_REQUESTS.items():
        value = array("I", [request, 0])
        ifreq = struct.pack("=16sQ16x", interface.encode(), value.buffer_info()[0])
        fcntl.ioctl(namespace.netlink.fileno(), 0x8946, ifreq)
        if value[1]:
            found.append(name)
    return found


def mtus(topology: Topology) -> dict[str, int]:
    """By interface. Source: netdevice(7), SIOCGIFMTU."""
    found = {}
    with build_topology(topology) as built:
        for end in topology.interfaces():
            request = struct.pack("=16si20x", end.name.encode(), 0)
            answer = fcntl.ioctl(built[end.host].netlink.fileno(), 0x8921, request)
            found[f"{end.host}/{end.name}"] = struct.unpack_from("=i", answer, 16)[0]
    return found


LOOPBACK_ADDRESS = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


def undrained_as_a_connection_ends(
    topology: Topology, family: socket.AddressFamily
) -> tuple[list[str], ...]:
    """What is not drained while there is a listener, a connection, half of one and none."""
    found = []
    with build_topology(topology) as built:
        here = built[topology.hosts[0]]
        with here.entered():
            listener = socket.create_server((LOOPBACK_ADDRESS[family], 4242), family=family)
            client = socket.socket(family)
        found.append(undrained_tcp(here))
        client.connect((LOOPBACK_ADDRESS[family], 4242))
        server, _ = listener.accept()
        found.append(undrained_tcp(here))
        client.close()
        found.append(undrained_tcp(here))
        server.close()
        end = time.monotonic() + 5
        while undrained_tcp(here) and time.monotonic() < end:
            select.select([], [], [], 0.001)
        found.append(undrained_tcp(here))
        listener.close()
    return tuple(found)


# Captures.


@contextmanager
def captures_of(topology: Topology, capturing: Capturing = ALL_OF_IT) -> Iterator[FrameRecorder]:
    """A recorder of the topology's frames, its links ready, with a capture at each interface."""
    with build_topology(topology) as built:
        wait_until_links_ready(built)
        wanted = [
            (built[end.host], PointName(end.host, end.name, link.name))
            for link in topology.links
            for end in link.ends
        ]
        captures = open_captures(wanted, capturing)
        with recorder_of(captures, capturing) as recorder:
            try:
                yield recorder
            finally:
                close_captures(captures)


@contextmanager
def recorder_of(captures: Sequence[LiveCapture], capturing: Capturing) -> Iterator[FrameRecorder]:
    with open_spools() as spools:
        recorder = FrameRecorder(captures, spools, capturing)
        try:
            yield recorder
        finally:
            recorder.close()


def frame(payload: bytes, kind: int = ETH_P_LOCAL_EXPERIMENTAL) -> bytes:
    return BROADCAST + SOURCE + struct.pack("!H", kind) + payload


def frames_sent(
    topology: Topology, sent: Sequence[bytes], snap_bytes: int | None = None
) -> tuple[tuple[Frame, ...], list[CapturePoint], tuple[int, int]]:
    """Each frame sent from the first point: what all saw, counted, and the time around it."""
    with captures_of(topology, Capturing(snap_bytes=snap_bytes)) as recorder:
        near, far = recorder.captures[:2]
        before = time.time_ns()
        for data in sent:
            near.send_frame(data)
        wait_until_counted(far, len(sent))
        after = time.time_ns()
        recorder.close_window()
        counted = [capture.statistics() for capture in recorder.captures]
        return recorder.frames(), counted, (before, after)


def watch(topology: Topology, window_s: float) -> tuple[Frame, ...]:
    """Everything seen in a window of time that begins with a frame of our own from each end."""
    with captures_of(topology) as recorder:
        for capture in recorder.captures:
            capture.send_frame(frame(b"our own".ljust(46, b"\0")))
        time.sleep(window_s)
        recorder.close_window()
        return recorder.frames()


def overflow(
    topology: Topology, count: int, ring_bytes: int
) -> tuple[tuple[Frame, ...], list[CapturePoint], int]:
    """`count` frames to rings that nobody empties; what they held, what they counted.

    Then one frame more, to rings that were emptied; how many saw it.
    """
    with captures_of(topology, Capturing(ring_bytes=ring_bytes)) as recorder:
        near, far = recorder.captures
        os.kill(recorder.writer.pid, signal.SIGSTOP)
        for number in range(count):
            near.send_frame(frame(number.to_bytes(4).ljust(46, b"\0")))
        wait_until_counted(far, count)
        os.kill(recorder.writer.pid, signal.SIGCONT)
        recorder.flush()
        held = recorder.frames()
        counted = [capture.statistics() for capture in recorder.captures]
        last = frame(b"last".ljust(46, b"\0"))
        near.send_frame(last)
        wait_until_counted(far, count + 1)
        recorder.close_window()
        return held, counted, sum(one.data == last for one in recorder.frames())


def wait_until_counted(capture: LiveCapture, count: int) -> None:
    end = time.monotonic() + 5
    while capture.statistics().frames < count and time.monotonic() < end:
        select.select([], [], [], 0.001)


def count_twice(topology: Topology) -> tuple[list[int], int]:
    """A point's frame counts after one frame, after no other, and after two more; those written."""
    counts = []
    with captures_of(topology) as recorder:
        near = recorder.captures[0]
        for number in (1, 0, 2):
            for _ in range(number):
                near.send_frame(frame(bytes(46)))
            recorder.flush()
            counts.append(near.statistics().frames)
        return counts, sum(each.point == near.point.name for each in recorder.frames())


def close_window_among_frames(topology: Topology) -> list[tuple[int, int, int]]:
    """Each point's counted, dropped and recorded frames, where others send all the time."""
    with captures_of(topology) as recorder:
        near, far = recorder.captures
        sender = os.fork()
        if sender == 0:
            while True:
                near.send_frame(frame(bytes(46)))
        try:
            # A frame has left one point for a while before it is at the other.
            wait_until_counted(far, 1)
            recorder.close_window()
            frames = recorder.frames()
            return [
                (point.frames, point.dropped, sum(f.point == point.name for f in frames))
                for point in (capture.statistics() for capture in recorder.captures)
            ]
        finally:
            os.kill(sender, signal.SIGKILL)
            os.waitpid(sender, 0)


def capture_on(topology: Topology, interface: str) -> None:
    with build_topology(topology) as built:
        host = topology.hosts[0]
        begin_captures(open_captures([(built[host], PointName(host, interface, "link"))]))


def capture_with_an_unaligned_ring(topology: Topology) -> None:
    aligned, ring.FRAME_BYTES = ring.FRAME_BYTES, 100
    try:
        with build_topology(topology) as built:
            endpoint = packet_socket(built[topology.hosts[0]])
            ring.BlockRing(endpoint, f"{topology.hosts[0]}/eth0", 1 << 20, 10).make()
    finally:
        ring.FRAME_BYTES = aligned


def capture_without_rights(topology: Topology) -> None:
    """Ask for a raw socket as a process that may do everything else."""
    with build_topology(topology) as built:
        drop_capabilities(~(1 << NUMBERS["CAP_NET_RAW"]))
        host = topology.hosts[0]
        open_captures([(built[host], PointName(host, "eth0", "link"))])
