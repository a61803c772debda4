"""The collector's two instances, made while it does other things.

There are two, because a filter by process applies to a whole instance, and sockets change state and
packets are dropped while no process of the run is running: in soft interrupts, timers and kernel
threads.

Making them takes some 60 ms of waiting for the kernel (for RCU's grace periods, where a clock is
set or a buffer's size), whatever the CPUs do, and next to no time of a CPU.
"""

from __future__ import annotations

import threading

from lab.kernel.trace.tracefs.instance import Instance, owner

BUFFER_KB = 4096
"""A CPU's buffer of the calls' instance; on machines with many CPUs less (see ALL_BUFFERS_KB)."""
ALL_BUFFERS_KB = 256 * 1024
KERNEL_KB = 1024
"""The same for the states and drops, which are few."""


class InstancePair:
    """Both, being made by a thread from the start."""

    def __init__(self) -> None:
        """Raises InstrumentError."""
        self.owner = owner()
        self.calls, self.kernel = Instance("calls", self.owner), Instance("kernel", self.owner)
        self._error: Exception | None = None
        self._maker = threading.Thread(target=self._make)
        self._maker.start()

    def wait_until_made(self) -> None:
        """Wait until both are. Raises KernelRefused and OSError."""
        self._maker.join()
        if self._error is not None:
            raise self._error

    def _make(self) -> None:
        try:
            for instance, buffer_kb in ((self.calls, BUFFER_KB), (self.kernel, KERNEL_KB)):
                instance.make()
                self._enlarge(instance, buffer_kb)
                instance.write("trace_clock", "tai")
                # Instances begin with the options of the machine's own trace.
                instance.write("options/markers", "1")
                instance.write("options/overwrite", "1")
                instance.write("buffer_percent", "50")
        except Exception as error:
            self._error = error

    def _enlarge(self, instance: Instance, wanted_kb: int) -> None:
        """Enlarge an instance's buffers if they are smaller than wanted, which takes a while."""
        wanted_kb = min(wanted_kb, ALL_BUFFERS_KB // len(instance.cpus()))
        if int(instance.read("buffer_size_kb").split()[0]) < wanted_kb:
            instance.write("buffer_size_kb", str(wanted_kb))
