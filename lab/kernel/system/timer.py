"""A timer that can be polled. Source: timerfd_create(2)."""

from __future__ import annotations

import ctypes
import os
import struct
import time

from lab.errors import KernelRefused
from lab.kernel.system.libc import LIBC

_TIMERFD_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_SECOND_NS = 1_000_000_000


class Timer:
    """Its descriptor is readable from a moment on."""

    def __init__(self) -> None:
        """Raises KernelRefused."""
        self._descriptor: int = LIBC.timerfd_create(time.CLOCK_MONOTONIC, _TIMERFD_FLAGS)
        if self._descriptor < 0:
            raise KernelRefused(f"timerfd_create: {os.strerror(ctypes.get_errno())}")

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def set(self, after_ns: int | None) -> None:
        """Be readable after that time, at once if it is not above 0; never if it is None."""
        value_ns = 0 if after_ns is None else max(1, after_ns)
        setting = struct.pack("@4l", 0, 0, value_ns // _SECOND_NS, value_ns % _SECOND_NS)
        LIBC.timerfd_settime(self._descriptor, 0, setting, None)

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)
