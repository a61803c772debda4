"""A terminal of its own for a program: a pair of pseudoterminals. Source: pty(7), tty(4)."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import termios
from typing import Any

from lab.errors import KernelRefused

_TIOCSPTLCK, _TIOCGPTPEER = 0x40045431, 0x5441  # asm-generic/ioctls.h
_SIZE = struct.Struct("=HHHH")  # struct winsize: rows, columns, and pixels, which nobody asks for


class Terminal:
    """Both ends of a terminal: `near` is the lab's, `far` the program's."""

    def __init__(
        self, attributes: list[Any], rows: int, columns: int, folder: int | None = None
    ) -> None:
        """With these attributes, as termios.tcgetattr has them.

        `folder` is a descriptor of the folder that its program will find it in by its name; None:
        /dev/pts of this process. Raises KernelRefused.
        """
        try:
            self.near, self.far = os.openpty() if folder is None else _open_in(folder)
        except OSError as error:
            raise KernelRefused(f"cannot open a terminal: {error.strerror}") from error
        # Before the program is there: what it finds is what its user's terminal has.
        termios.tcsetattr(self.far, termios.TCSANOW, attributes)
        self.resize(rows, columns)
        os.set_blocking(self.near, False)

    def resize(self, rows: int, columns: int) -> None:
        """Give it another size, which the program learns by SIGWINCH."""
        fcntl.ioctl(self.near, termios.TIOCSWINSZ, _SIZE.pack(rows, columns, 0, 0))

    def interrupt_key(self) -> bytes:
        """The key that means SIGINT, Ctrl-C as a rule."""
        special: list[bytes] = termios.tcgetattr(self.near)[6]
        return special[termios.VINTR]

    def write(self, data: bytes) -> int:
        """Type some of these bytes; how many there was room for."""
        try:
            return os.write(self.near, data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)  # EIO: no process has it open any more

    def leave_far(self) -> None:
        """Close the program's end, which the program has by now."""
        os.close(self.far)
        self.far = -1

    def close(self) -> None:
        """Close what is open."""
        os.close(self.near)
        if self.far >= 0:
            os.close(self.far)


def _open_in(folder: int) -> tuple[int, int]:
    """Both ends of a new terminal of that instance of devpts. Raises OSError."""
    flags = os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC
    near = os.open("ptmx", flags, dir_fd=folder)
    try:
        fcntl.ioctl(near, _TIOCSPTLCK, struct.pack("=i", 0))
        # By the other end, not by its name: that is one in another mount namespace.
        return near, fcntl.ioctl(near, _TIOCGPTPEER, flags)
    except OSError:
        os.close(near)
        raise


def take_terminal() -> None:
    """Make standard input the controlling terminal of this process, a session's first.

    Whoever has started the lab may have it ignore what a terminal's keys send: then no key would
    end the program.
    """
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
