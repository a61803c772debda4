"""The program at the front of a session: what it writes is shown until it has ended."""

from __future__ import annotations

import select
import signal
import sys

from lab.cli.prompt.interrupts import Interrupts
from lab.kernel.session.control import Control
from lab.kernel.session.requests import Ended, Written
from lab.model.program import Program


def run_front(
    control: Control, program: Program, interrupts: Interrupts, *, is_shown: bool = True
) -> Ended:
    """Run it without a terminal. Ctrl-C goes to it, and once it has ended is KeyboardInterrupt.

    What it writes is recorded even if it is not shown.
    """
    is_interrupted = False
    control.start_front(program, None)
    poll = select.poll()
    for source in (control, interrupts):
        poll.register(source.fileno(), select.POLLIN)
    while True:
        readable = {descriptor for descriptor, _ in poll.poll()}
        if signal.SIGINT in interrupts.take():
            is_interrupted = True
            control.interrupt()
        if control.fileno() not in readable:
            continue
        match control.next_of_front():
            case Written(data, is_error):
                if is_shown:
                    stream = sys.stderr if is_error else sys.stdout
                    stream.buffer.write(data)
                    stream.flush()
                control.go_on()
            case Ended() as ended:
                break
    if is_interrupted:
        raise KeyboardInterrupt
    return ended
