from __future__ import annotations

import os
import termios
from typing import Any

import pytest

from lab.kernel.programs.terminal import Terminal


def attributes() -> list[Any]:
    """Those of a terminal that nobody has changed, but for its erase character."""
    near, far = os.openpty()
    found: list[Any] = list(termios.tcgetattr(far))
    os.close(near)
    os.close(far)
    found[6][termios.VERASE] = b"\x08"
    return found


def test_it_has_the_attributes_and_the_size_that_are_asked_for() -> None:
    wanted = attributes()
    terminal = Terminal(wanted, 33, 111)
    assert termios.tcgetattr(terminal.far) == wanted
    assert os.get_terminal_size(terminal.far) == os.terminal_size((111, 33))
    terminal.resize(20, 40)
    assert os.get_terminal_size(terminal.far) == os.terminal_size((40, 20))
    terminal.close()


def test_what_is_typed_is_read_at_the_other_end() -> None:
    terminal = Terminal(attributes(), 24, 80)
    assert terminal.write(b"hello\n") == 6
    assert os.read(terminal.far, 100) == b"hello\n"
    terminal.close()


def test_where_there_is_no_room_less_is_written() -> None:
    wanted = attributes()
    terminal = Terminal(wanted, 24, 80)
    written = sum(iter(lambda: terminal.write(b"x\n" * 4096), 0))
    assert written > 0
    terminal.close()


def test_what_is_typed_for_nobody_is_gone() -> None:
    terminal = Terminal(attributes(), 24, 80)
    terminal.leave_far()
    assert terminal.write(b"hello") == 5
    terminal.close()
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(terminal.near)


@pytest.mark.skipif(
    not os.access("/dev/pts/ptmx", os.R_OK | os.W_OK), reason="this devpts lets root alone do so"
)
def test_it_may_be_of_another_devpts() -> None:
    folder = os.open("/dev/pts", os.O_RDONLY | os.O_DIRECTORY)
    terminal = Terminal(attributes(), 24, 80, folder)
    assert os.ttyname(terminal.far).startswith("/dev/pts/")
    assert terminal.write(b"hello\n") == 6
    assert os.read(terminal.far, 100) == b"hello\n"
    terminal.close()
    os.close(folder)
