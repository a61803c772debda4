"""The user's terminal while a program is at the front: its keys and its screen are the program's.

The program has a terminal of its own (lab.kernel.programs.terminal), so that its keys mean what
they always mean, and Ctrl-C reaches nothing but what runs there. Bytes are passed on, both ways.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lab.cli.prompt.interrupts import Interrupts
from lab.kernel.session.control import Control
from lab.kernel.session.requests import Ended, Taken, TerminalSettings, Written
from lab.model.program import Program

KEYS, SCREEN = 0, 1
PIECE_BYTES = 4096  # what a terminal keeps of a line: termios(3), canonical mode
_IFLAG, _OFLAG, _CFLAG, _LFLAG, _CC = 0, 1, 2, 3, 6


def is_terminal() -> bool:
    """Whether somebody types, and sees what is written."""
    return os.isatty(KEYS) and os.isatty(SCREEN)


def run_at_terminal(control: Control, program: Program, interrupts: Interrupts) -> Ended:
    """Run it at the user's terminal, which is afterwards as it was."""
    with _passing_everything() as attributes:
        control.start_front(program, TerminalSettings(attributes, *_size()))
        return _relay(control, interrupts)


def _relay(control: Control, interrupts: Interrupts) -> Ended:
    """Pass on what is typed and what is written, until the program has ended."""
    is_taken, has_keys = True, True
    while True:
        poll = select.poll()
        for source in (control, interrupts):
            poll.register(source.fileno(), select.POLLIN)
        if is_taken and has_keys:
            poll.register(KEYS, select.POLLIN)
        readable = {descriptor for descriptor, _ in poll.poll()}
        signals = interrupts.take()
        if signal.SIGWINCH in signals:
            control.resize(*_size())
        if signal.SIGINT in signals:
            # It was typed while the keys were not yet passed on, or another process has sent it.
            control.interrupt()
        if control.fileno() in readable:
            match control.next_of_front():
                case Written(data):
                    _show(data)
                    control.go_on()
                case Taken():
                    is_taken = True
                case Ended() as ended:
                    return ended
        if KEYS in readable:
            typed = os.read(KEYS, PIECE_BYTES)
            if typed:
                is_taken = False
                control.type(typed)
            else:
                has_keys = False  # the terminal is gone


def _show(data: bytes) -> None:
    while data:
        data = data[os.write(SCREEN, data) :]


def _size() -> tuple[int, int]:
    """Rows and columns."""
    columns, rows = os.get_terminal_size(SCREEN)
    return rows, columns


@contextmanager
def _passing_everything() -> Iterator[list[Any]]:
    """Every key is read at once, as it is, and what is written is not changed.

    What was its attributes before, as termios.tcgetattr has them. What has been typed and not
    yet read stays: with TCSAFLUSH a Ctrl-C at this moment would be thrown away.
    """
    sys.stdout.flush()
    before = termios.tcgetattr(KEYS)
    raw = list(before)
    raw[_IFLAG] &= ~(
        termios.BRKINT | termios.ICRNL | termios.INLCR | termios.IGNCR | termios.INPCK
        | termios.ISTRIP | termios.IXON
    )  # fmt: skip
    raw[_OFLAG] &= ~termios.OPOST
    raw[_LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    raw[_CC] = list(before[_CC])
    raw[_CC][termios.VMIN], raw[_CC][termios.VTIME] = 1, 0
    termios.tcsetattr(KEYS, termios.TCSADRAIN, raw)
    try:
        yield before
    finally:
        termios.tcsetattr(KEYS, termios.TCSADRAIN, before)
