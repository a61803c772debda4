"""Run by Debian's python3 with Mininet: a chain of hosts, built and torn down.

Argument: the number of hosts. Prints build and tear-down in seconds.
"""

import itertools
import sys
import time

from mininet.net import Mininet


def main(length: int) -> None:
    started = time.perf_counter()
    net = Mininet(controller=None)
    hosts = [net.addHost(f"h{index}") for index in range(length)]
    for left, right in itertools.pairwise(hosts):
        net.addLink(left, right)
    net.start()
    built = time.perf_counter()
    net.stop()
    print(built - started, time.perf_counter() - built)


main(int(sys.argv[1]))
