"""Runs whose client sets its interface down and up, made of the recording traced-tcp4."""

from __future__ import annotations

import struct
from dataclasses import replace

import trace_edits as t
from failed_call import LATE_NS, attempted

from lab.records import Memory, Recording

ENETDOWN, ENETUNREACH, EPERM = 100, 101, 1
AF_NETLINK, AF_PACKET = 16, 17
DOWN_NS, UP_NS = LATE_NS + 100, LATE_NS + 200


def setting(run: Recording, to: int, at_ns: int, error: int = 0, index: int = 101) -> Recording:
    """The client set the interface up (1) or down (0), and read the kernel's answer.

    It made a socket for that, descriptor 91.
    """
    made = t.call_of(run, "client", "socket", -1)
    body = struct.pack("<BxHiII", 0, 0, index, to, 1)
    asked = struct.pack("<IHHII", 16 + len(body), 16, 5, 1, 0) + body
    answer = struct.pack("<IHHIIi", 36, 2, 0, 1, 0, -error)
    made = replace(made, arguments=(AF_NETLINK, 3, 0), result=91, memory=())
    calls = [
        replace(made, entry_ns=at_ns - 2, exit_ns=at_ns - 1),
        replace(
            made, name="sendto", arguments=(91, 1, len(asked), 0, 0, 0), result=len(asked),
            memory=(Memory(1, "", False, asked, len(asked)),), entry_ns=at_ns, exit_ns=at_ns + 1,
        ),
        replace(
            made, name="recvfrom", arguments=(91, 1, 500, 0, 0, 0), result=len(answer),
            memory=(Memory(1, "", True, answer, len(answer)),), entry_ns=at_ns + 2,
            exit_ns=at_ns + 3,
        ),
        replace(made, name="close", arguments=(91,), result=0, entry_ns=at_ns + 4,
                exit_ns=at_ns + 5),
    ]  # fmt: skip
    return t.with_calls(run, [*run.trace.syscalls, *calls])


def sending(errno: int, at_ns: int, domain: int = 2) -> Recording:
    """The client made a socket, and a send on it failed with the errno at that time."""
    return attempted("sendto", errno, (90, 1, 4, 0, 0, 0), kind=(domain, 2, 0), at_ns=at_ns - 2)
