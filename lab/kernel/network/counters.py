"""What the kernel of one network namespace counts: read at two moments, and what changed.

Source: proc(5), /proc/net/netstat, snmp, snmp6 and dev; tc(8), qdisc; the kernel's
Documentation/networking/snmp_counter.rst.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from lab.frozen import frozen
from lab.kernel.netlink.queueing import QueueCounts, counted, read_queue_counts
from lab.kernel.network.namespace import Namespace
from lab.linux.counters import OF_INTERFACE, OF_QUEUEING, WITHIN_INTERFACE

FOLDER = "/proc/thread-self/net"
_FILE_BYTES = 1 << 16
_HEADINGS_OF_DEV = 2


@frozen
class CounterReading:
    """The four files as they were at one moment; what a kernel without IPv6 lacks is empty.

    And what the queueing disciplines had counted.
    """

    netstat: bytes
    snmp: bytes
    snmp6: bytes
    dev: bytes
    queues: tuple[QueueCounts, ...] = ()
    """Of interfaces with queueing disciplines that count."""


def read_counters(namespace: Namespace) -> CounterReading:
    """What the host's kernel has counted until now. Raises OSError."""
    with namespace.entered():
        netstat, snmp, snmp6, dev = map(_read, ("netstat", "snmp", "snmp6", "dev"))
        return CounterReading(netstat, snmp, snmp6, dev, read_queue_counts())


def changes(before: CounterReading, after: CounterReading) -> dict[str, int]:
    """By how much each counter changed that did, by the names that lab.linux.counters has."""
    found = {
        **_of_groups(before.netstat, after.netstat),
        **_of_groups(before.snmp, after.snmp),
        **_differences(_of_lines(before.snmp6), _of_lines(after.snmp6)),
        **_differences(_of_interfaces(before.dev), _of_interfaces(after.dev)),
        **counted(before.queues, after.queues),
    }
    return {name: change for name, change in found.items() if change}


def names(reading: CounterReading) -> tuple[str, ...]:
    """Those of all counters that there are; of interfaces, each name once."""
    found: list[str] = []
    for data in (reading.netstat, reading.snmp):
        for group, heads, _ in _groups(data):
            found += (group + head for head in heads)
    found += _of_lines(reading.snmp6)
    return (*found, *(WITHIN_INTERFACE + name for name in (*OF_INTERFACE, *OF_QUEUEING)))


def _read(name: str) -> bytes:
    try:
        descriptor = os.open(f"{FOLDER}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        if name == "snmp6":
            return b""
        raise
    try:
        # A read() gives whole lines up to its size; of many interfaces it takes several.
        pieces = []
        while piece := os.read(descriptor, _FILE_BYTES):
            pieces.append(piece)
    finally:
        os.close(descriptor)
    return b"".join(pieces)


def _groups(data: bytes) -> Iterator[tuple[str, list[str], list[str]]]:
    """Of each pair of lines the name of the group, the names in it, and their values."""
    lines = data.decode("ascii").splitlines()
    for heads, values in zip(lines[::2], lines[1::2], strict=True):
        group, *within = heads.split()
        yield group.rstrip(":"), within, values.split()[1:]


def _of_groups(before: bytes, after: bytes) -> dict[str, int]:
    if before == after:
        return {}
    old = {
        group + name: int(value)
        for group, heads, values in _groups(before)
        for name, value in zip(heads, values, strict=True)
    }
    new = {
        group + name: int(value)
        for group, heads, values in _groups(after)
        for name, value in zip(heads, values, strict=True)
    }
    return _differences(old, new)


def _of_lines(data: bytes) -> dict[str, int]:
    words = data.decode("ascii").split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


def _of_interfaces(data: bytes) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in data.decode("ascii", "backslashreplace").splitlines()[_HEADINGS_OF_DEV:]:
        name, _, values = line.rpartition(":")
        for of_interface, value in zip(OF_INTERFACE, values.split(), strict=False):
            found[name.strip() + WITHIN_INTERFACE + of_interface] = int(value)
    return found


def _differences(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What is there afterwards; of messages of ICMP the kernel lists the types that there were."""
    return {name: value - before.get(name, 0) for name, value in after.items()}
