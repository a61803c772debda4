"""Networks of N hosts built and torn down: how long a host takes, and how Mininet compares.

A host is a network namespace with its links, IPv4 and IPv6 addresses and routes, offloads off,
everything up and waited for. The time to work out addresses and routes counts. Times are medians.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from statistics import median

from lab.kernel.sandbox.sandbox import open_sandbox
from lab.model.shapes import SHAPES
from tests.benchmarks.peer import mininet, why_no_mininet

COUNTS = (20, 200, 1000)
COMPARED = 200
REPEATS = 3
LIMIT_MS_A_HOST = 4.0
LIMIT_RATIO = 5.0


def build(shape: str, count: int, forwards: bool = True) -> tuple[float, float]:
    """Run inside a sandbox: seconds to build a network, and to close it.

    What does not forward has the same hosts and links, no router and no route, and of it working
    that out does not count.
    """
    from lab.kernel.network.links_ready import wait_until_links_ready
    from lab.kernel.network.namespace import build_topology

    started = time.perf_counter()
    topology = SHAPES[shape](count)
    if not forwards:
        topology = replace(topology, routers=(), routes=())
        started = time.perf_counter()
    with build_topology(topology) as namespaces:
        wait_until_links_ready(namespaces)
        built = time.perf_counter()
    return built - started, time.perf_counter() - built


def measure(shape: str, count: int, forwards: bool = True) -> tuple[float, float]:
    """Median seconds to build, and to tear down until the sandbox's processes are gone."""
    from tests.benchmarks import setup  # as __main__ the sandbox could not find `build`

    builds, ends = [], []
    for _ in range(REPEATS):
        with open_sandbox() as sandbox:
            built, closed = sandbox.call(setup.build, shape, count, forwards)
            ended = time.perf_counter()
        builds.append(built)
        ends.append(closed + time.perf_counter() - ended)
    return median(builds), median(ends)


def compare(shape: str) -> None:
    """The lab and Mininet in turn, on the same shape."""
    pairs = []
    for _ in range(REPEATS):
        ours = sum(measure(shape, COMPARED))
        # Warnings come before its last line.
        said = mininet("mininet_shape.py", shape, str(COMPARED)).splitlines()[-1]
        theirs = sum(map(float, said.split()))
        pairs.append((ours, theirs))
    ours, theirs = (median(column) for column in zip(*pairs, strict=True))
    print(
        f"{shape:8} N={COMPARED:<4} wirelab {ours:6.2f} s, Mininet {theirs:6.2f} s: ratio "
        f"{theirs / ours:.1f} (at least {LIMIT_RATIO:g})"
    )


def main(shapes: list[str]) -> None:
    for shape in shapes:
        a_host = {}
        for count in COUNTS:
            built, ended = measure(shape, count)
            a_host[count] = (built + ended) * 1e3 / count
            print(
                f"{shape:8} N={count:<4} build {built * 1e3:8.1f} ms = "
                f"{built * 1e3 / count:5.2f} ms a host, tear down {ended * 1e3:6.1f} ms; in all "
                f"{a_host[count]:.2f} ms a host (at most {LIMIT_MS_A_HOST:g})"
            )
        growth = a_host[1000] / a_host[20]
        print(f"{shape:8} from N=20 to N=1000: {growth:.2f} a host (1 is linear)")
    if reason := why_no_mininet():
        print(f"Mininet: skipped, {reason}")
        return
    for shape in shapes:
        compare(shape)


if __name__ == "__main__":
    main(sys.argv[1:] or list(SHAPES))
