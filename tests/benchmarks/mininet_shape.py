"""Run by Debian's python3 with Mininet: a network of a shape, built and torn down.

Arguments: chain, star or dumbbell, and the number of hosts. Prints build and tear-down in
seconds. Switches are Linux bridges, as the lab's are; Mininet's hosts get no routes.
"""

import itertools
import sys
import time

from mininet.net import Mininet
from mininet.nodelib import LinuxBridge


def main(shape: str, count: int) -> None:
    started = time.perf_counter()
    net = Mininet(controller=None, switch=LinuxBridge)
    hosts = [net.addHost(f"h{index}") for index in range(count)]
    if shape == "chain":
        for left, right in itertools.pairwise(hosts):
            net.addLink(left, right)
    else:
        switches = [net.addSwitch(f"s{number}") for number in range(1 + (shape == "dumbbell"))]
        for number, host in enumerate(hosts):
            net.addLink(host, switches[number * len(switches) // count])
        for left, right in itertools.pairwise(switches):
            net.addLink(left, right)
    net.start()
    built = time.perf_counter()
    net.stop()
    print(built - started, time.perf_counter() - built)


main(sys.argv[1], int(sys.argv[2]))
