"""Expectations: what ought to have happened in a run or a capture file, in sentences that can fail.

Of a run, for one:

    from lab.api import run
    from lab.expect import TCP

    result = run("tcp")
    result.tcp().handshake().closes_with_fin(by="client")
    result.frames(src="client").expect(TCP(flags="SYN"), TCP(flags="FIN"))
"""

from __future__ import annotations

from lab.expect.failure import ExpectationFailed, ExpectationUndecided
from lab.expect.patterns import ARP, ICMP, TCP, UDP, AnyFrame
from lab.expect.values import at_least, at_most, contains, starts_with

__all__ = [
    "ARP",
    "ICMP",
    "TCP",
    "UDP",
    "AnyFrame",
    "ExpectationFailed",
    "ExpectationUndecided",
    "at_least",
    "at_most",
    "contains",
    "starts_with",
]
