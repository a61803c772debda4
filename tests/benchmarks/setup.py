"""Chains of N hosts built and torn down: how long a host takes, and how Mininet compares.

A host is a network namespace with a veth to each neighbour, IPv4 and IPv6 addresses,
offloads off, everything up and waited for. Times are medians.
"""

from __future__ import annotations

import time
from statistics import median

from lab.kernel.sandbox.sandbox import open_sandbox
from tests.benchmarks.peer import mininet, why_no_mininet

LENGTHS = (2, 20, 200)
REPEATS = 5
PEER_REPEATS = 3
LIMIT_MS_A_HOST = 4.0
LIMIT_RATIO = 5.0


def build(length: int) -> tuple[float, float]:
    """Run inside a sandbox: seconds to build a chain, and to close it."""
    from lab.kernel.network.links_ready import wait_until_links_ready
    from lab.kernel.network.namespace import build_topology
    from lab.model.shapes import chain

    topology = chain(length)
    started = time.perf_counter()
    with build_topology(topology) as namespaces:
        wait_until_links_ready(namespaces)
        built = time.perf_counter()
    return built - started, time.perf_counter() - built


def measure(length: int) -> tuple[float, float]:
    """Median seconds to build, and to tear down until the sandbox's processes are gone."""
    from tests.benchmarks import setup  # as __main__ the sandbox could not find `build`

    builds, ends = [], []
    for _ in range(REPEATS):
        with open_sandbox() as sandbox:
            built, closed = sandbox.call(setup.build, length)
            ended = time.perf_counter()
        builds.append(built)
        ends.append(closed + time.perf_counter() - ended)
    return median(builds), median(ends)


def main() -> None:
    times = {}
    for length in LENGTHS:
        built, ended = times[length] = measure(length)
        print(
            f"wirelab  N={length:<4} build {built * 1e3:8.1f} ms = {built * 1e3 / length:5.2f} ms "
            f"a host, tear down {ended * 1e3:6.1f} ms"
        )
    a_host = {length: sum(times[length]) * 1e3 / length for length in LENGTHS}
    print(f"N=200: {a_host[200]:.2f} ms a host in all (at most {LIMIT_MS_A_HOST:g})")
    print(f"growth from N=20 to N=200: {a_host[200] / a_host[20]:.2f} a host (1 is linear)")
    if reason := why_no_mininet():
        print(f"Mininet: skipped, {reason}")
        return
    runs = [
        [float(word) for word in mininet("mininet_chain.py", "200").split()]
        for _ in range(PEER_REPEATS)
    ]
    built, ended = (median(column) for column in zip(*runs, strict=True))
    print(f"Mininet  N=200  build {built * 1e3:8.1f} ms, tear down {ended * 1e3:6.1f} ms")
    ours = sum(times[200])
    print(
        f"Mininet / wirelab at N=200: build {built / times[200][0]:.1f}, build and tear down "
        f"{(built + ended) / ours:.1f} (at least {LIMIT_RATIO:g})"
    )


if __name__ == "__main__":
    main()
