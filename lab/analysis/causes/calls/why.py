"""What the families of failed calls share: which calls, and the addresses that they name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lab.model.address import SocketAddress, UnixName

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.facts.cause import Cause
    from lab.analysis.causes.facts.step_facts import StepFacts

Why = Callable[["StepFacts", "SystemCall"], "Cause | None"]
"""Why a call failed; None if unknown."""

INET = ("AF_INET", "AF_INET6")
SENDS = ("sendto", "sendmsg", "write", "writev")
MOVES = (*SENDS, "recvfrom", "recvmsg", "read", "readv", "shutdown")


def ip_address_of(call: SystemCall) -> SocketAddress | None:
    """The IP address and port that a call names."""
    for argument in call.arguments:
        if isinstance(argument.address, SocketAddress):
            return argument.address
    return None


def unix_name_of(call: SystemCall) -> UnixName | None:
    """The name of a unix socket that a call names."""
    for argument in call.arguments:
        if isinstance(argument.address, UnixName):
            return argument.address
    return None
