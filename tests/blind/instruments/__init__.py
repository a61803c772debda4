"""What can befall each instrument."""

from __future__ import annotations

from tests.blind.disturbance import Disturb, Name
from tests.blind.instruments import (
    canaries,
    capture,
    conntrack,
    health,
    kernel,
    netstat,
    output,
    rings,
    tracer,
    wire,
)

DISTURBERS: dict[Name, Disturb] = {
    Name.CAPTURE: capture.disturbed,
    Name.CANARY: canaries.disturbed,
    Name.COUNTER: health.counters,
    Name.CLOCK: health.clock,
    Name.WITNESS: health.witness,
    Name.OUTPUT: output.disturbed,
    Name.CALLS: tracer.calls,
    Name.TASKS: tracer.tasks,
    Name.MEMORY: tracer.memory,
    Name.RINGS: rings.disturbed,
    Name.STATES: kernel.states,
    Name.DROPS: kernel.drops,
    Name.CONNTRACK: conntrack.disturbed,
    Name.QUEUES: kernel.queues,
    Name.SOCK_DIAG: kernel.sock_diag,
    Name.WIRE: wire.strikes,
    Name.NETSTAT: netstat.disturbed,
    Name.HELD: kernel.held,
    Name.CLOSING: kernel.closings,
}
