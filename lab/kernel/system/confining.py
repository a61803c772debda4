"""A child that is confined before it executes a program; what goes wrong there is known here."""

from __future__ import annotations

import os
from collections.abc import Callable

from lab.errors import KernelRefused


class Start:
    """One program's confinement; what goes wrong with it in the child is known in the parent."""

    def __init__(self, confine: Callable[[], None]) -> None:
        """`confine` is called in the child; it confines the process, or raises."""
        self._confine = confine
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def confine(self) -> None:
        """Confine this process, the child that executes the program."""
        try:
            self._confine()
        except BaseException as error:
            os.write(self._write, str(error).encode("utf-8", "backslashreplace")[:4096])
            raise

    def raise_failure(self) -> None:
        """Raise KernelRefused if the child could not be confined."""
        try:
            why = os.read(self._read, 4096)
        except BlockingIOError:
            return
        raise KernelRefused(f"cannot confine a program: {why.decode()}")

    def close(self) -> None:
        """Free what it holds."""
        os.close(self._read)
        os.close(self._write)
